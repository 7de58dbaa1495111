"""Indices of Deprivation: both forms, both editions, never the wrong LSOAs."""

import csv

import pytest

from folkmoot_plugin_open_areas.indices import IndicesOfDeprivation
from folkmoot_sdk import FieldType, PluginError
from folkmoot_sdk.parameters import build
from tests.accounts import read_source
from tests.unit.open_areas.conftest import SAMPLES

TIDY = "lsoa21_code,IMD_decile,IMD_rank,IMD_score,Health_score\n"
OLD_TIDY = TIDY.replace("21", "11")
IMD = ("imd_score", "imd_rank", "imd_decile")


def read(folder, text, fields=IMD, **options):
    (folder / "indices.csv").write_text(text)
    return read_source(IndicesOfDeprivation, folder, {"file": "indices.csv", **options}, fields)


def test_file_7_of_both_editions_has_every_field():
    for edition, lookup in ((2025, {}), (2019, {"areas": 2011})):
        name = f"indices_of_deprivation_{edition}.csv"
        found = read_source(
            IndicesOfDeprivation, SAMPLES, {"file": name, "edition": edition, **lookup}
        )
        with (SAMPLES / name).open() as stream:
            [first, *others] = csv.DictReader(stream)
        year = 2021 if edition == 2025 else 2011
        row = found.of(first[f"LSOA code ({year})"])
        assert found.accounted == len(others) + 1
        assert found.rejected == set()
        assert len(row) == 31
        assert None not in row.values()
        imd = "Index of Multiple Deprivation (IMD) "
        assert row["imd_score"] == float(first[imd + "Score"])
        assert row["imd_rank"] == int(first[imd + "Rank (where 1 is most deprived)"])
        older = "Income Deprivation Affecting Older People (IDAOPI) Score (rate)"
        assert row["idaopi_score"] == float(first[older])


def test_the_tidy_form_writes_whole_numbers_with_a_point(folder):
    found = read(
        folder, TIDY + "E01000001,8.0,26525.0,8.742,-1.771\n", (*IMD, "health_deprivation_score")
    )
    assert found.of("E01000001") == {
        "area": "E01000001", "imd_score": 8.742, "imd_rank": 26525, "imd_decile": 8,
        "health_deprivation_score": -1.771,
    }  # fmt: skip


def test_what_the_tidy_form_lacks_is_named(folder):
    with pytest.raises(PluginError, match="no column for 'idaci_score'"):
        read(folder, TIDY + "E01000001,8,1,1,1\n", ("idaci_score",))


def test_indices_of_2019_go_through_the_lookup(folder):
    text = OLD_TIDY + (
        "E01000001,1,100,70,0\nE01000002,2,4000,40,0\nE01000003,4,10001,20,0\nE01000004,9,28000,4,0\n"
    )
    lookup = {"file": "lookup.csv", "weight": "HOMES"}
    found = read(folder, text, edition=2019, lookup=lookup)
    assert found.frame.rows() == [
        ("E01000001", 70.0, 100, 1),
        ("E01000011", 40.0, 4000, 2),
        ("E01000012", 40.0, 4000, 2),
        ("E01000013", 8.0, 23500, 8),
    ]
    declared = IndicesOfDeprivation(
        build(IndicesOfDeprivation.Options, {"file": "x", "edition": 2019, "lookup": lookup}, "o")
    ).schema
    assert declared.area_type == "lsoa21"
    assert declared["imd_rank"].type is FieldType.INTEGER


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"edition": 2019}, "not joined to those of 2021 without the option `lookup`"),
        ({"edition": 2025, "areas": 2011}, "cannot be given for those of 2011"),
        ({"edition": 2015}, "edition 2015"),
        ({"areas": 2001}, "neither 2011 nor 2021"),
    ],
)
def test_wrong_options_are_refused(folder, options, message):
    with pytest.raises(PluginError, match=message):
        read(folder, TIDY, **options)


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (OLD_TIDY + "E01000001,8,1,1,1\n", {}, "is for LSOAs of 2011, the edition of 2025"),
        (TIDY + "E01000001,8,1,1,1\n", {"edition": 2019, "areas": 2011}, "is for LSOAs of 2021"),
        ("code,IMD_rank\nE01000001,8\n", {}, "has no column 'lsoa11_code' or 'lsoa21_code'"),
        (
            TIDY + "E01000001,8,1,1,1\nE01000002,8,1,1,1\n",
            {"lookup": {"file": "lookup.csv"}},
            "lists as LSOAs of 2011 alone, among LSOAs of 2021",
        ),
        ("", {}, "is empty"),
    ],
)
def test_a_file_of_other_lsoas_is_refused(folder, text, options, message):
    with pytest.raises(PluginError, match=message):
        read(folder, text, **options)


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("E0100001,8,1,1,1", "lsoa21_code", "is not a GSS code"),
        (",8,1,1,1", "lsoa21_code", "has no code of an area"),
        ("E01000001,7,1,1,1", "lsoa21_code", "stands in the file before"),
        ("E01000009,11,1,1,1", "IMD_decile", "above the largest valid value, 10"),
        ("E01000009,1,0,1,1", "IMD_rank", "below the smallest valid value, 1"),
        ("E01000009,1,33756,1,1", "IMD_rank", "above the largest valid value"),
        ("E01000009,1,2,x,1", "IMD_score", "x is not a number"),
        ("E01000009,1,2", "", "has 3 fields"),
    ],
)
def test_a_row_that_cannot_be_read_is_rejected(folder, row, column, reason):
    found = read(folder, f"{TIDY}E01000001,8,1,1,1\n{row}\nE01000011,8,2,1,1\n")
    assert found.frame["area"].to_list() == ["E01000001", "E01000011"]
    assert found.rows == [("indices.csv", 2), ("indices.csv", 4)]
    [rejection] = found.rejections
    assert (rejection.row, rejection.field) == (3, column)
    assert reason in rejection.reason


def test_a_code_that_the_lookup_does_not_list_is_rejected(folder):
    rows = "E01000001,8,1,1,1\nE01099999,8,1,1,1\n"
    found = read(folder, TIDY + rows, lookup={"file": "lookup.csv"})
    assert found.frame["area"].to_list() == ["E01000001"]
    assert "not an LSOA of 2021 in the lookup" in found.rejections[0].reason
