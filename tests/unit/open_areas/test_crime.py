"""police.uk files: every row is counted in its LSOA, left out for a reason, or rejected."""

import pytest

from folkmoot_plugin_open_areas.crime import CRIME_TYPES, PoliceCrime
from folkmoot_sdk import PluginError
from folkmoot_sdk.parameters import build
from tests.accounts import read_source

HEADER = "Crime ID,Month,LSOA code,Crime type\n"
ADDED = "added to the counts of its LSOA"


def write(folder, *rows, name="2026-01-example-street.csv"):
    (folder / name).write_text(HEADER + "".join(f"{row}\n" for row in rows))


def read(folder, fields=None, weight="HOMES", **options):
    lookup = {"file": "lookup.csv", "weight": weight}
    return read_source(PoliceCrime, folder, {"folder": ".", "lookup": lookup, **options}, fields)


def test_counts_go_through_the_lookup_by_type(folder):
    write(
        folder,
        *["a,2026-01,E01000001,Burglary"] * 3,
        *["b,2026-01,E01000002,Vehicle crime"] * 8,
        ",2026-01,E01000003,Anti-social behaviour",
        ",2026-01,E01000004,Burglary",
    )
    found = read(folder, ["crime_all", "crime_burglary", "crime_vehicle"])
    assert found.frame.rows() == [
        ("E01000001", 3.0, 3.0, 0.0),
        ("E01000011", 6.0, 0.0, 6.0),
        ("E01000012", 2.0, 0.0, 2.0),
        ("E01000013", 2.0, 1.0, 0.0),
    ]
    assert found.left_out == {ADDED: 13}
    assert found.rejected == set()


def test_files_of_2021_lsoas_are_counted_as_they_are(folder):
    write(folder, "a,2026-01,E01000011,Burglary", "a,2026-01,E01000013,Burglary")
    found = read(folder, ["crime_burglary"], lsoas=2021)
    assert found.frame.rows() == [("E01000011", 1.0), ("E01000013", 1.0)]


def test_months_are_chosen_and_the_rest_is_left_out(folder):
    for month in ("2025-12", "2026-01", "2026-02", "2026-03"):
        rows = [f"a,{month},E01000001,Drugs", f",{month},,Drugs"]
        write(folder, *rows, name=f"{month}-example-street.csv")
    found = read(folder, ["crime_drugs"], first_month="2026-01", last_month="2026-02")
    assert found.of("E01000001") == {"area": "E01000001", "crime_drugs": 2.0}
    assert found.left_out == {
        "of a month that is not counted": 4,
        "not located: the crime has no LSOA": 2,
        ADDED: 2,
    }
    assert found.origins == [
        f"{month}-example-street.csv" for month in ("2025-12", "2026-01", "2026-02", "2026-03")
    ]


@pytest.mark.parametrize(
    ("options", "month"),
    [
        ({}, "2026-02"),
        ({"first_month": "2025-12"}, "2025-12"),
        ({"last_month": "2026-04"}, "2026-02"),
    ],
)
def test_a_missing_month_stops_the_run(folder, options, month):
    for present in ("2026-01", "2026-03"):
        write(folder, f"a,{present},E01000001,Drugs", name=f"{present}-example-street.csv")
    with pytest.raises(PluginError, match=f"no record of {month}, so that counts would be too low"):
        read(folder, **options)


def test_no_month_at_all_stops_the_run(folder):
    write(folder, "a,2025-01,E01000001,Drugs")
    with pytest.raises(PluginError, match="no record of the months that are counted"):
        read(folder, first_month="2026-01")


def test_lsoas_of_the_other_year_stop_the_run(folder):
    write(folder, "a,2026-01,E01000001,Drugs", "a,2026-01,E01000011,Drugs")
    with pytest.raises(PluginError, match="LSOAs of 2021 alone, among LSOAs of 2011"):
        read(folder)
    write(folder, "a,2026-01,E01000002,Drugs")
    with pytest.raises(PluginError, match="LSOAs of 2011 alone, among LSOAs of 2021"):
        read(folder, lsoas=2021)


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        ("a,2026-13,E01000001,Drugs", "Month", "2026-13 is not a month"),
        ("a,01/2026,E01000001,Drugs", "Month", "is not a month (YYYY-MM)"),
        ("a,,E01000001,Drugs", "Month", "is empty"),
        ("a,2026-01,E0100001,Drugs", "LSOA code", "is not a GSS code"),
        ("a,2026-01,E01099999,Drugs", "LSOA code", "is not an LSOA in the lookup"),
        ("a,2026-01,E01000001,Piracy", "Crime type", "Piracy is not in the code list"),
        ("a,2026-01,E01000001,", "Crime type", "is empty"),
        ("a,2026-01,E01000001", "", "has 3 fields"),
    ],
)
def test_a_row_that_cannot_be_read_is_rejected(folder, row, column, reason):
    write(folder, "a,2026-01,E01000001,Drugs", row, "a,2026-01,E01000001,Drugs")
    found = read(folder, ["crime_all"])
    assert found.of("E01000001")["crime_all"] == 2.0
    [rejection] = found.rejections
    assert (rejection.row, rejection.field) == (3, column)
    assert reason in rejection.reason


def test_rates_are_for_a_thousand_residents_or_households(folder):
    (folder / "people.csv").write_text(
        "LSOA21CD,P,H\nE01000001,2000,800\nE01000011,0,0\nE01000013,,500\n"
    )
    rows = [f"a,2026-01,{lsoa},Robbery" for lsoa in ("E01000001", "E01000002", "E01000003")]
    write(folder, *rows)
    people = {"file": "people.csv", "residents": "P", "households": "H"}
    fields = ["crime_robbery_per_1000_residents", "crime_robbery_per_1000_households"]
    assert read(folder, fields, population=people).frame.rows() == [
        ("E01000001", 0.5, 1.25),
        ("E01000011", None, None),
        ("E01000012", None, None),
        ("E01000013", None, 2.0),
    ]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("E01000002,1\n", "LSOAs of 2011 alone"),
        ("E01000001,1\nE01000001,1\n", "names an LSOA twice"),
        ("", "has no row that can be read"),
    ],
)
def test_a_wrong_population_table_stops_the_run(folder, rows, message):
    (folder / "people.csv").write_text("LSOA21CD,P\n" + rows)
    write(folder, "a,2026-01,E01000001,Drugs")
    with pytest.raises(PluginError, match=message):
        read(folder, population={"file": "people.csv", "residents": "P"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"first_month": "January"}, "'January' is not a month"),
        ({"first_month": "2026-02", "last_month": "2026-01"}, "first_month is after last_month"),
        ({"lsoas": 2001}, "neither 2011 nor 2021"),
        ({"population": {"file": "people.csv"}}, "neither a column of residents nor"),
    ],
)
def test_wrong_options_are_refused(folder, options, message):
    with pytest.raises(PluginError, match=message):
        read(folder, **options)


def test_the_schema_has_a_count_for_every_type_and_rates_where_there_are_people(folder):
    given = {"folder": ".", "lookup": {"file": "lookup.csv"}}
    plain = PoliceCrime(build(PoliceCrime.Options, given, "o")).schema
    assert len(plain.fields) == len(CRIME_TYPES) + 1
    given["population"] = {"file": "people.csv", "residents": "P", "households": "H"}
    assert len(PoliceCrime(build(PoliceCrime.Options, given, "o")).schema.fields) == 45
