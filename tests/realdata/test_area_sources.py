"""Published tables of areas, read by the sources that are meant for them.

The published data hold no lookup from LSOAs of 2011 to those of 2021. Codes that stand in
the list of 2021 are taken as unchanged, which is what makes the rest foreign to it.
"""

from __future__ import annotations

import csv
import gzip
from collections import Counter
from pathlib import Path

import polars as pl
import pytest

from folkmoot_plugin_extracts.source import ExtractsSource
from folkmoot_plugin_open_areas.crime import CRIME_TYPES, PoliceCrime
from folkmoot_plugin_open_areas.indices import IndicesOfDeprivation
from folkmoot_sdk import PluginError
from tests.accounts import read_source

pytestmark = pytest.mark.realdata

IMD = "greater_manchester/imd2025_england_lsoa21.csv.gz"
LOOKUP = "greater_manchester/lookup_lsoa21_ward24_ltla24.csv.gz"
POLICE = sorted(f"2022-0{month}-surrey-street.csv.gz" for month in (1, 2, 3))
SHIELDING = """
schema = 1
name = "shielded_patients"
level = "area"
files = ["SPL_by_LA.csv.gz"]
area = "LA.Code"
null_values = [{nulls}]
[fields.patients]
column = "Patient.Count"
type = "integer"
combine = "sum"
category = "health"
minimum = 0
"""


