import datetime

import polars as pl
import pytest

from folkmoot_plugin_extracts.parquet_file import read_parquet
from folkmoot_sdk import PluginError


def test_typed_columns_are_taken_as_they_are(folder):
    pl.DataFrame({
        "UPRN": [1, 2, None], "Owed": [1.5, None, -1.0], "Rooms": [1, 2, 3], "Tenure": [1, 2, 9],
        "Since": [datetime.date(2026, 2, 1), None, None], "Benefit": [True, False, None],
        "Name": ["not", "wanted", "here"],
    }).write_parquet(folder.path / "accounts.parquet")  # fmt: skip
    assert folder.read().rows() == [
        (1, 1.5, 1, "own", datetime.date(2026, 2, 1), True),
        (2, None, 2, "rent", None, False),
        (None, None, 3, None, None, None),
    ]
    assert folder.unread() == [(3, "owed"), (3, "tenure")]
    assert [(entry.row, entry.field) for entry in folder.rejected] == [(3, "Owed"), (3, "Tenure")]
    assert folder.rows() == [1, 2, 3]


def test_text_columns_are_read_as_in_csv(folder):
    text = {"UPRN": "7", "Owed": "NULL", "Rooms": "-9", "Tenure": "2", "Since": "31/02/2026"}
    pl.DataFrame(
        {name: [value] for name, value in text.items()} | {"Benefit": ["N"]}
    ).write_parquet(folder.path / "accounts.parquet")
    assert folder.read().rows() == [(7, None, None, "rent", None, False)]
    assert [entry.reason for entry in folder.rejected] == [
        "31/02/2026 is not a date (DD/MM/YYYY, 1850 to 2199)"
    ]


@pytest.mark.parametrize("batch_rows", [1, 3, 1000])
def test_batches_keep_order_and_record_numbers(tmp_path, batch_rows):
    frame = pl.DataFrame({"a": range(100), "b": [str(n) for n in range(100)]})
    path = tmp_path / "x.parquet"
    frame.write_parquet(path, row_group_size=7)
    batches = list(read_parquet(path, ("b", "a"), batch_rows))
    assert pl.concat([batch.frame for batch in batches]).select("a", "b").equals(frame)
    assert [n for batch in batches for n in batch.numbers().tolist()] == list(range(1, 101))


def test_an_empty_file_has_no_records(tmp_path):
    pl.DataFrame({"a": []}, schema={"a": pl.Int64}).write_parquet(tmp_path / "x.parquet")
    batches = read_parquet(tmp_path / "x.parquet", ("a",))
    assert sum(batch.frame.height for batch in batches) == 0


def test_a_name_with_brackets_is_a_name(tmp_path):
    pl.DataFrame({"a": [1]}).write_parquet(tmp_path / "x[1].parquet")
    (batch,) = read_parquet(tmp_path / "x[1].parquet", ("a",))
    assert batch.frame.rows() == [(1,)]


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda whole: whole[:-1], "not a whole Parquet file"),
        (lambda whole: whole[: len(whole) // 2], "not a whole Parquet file"),
        (lambda whole: b"", "not a whole Parquet file"),
        (lambda whole: b"a,b\n1,2\n", "not a whole Parquet file"),
        (lambda whole: whole[:40] + b"\xff" * 200 + whole[240:], "is damaged"),
    ],
)
def test_a_damaged_file_stops_the_run(tmp_path, damage, problem):
    path = tmp_path / "x.parquet"
    frame = pl.DataFrame({"a": [f"text {n}" for n in range(5000)]})
    frame.write_parquet(path, compression="zstd")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(PluginError) as caught:
        list(read_parquet(path, ("a",)))
    assert caught.value.where == str(path)
    assert problem in caught.value.problem
    assert "again" in caught.value.remedy


@pytest.mark.parametrize("values", [[[1, 2]], [{"x": 1}], [b"bytes"], [None], [datetime.time(1)]])
def test_a_column_that_no_field_can_be_read_from_is_named(tmp_path, values):
    pl.DataFrame({"a": values}).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(PluginError, match=r"column 'a': holds .*, which no field can be read from"):
        list(read_parquet(tmp_path / "x.parquet", ("a",)))


def test_a_missing_column_and_a_missing_file_are_named(tmp_path):
    pl.DataFrame({"Arrears": [1]}).write_parquet(tmp_path / "x.parquet")
    with pytest.raises(PluginError, match=r"has no column 'Arears'.*Did you mean 'Arrears'"):
        list(read_parquet(tmp_path / "x.parquet", ("Arears",)))
    with pytest.raises(PluginError, match="not a whole Parquet file"):
        list(read_parquet(tmp_path / "none.parquet", ("a",)))
