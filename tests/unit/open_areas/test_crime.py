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
        *[",2026-01,E01000001,Burglary"] * 3,
        *[",2026-01,E01000002,Vehicle crime"] * 8,
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
    write(folder, ",2026-01,E01000011,Burglary", ",2026-01,E01000013,Burglary")
    found = read(folder, ["crime_burglary"], lsoas=2021)
    assert found.frame.rows() == [("E01000011", 1.0), ("E01000013", 1.0)]


def test_months_are_chosen_and_the_rest_is_left_out(folder):
    for month in ("2025-12", "2026-01", "2026-02", "2026-03"):
        rows = [f",{month},E01000001,Drugs", f",{month},,Drugs"]
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
        write(folder, f",{present},E01000001,Drugs", name=f"{present}-example-street.csv")
    with pytest.raises(PluginError, match=f"no record of {month}, so that counts would be too low"):
        read(folder, **options)


def test_no_month_at_all_stops_the_run(folder):
    write(folder, ",2025-01,E01000001,Drugs")
    with pytest.raises(PluginError, match="no record of the months that are counted"):
        read(folder, first_month="2026-01")


@pytest.mark.parametrize("lsoas", [2011, 2021])
def test_lsoas_of_both_years_are_read_row_by_row(folder, lsoas):
    """E01000002 was split into E01000011 and E01000012; E01000001 is one of both years."""
    write(folder, *[",2026-01,E01000002,Drugs"] * 8, ",2026-01,E01000001,Drugs")
    write(folder, ",2026-02,E01000011,Drugs", ",2026-02,E01000001,Drugs", name="2026-02-street.csv")
    found = read(folder, ["crime_drugs"], lsoas=lsoas)
    assert found.frame.rows() == [("E01000001", 2.0), ("E01000011", 7.0), ("E01000012", 2.0)]
    assert found.left_out == {ADDED: 11}


def test_one_crime_counts_once(folder):
    """Rows with one ID are one crime, in one file or several; without an ID each counts."""
    repeated = [f"{'0' * 63}a,2026-01,E01000001,Burglary"] * 13
    without = [",2026-01,E01000001,Anti-social behaviour"] * 4
    write(folder, *repeated, *without, f"{'0' * 63}b,2026-01,E01000001,Burglary")
    write(
        folder,
        f"{'0' * 63}a,2026-02,E01000001,Burglary",
        *[f"{'0' * 63}{at},2026-02,E01000001,Burglary" for at in range(3)],
        name="2026-02-example-street.csv",
    )
    found = read(folder, ["crime_burglary", "crime_anti_social_behaviour"])
    assert found.frame.rows() == [("E01000001", 4.0, 5.0)]
    assert found.left_out == {ADDED: 9, "the same crime ID as an earlier record": 13}
    assert found.rejections == []


def test_a_copy_of_a_file_stops_the_run(folder):
    """Its rows without an ID would count twice."""
    rows = [f"{at:064x},2026-01,E01000001,Drugs" for at in range(4)]
    rows += [",2026-01,E01000001,Anti-social behaviour"] * 3
    write(folder, *rows)
    more = f"{9:064x},2026-01,E01000001,Drugs"
    write(folder, *rows, more, name="2026-01-example-street (1).csv")
    with pytest.raises(
        PluginError, match=r"holds crimes that stand in 2026-01-example-street"
    ) as e:
        read(folder, files=["2026-01*.csv"])
    assert "`files`" in e.value.remedy


FORCES = "Crime ID,Month,Falls within,LSOA code,Crime type\n"


def of_force(folder, month, force, *, row="E01000001,Drugs"):
    name = f"{month}-{force.lower().replace(' ', '-')}-street.csv"
    (folder / name).write_text(f"{FORCES},{month},{force},{row}\n")


def test_a_force_without_a_month_stops_the_run(folder):
    """One row of another force does not keep the month alive."""
    of_force(folder, "2026-01", "Example Police")
    of_force(folder, "2026-01", "British Transport Police")
    of_force(folder, "2026-02", "British Transport Police", row=",Drugs")
    of_force(folder, "2026-03", "British Transport Police")
    message = "Example Police has no record of 2026-02, 2026-03, so that counts would be too low"
    with pytest.raises(PluginError, match=message) as caught:
        read(folder)
    assert "`forces`" in caught.value.remedy
    found = read(folder, ["crime_drugs"], forces=["British Transport Police"])
    assert found.frame.rows() == [("E01000001", 3.0)]
    with pytest.raises(PluginError, match="Exampel Police has no record of 2026-01"):
        read(folder, forces=["Exampel Police"])
    assert read(folder, ["crime_drugs"], last_month="2026-01").frame.rows() == [("E01000001", 2.0)]


@pytest.mark.parametrize(
    ("row", "column", "reason"),
    [
        (",2026-13,E01000001,Drugs", "Month", "2026-13 is not a month"),
        (",01/2026,E01000001,Drugs", "Month", "is not a month (YYYY-MM)"),
        (",,E01000001,Drugs", "Month", "is empty"),
        (",2026-01,E0100001,Drugs", "LSOA code", "is not a GSS code"),
        (",2026-01,E01099999,Drugs", "LSOA code", "is not an LSOA in the lookup"),
        (",2026-01,E01000001,Piracy", "Crime type", "Piracy is not in the code list"),
        (",2026-01,E01000001,", "Crime type", "is empty"),
        (",2026-01,E01000001", "", "has 3 fields"),
    ],
)
def test_a_row_that_cannot_be_read_is_rejected(folder, row, column, reason):
    write(folder, ",2026-01,E01000001,Drugs", row, ",2026-01,E01000001,Drugs")
    found = read(folder, ["crime_all"])
    assert found.of("E01000001")["crime_all"] == 2.0
    [rejection] = found.rejections
    assert (rejection.row, rejection.field) == (3, column)
    assert reason in rejection.reason


def test_rates_are_for_a_thousand_residents_or_households(folder):
    (folder / "people.csv").write_text(
        "LSOA21CD,P,H\nE01000001,2000,800\nE01000011,0,0\nE01000013,,500\n"
    )
    rows = [f",2026-01,{lsoa},Robbery" for lsoa in ("E01000001", "E01000002", "E01000003")]
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
    write(folder, ",2026-01,E01000001,Drugs")
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
