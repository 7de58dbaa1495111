"""A sample is read as a factor gets it, and what is wrong is named with file, column and row."""

import datetime

import numpy as np
import pyarrow as pa
import pyarrow.parquet
import pytest

from folkmoot_kit.writing.sample import made_up, read
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk import FieldType, Input

INPUTS = (
    Input("owed", FieldType.NUMBER, unit="GBP"),
    Input("children", FieldType.INTEGER),
    Input("alone", FieldType.BOOLEAN),
    Input("tenure", FieldType.CATEGORY, codes=("owned", "rented")),
    Input("moved", FieldType.DATE),
    Input("age", FieldType.INTEGER, required=False),
)
CSV = """owed,children,alone,tenure,moved,other
12.50,2,true,rented,2025-12-31,x
,,,,,
0,0,no,owned,1999-01-01,
"""


@pytest.fixture
def write(tmp_path):
    def write(text, name="s.csv"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_values_are_those_of_a_factor_and_empty_is_unknown(write):
    found = read(write(CSV), INPUTS)
    assert list(found) == [entry.name for entry in INPUTS]
    np.testing.assert_array_equal(found["owed"], [12.5, np.nan, 0])
    np.testing.assert_array_equal(found["children"], [2, np.nan, 0])
    np.testing.assert_array_equal(found["alone"], [1, np.nan, 0])
    np.testing.assert_array_equal(found["tenure"], [1, -1, 0])
    assert found["tenure"].dtype == np.int16
    assert found["moved"].astype(object).tolist() == [
        datetime.date(2025, 12, 31), None, datetime.date(1999, 1, 1),
    ]  # fmt: skip
    assert np.isnan(found["age"]).all()
    drawn = made_up(INPUTS, 3)
    assert {n: a.dtype for n, a in found.items()} == {n: a.dtype for n, a in drawn.items()}
    assert not any(array.flags.writeable for array in found.values())


def test_parquet_holds_types_of_its_own(tmp_path):
    table = pa.table(
        {
            "owed": [12.5, None, 0.0],
            "children": [2, None, 0],
            "alone": [True, None, False],
            "tenure": pa.array(["rented", None, "owned"]).dictionary_encode(),
            "moved": [datetime.date(2025, 12, 31), None, datetime.date(1999, 1, 1)],
        }
    )
    pyarrow.parquet.write_table(table, tmp_path / "s.parquet")
    (tmp_path / "s.csv").write_text(CSV)
    found, same = (read(tmp_path / name, INPUTS) for name in ("s.parquet", "s.csv"))
    for name, array in found.items():
        np.testing.assert_array_equal(array, same[name])


@pytest.mark.parametrize(
    ("text", "problem", "remedy"),
    [
        (CSV.replace("12.50", "1e999"), "row 2, column 'owed': '1e999' is not a number", "empty"),
        (CSV.replace("12.50", "nan"), "row 2, column 'owed': 'nan' is not a number", ""),
        (CSV.replace(",2,", ",2.5,"), "column 'children': '2.5' is not a whole number", ""),
        (CSV.replace("no", "maybe"), "row 4, column 'alone': 'maybe' is neither", ""),
        (CSV.replace("rented", "rentd"), "'rentd' is not a code. Did you mean 'rented'?", ""),
        (CSV.replace("1999-01-01", "1/1/1999"), "'1/1/1999' is not a date", ""),
        (CSV.replace("tenure", "tenur"), "has no column 'tenure'", "Did you mean 'tenur'"),
        ("owed,children,alone,tenure,moved\n", "has no households", "row"),
        (b"owed\n\xff\n", "is neither CSV", ""),
        (b"", "is neither CSV", ""),
    ],
)
def test_what_is_wrong_is_named(write, text, problem, remedy):
    path = write(text)
    with pytest.raises(Problem) as caught:
        read(path, INPUTS)
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy
    assert caught.value.where == str(path)
    assert caught.value.exit_code is ExitCode.SETTINGS


def test_a_file_that_is_not_there_and_one_that_is_no_parquet(tmp_path, write):
    with pytest.raises(Problem, match="cannot be read"):
        read(tmp_path / "s.csv", INPUTS)
    with pytest.raises(Problem, match="is neither CSV"):
        read(write(CSV, "s.parquet"), INPUTS)


def test_an_empty_line_of_one_column_is_unknown(write):
    found = read(write("owed\n1\n\n2\n"), INPUTS[:1])
    np.testing.assert_array_equal(found["owed"], [1, np.nan, 2])
    found = read(write("owed,children\n1,1\n\n2,2\n"), INPUTS[:2])
    np.testing.assert_array_equal(found["owed"], [1, 2])
