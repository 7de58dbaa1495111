"""The extract files of a synthetic council."""

import csv
import datetime
import gzip
import hashlib
import io
import tomllib

import numpy as np
import polars as pl
import pytest

from folkmoot_rehearsal import disorder, identifiers
from folkmoot_rehearsal.councils import region
from folkmoot_rehearsal.synthesis import Recipe, write

SOURCES = (
    "council_tax",
    "llpg",
    "residents",
    "housing",
    "housing_benefit",
    "rents",
    "adult_social_care",
    "shielded_list",
    "domestic_abuse",
    "childrens_services",
    "deaths",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, recipe):
    """Files of two councils, whose revenues systems differ."""
    home = tmp_path_factory.mktemp("councils")
    for council in region(2):
        written = write(council, recipe, home / council.code, home / "truth" / council.code)
        assert written.sources == SOURCES
    return home


def read(home, source: str) -> tuple[dict, list[dict[str, str]]]:
    """A mapping and the rows of its file, read with the standard library."""
    mapping = tomllib.loads((home / "mappings" / f"{source}.toml").read_text("utf-8"))
    (path,) = (home / "extracts").glob(mapping["files"][0])
    if path.suffix == ".parquet":
        return mapping, pl.read_parquet(path).to_dicts()
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    text = content.decode(mapping.get("encoding", "utf-8"))
    rows = csv.DictReader(io.StringIO(text), delimiter=mapping.get("delimiter", ","), strict=True)
    return mapping, list(rows)