def rows_of(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt", newline="") as stream:
        return list(csv.DictReader(stream))


@pytest.fixture(scope="module")
def codes_2021(public_data: Path) -> set[str]:
    return {row["lsoa21_code"] for row in rows_of(public_data / LOOKUP)}


@pytest.fixture(scope="module")
def crimes(public_data: Path) -> list[dict[str, str]]:
    return [row for name in POLICE for row in rows_of(public_data / "police_uk" / name)]


def unchanged(folder: Path, codes: set[str]) -> dict[str, str]:
    """A lookup in which every LSOA is unchanged."""
    path = folder / "lookup.csv"
    path.write_text("LSOA11CD,LSOA21CD\n" + "".join(f"{c},{c}\n" for c in sorted(codes)))
    return {"file": str(path)}


def test_the_indices_of_2025_are_read_whole(public_data, codes_2021, tmp_path):
    options = {"file": str(public_data / IMD), "lookup": unchanged(tmp_path, codes_2021)}
    fields = ["imd_score", "imd_rank", "imd_decile", "health_deprivation_score"]
    found = read_source(IndicesOfDeprivation, tmp_path, options, fields)
    published = rows_of(public_data / IMD)
    assert found.frame.height == len(published) == 33_755
    assert found.rejections == []
    assert set(found.frame["area"]) <= codes_2021
    assert sorted(found.frame["imd_rank"]) == list(range(1, 33_756))
    assert found.frame["imd_decile"].value_counts()["count"].is_between(3375, 3376).all()
    by_code = {row["lsoa21_code"]: row for row in published}
    for area, score, rank, decile, health in found.frame.iter_rows():
        row = by_code[area]
        wanted = ("IMD_score", "IMD_rank", "IMD_decile", "Health_score")
        assert (score, rank, decile, health) == tuple(float(row[name]) for name in wanted)


def test_the_tidy_table_lacks_the_two_supplementary_indices(public_data, tmp_path):
    options = {"file": str(public_data / IMD)}
    with pytest.raises(PluginError, match="no column for 'idaci_score'"):
        read_source(IndicesOfDeprivation, tmp_path, options)


def test_the_indices_of_2025_are_not_taken_for_those_of_2019(public_data, tmp_path):
    options = {"file": str(public_data / IMD), "edition": 2019, "areas": 2011}
    with pytest.raises(PluginError, match="is for LSOAs of 2021, the edition of 2019"):
        read_source(IndicesOfDeprivation, tmp_path, options)


def test_crimes_of_three_months_are_counted_by_lsoa_and_type(
    public_data, codes_2021, crimes, tmp_path
):
    options = {
        "folder": str(public_data / "police_uk"),
        "lookup": unchanged(tmp_path, codes_2021),
        "first_month": "2022-01",
        "last_month": "2022-03",
    }
    found = read_source(PoliceCrime, tmp_path, options)
    code, kind = "LSOA code", "Crime type"
    here = [row for row in crimes if row[code] in codes_2021]
    total = Counter(row[code] for row in here)
    by_type = Counter((row[code], CRIME_TYPES[row[kind]]) for row in here)
    for record in found.frame.iter_rows(named=True):
        assert record["crime_all"] == total[record["area"]]
        for name in CRIME_TYPES.values():
            assert record[f"crime_{name}"] == by_type[record["area"], name]
    assert set(found.frame["area"]) == set(total)
    nowhere = sum(not row[code] for row in crimes)
    assert nowhere == found.left_out["not located: the crime has no LSOA"] > 0
    assert len(found.rejected) == len(crimes) - len(here) - nowhere > 0
    assert {entry.field for entry in found.rejections} == {code}
    assert found.left_out.total() + len(found.rejected) == len(crimes)
    assert found.origins == POLICE


def test_lsoas_of_2011_that_are_no_more_are_read_among_those_of_2021(
    public_data, codes_2021, crimes, tmp_path
):
    path = tmp_path / "lookup.csv"
    gone = {row["LSOA code"] for row in crimes} - codes_2021 - {""}
    lines = [f"{code},{code}\n" for code in codes_2021]
    lines += [f"{code},{sorted(codes_2021)[0]}\n" for code in gone]
    path.write_text("LSOA11CD,LSOA21CD\n" + "".join(lines))
    options = {"folder": str(public_data / "police_uk"), "lookup": {"file": str(path)}}
    whole = read_source(PoliceCrime, tmp_path, options, ["crime_all"])
    assert whole.rejections == []
    located = sum(1 for row in crimes if row["LSOA code"])
    assert whole.frame["crime_all"].sum() == pytest.approx(located)
    mixed = read_source(PoliceCrime, tmp_path, {**options, "lsoas": 2021}, ["crime_all"])
    assert mixed.frame["crime_all"].sum() == pytest.approx(located)


def shielding(public_data: Path, home: Path, nulls: str):
    (home / "mapping.toml").write_text(SHIELDING.format(nulls=nulls))
    folder = str(public_data / "shielding")
    return read_source(ExtractsSource, home, {"mapping": "mapping.toml", "folder": folder})


def test_suppressed_counts_of_the_shielded_list_are_unknown_and_not_zero(public_data, tmp_path):
    published = rows_of(public_data / "shielding" / "SPL_by_LA.csv.gz")
    # NHS Digital gives Hackney and the City of London together, under both codes.
    together = {row["LA.Code"] for row in published if "+" in row["LA.Code"]}
    single = [row["Patient.Count"] for row in published if row["LA.Code"] not in together]
    found = shielding(public_data, tmp_path, '"*"')
    # A row without a code that can be read stays, and belongs to no area.
    patients = found.frame.filter(pl.col("area").is_not_null())["patients"]
    assert patients.null_count() == single.count("*") > 700
    assert (patients == 0).sum() == single.count("0") > 300
    assert patients.sum() == sum(int(n) for n in single if n != "*")
    assert {entry.value for entry in found.rejections} == together
    assert {entry.field for entry in found.rejections} == {"LA.Code"}
    assert found.accounted == len(published) == 7825


def test_a_suppression_mark_that_the_mapping_does_not_know_is_rejected(public_data, tmp_path):
    published = rows_of(public_data / "shielding" / "SPL_by_LA.csv.gz")
    found = shielding(public_data, tmp_path, "")
    marked = {entry.row for entry in found.rejections if entry.field == "Patient.Count"}
    assert marked == {
        row for row, entry in enumerate(published, 2) if entry["Patient.Count"] == "*"
    }
    assert found.accounted == len(published)