def digests(home) -> dict[str, str]:
    return {
        str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(home.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path):
    council = region(3)[2]
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        recipe = Recipe(households=400, seed=seed, today=datetime.date(2026, 11, 23))
        write(council, recipe, tmp_path / name, tmp_path / name / "truth")
    first, again, other = (digests(tmp_path / name) for name in "abc")
    assert first == again
    extracts = [name for name in first if name.startswith("extracts/")]
    assert len(extracts) == len(SOURCES)
    assert all(first[name] != other[name] for name in extracts)


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("code", ["E08000001", "E08000002"])
def test_every_mapped_column_is_in_its_file(folder, code, source):
    mapping, rows = read(folder / code, source)
    columns = {mapping["uprn"], *(field["column"] for field in mapping["fields"].values())}
    if "record_date" in mapping:
        columns.add(mapping["record_date"]["column"])
    assert columns <= set(rows[0])


def test_direct_identifiers_are_in_the_files_and_in_no_mapping(folder):
    direct = {"NHSNumber", "NINO", "Surname", "Forename", "LiableParty", "Tenant", "Sex"}
    seen, mapped = set(), set()
    for source in SOURCES:
        mapping, rows = read(folder / "E08000001", source)
        seen |= set(rows[0]) & direct
        mapped |= {field["column"] for field in mapping["fields"].values()}
    assert seen == direct
    assert not mapped & direct


def test_the_field_vocabulary_is_complete(folder):
    fields = set()
    for source in SOURCES:
        fields |= set(read(folder / "E08000002", source)[0]["fields"])
    assert fields == {
        "council_tax_arrears",
        "council_tax_support",
        "single_person_discount",
        "single_person_discount_from",
        "rent_arrears",
        "housing_benefit",
        "universal_credit",
        "people",
        "oldest_age",
        "youngest_age",
        "shielded",
        "care_package",
        "domestic_abuse_last_report",
        "domestic_abuse_reports",
        "children_services",
        "tenancy_change_date",
        "tenure",
        "household_type",
        "lsoa",
        "ward",
        "death_reported",
    }


@pytest.mark.parametrize("code", ["E08000001", "E08000002"])
def test_the_frame_names_every_household_but_the_malformed(folder, code):
    mapping, rows = read(folder / code, "council_tax")
    truth = pl.read_parquet(folder / "truth" / code / "households.parquet")
    named = {row[mapping["uprn"]] for row in rows}
    missing = set(truth["uprn"].cast(pl.String)) - named
    assert len(missing) < 0.005 * truth.height
    assert len(rows) > truth.height  # second accounts


@pytest.mark.parametrize("source", SOURCES)
def test_malformed_rows_are_few(folder, source):
    """Counts rows with a value that the rehearsal itself plants."""
    planted = {
        *disorder.BAD_UPRNS, *disorder.BAD_DATES, *disorder.BAD_AMOUNTS,
        "?", "SPX", "E0100", "9", "ZZ", "HMO?", "X", "many", "TBC",
    }  # fmt: skip
    mapping, rows = read(folder / "E08000001", source)
    columns = [mapping["uprn"], *(field["column"] for field in mapping["fields"].values())]
    wrong = sum(any(str(row[column]) in planted for column in columns) for row in rows)
    if len(rows) >= 300:
        assert wrong > 0
    assert wrong <= 0.006 * len(rows)


def test_nhs_numbers_have_valid_check_digits(folder):
    _, rows = read(folder / "E08000001", "shielded_list")
    numbers = [row["NHSNumber"] for row in rows]
    assert len(numbers) > 50
    for number in numbers:
        assert len(number) == 10
        assert number.startswith("999")
        total = sum(int(digit) * (11 - place) for place, digit in enumerate(number, start=1))
        # With the check digit at weight 1 the sum of all ten is a multiple of 11.
        assert total % 11 == 0


def test_a_changed_digit_makes_an_nhs_number_invalid():
    number = identifiers.nhs_numbers(1, np.random.default_rng(5))[0]
    changed = number[:8] + str((int(number[8]) + 1) % 10) + number[9]
    total = sum(int(digit) * (11 - place) for place, digit in enumerate(changed, start=1))
    assert total % 11 != 0


def test_movers_and_repeated_people_are_in_the_residents_index(folder, recipe):
    _, rows = read(folder / "E08000001", "residents")
    places: dict[str, set[str]] = {}
    for row in rows:
        places.setdefault(row["PersonReference"], set()).add(row["UPRN"])
    moved = sum(len(found) > 1 for found in places.values())
    assert 0.008 * len(places) < moved < 0.025 * len(places)
    assert len(rows) > len(places)
    same = {(row["Surname"], row["Forename"], row["DateOfBirth"], row["UPRN"]) for row in rows}
    assert len(same) < len(rows) - moved / 10


def test_some_households_are_missing_from_some_sources(folder):
    truth = pl.read_parquet(folder / "truth" / "E08000001" / "households.parquet")
    uprns = set(truth["uprn"].cast(pl.String))
    for source, least, most in (
        ("residents", 0.02, 0.05),
        ("llpg", 0.002, 0.01),
        ("housing", 0.005, 0.02),
    ):
        mapping, rows = read(folder / "E08000001", source)
        missing = len(uprns - {row[mapping["uprn"]] for row in rows}) / len(uprns)
        assert least < missing < most


def test_files_hold_what_is_true(folder):
    """Arrears and tenure of a file are those of the truth, but for planted faults."""
    truth = pl.read_parquet(folder / "truth" / "E08000001" / "households.parquet")
    arrears = dict(truth.select(pl.col("uprn").cast(pl.String), "council_tax_arrears").iter_rows())
    _, rows = read(folder / "E08000001", "council_tax")
    agree = sum(row["Arrears"] == f"{arrears.get(row['UPRN'], -1):.2f}" for row in rows)
    assert agree > 0.98 * len(rows)

    code = {"owned_outright": "1", "owned_mortgage": "2", "social_rented": "3"}
    tenure = dict(truth.select(pl.col("uprn").cast(pl.String), "tenure").iter_rows())
    _, rows = read(folder / "E08000001", "housing")
    agree = sum(row["Tenure"] == code.get(tenure.get(row["UPRN"], ""), "4") for row in rows)
    assert agree > 0.97 * len(rows)


@pytest.mark.parametrize("code", ["E08000001", "E08000002"])
@pytest.mark.parametrize("source", SOURCES)
def test_the_extracts_plugin_reads_every_file(folder, recipe, code, source):
    """Through the mapping alone; rejected rows are fewer than a node tolerates."""
    extracts = pytest.importorskip("folkmoot_plugin_extracts.source")
    from folkmoot_sdk import ReadContext

    home = folder / code
    options = extracts.ExtractsOptions(
        mapping=home / "mappings" / f"{source}.toml", folder=home / "extracts", base=home
    )
    reader = extracts.ExtractsSource(options)
    names = [field.name for field in reader.schema.fields]
    rejected: list = []
    left_out: list[int] = []
    context = ReadContext(
        frozenset(names),
        recipe.today,
        rejected.extend,
        leave_out=lambda _, records: left_out.append(records),
    )
    frames = [pl.DataFrame(records.data) for records in reader.read(context)]
    found = pl.concat(frames)
    _, rows = read(home, source)

    wrong = len({(entry.file, entry.row) for entry in rejected})
    # What could be read in part stays; only rows of which nothing could be read are missing.
    missing = len(rows) - found.height - sum(left_out)
    assert 0 <= missing <= wrong
    assert wrong <= 0.01 * len(rows)
    for name in names:
        assert found[name].null_count() < found.height, f"{name} is never known"
