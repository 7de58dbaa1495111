"""Records about people find the households of these people, from sources to the store."""

from __future__ import annotations

import csv
import datetime
from typing import Any

import polars as pl
import pytest

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk import Category, Combine, Field, FieldType, Identifier, RecordLevel, Schema
from folkmoot_sdk.source import ReadContext
from tests.unit.node.conftest import NODE, TODAY, Book
from tests.unit.node.linkage.test_link import FRAME, LINKED_POLICY, homes

NAMES = (Identifier.FORENAME, Identifier.SURNAME, Identifier.DATE_OF_BIRTH, Identifier.POSTCODE)
WHO = (*NAMES, Identifier.NHS_NUMBER)
PERSONS = Schema(
    name="residents",
    level=RecordLevel.PERSON,
    has_date=True,
    fields=(Field("people", FieldType.INTEGER, Combine.COUNT, Category.DEMOGRAPHY),),
    identifiers=WHO,
)
DEBTS = Schema(
    name="debts",
    level=RecordLevel.PERSON,
    has_date=True,
    fields=(
        Field("council_tax_arrears", FieldType.NUMBER, Combine.SUM, Category.FINANCE, unit="GBP"),
    ),
    identifiers=(Identifier.ADDRESS, *WHO),
)
SETTINGS = (
    NODE.replace('frame = "tax"', 'frame = "homes"')
    + """
[[sources]]
name = "homes"
kind = "homes_book"
[linkage.people]
sources = ["people"]
"""
)
BORN = datetime.date(1974, 5, 23)
OLD, NEW = datetime.date(2019, 4, 1), datetime.date(2024, 4, 1)
SECRET = "Quennerstedt"
ANNA = ("Anna", SECRET, datetime.date(1951, 8, 9), "M33 1AA", "9990000018")
TWINS = [("Beth", "Lomax", BORN, "M33 1AA", None), ("Cara", "Lomax", BORN, "M33 1AA", None)]
CHILD = ("Grace", "Pickles", datetime.date(2016, 9, 14), "M33 1AB", None)
MOVER = ("Imran", "Malik", datetime.date(1988, 2, 2), "M33 1AA", None)
OLD_LADY = ("Edith", "Warburton", datetime.date(1931, 11, 5), "M33 1AD", None)
KNOWN: list[tuple[Any, ...]] = [
    (1, OLD, *ANNA),
    (2, OLD, *TWINS[0]),
    (2, OLD, *TWINS[1]),
    (11, NEW, *CHILD),
    (12, NEW, *CHILD),
    (1, OLD, *MOVER),
    (2, NEW, *MOVER),
    (12, TODAY + datetime.timedelta(days=1), *MOVER),
    (31, OLD, *OLD_LADY),
    (999, OLD, "Noah", "Gone", datetime.date(2001, 1, 30), "M33 1AB", None),
]
DEBTORS: list[tuple[Any, ...]] = [
    (1, 1.0, None, *ANNA),
    (None, 10.0, None, "Ana", SECRET, ANNA[2], "M33 1AA", None),
    (None, 20.0, None, None, "Lomax", BORN, "M33 1AA", None),
    (None, 40.0, None, *CHILD),
    (None, 80.0, None, *MOVER),
    (None, 160.0, None, *OLD_LADY),
    (None, 320.0, None, "Noah", "Gone", datetime.date(2001, 1, 30), "M33 1AB", None),
    (None, 640.0, None, "Nobody", "Known", datetime.date(1960, 6, 7), "M33 1AA", None),
    (None, 1280.0, None, None, None, None, None, None),
]
TYPES = {
    Identifier.ADDRESS.column: pl.String,
    **{entry.column: pl.String for entry in WHO},
    Identifier.DATE_OF_BIRTH.column: pl.Date,
}


def people(rows=KNOWN):
    names = {"uprn": pl.Int64, "record_date": pl.Date, **TYPES}
    del names[Identifier.ADDRESS.column]
    frame = pl.DataFrame(rows, names, orient="row")
    return frame.with_columns(pl.lit(1, pl.Int64).alias("people"))


def debts(rows=DEBTORS):
    names = {"uprn": pl.Int64, "council_tax_arrears": pl.Float64, **TYPES}
    return pl.DataFrame(rows, names, orient="row").with_columns(pl.lit(TODAY).alias("record_date"))


class AskedBook(Book):
    """Hands out the identifiers that were asked for, as a source must."""

    def __init__(self, schema: Schema, frame: pl.DataFrame) -> None:
        super().__init__(schema, [])
        self.frame = frame
        self.identifiers: list[tuple[Identifier, ...]] = []
        self.before_batch = self._note

    def _note(self, context: ReadContext) -> None:
        self.identifiers.append(tuple(context.identifiers))


@pytest.fixture
def linked(node):
    node.tax = AskedBook(DEBTS, debts())
    node.people = AskedBook(PERSONS, people())
    node.tax.batches, node.people.batches = [node.tax.frame], [node.people.frame]
    node.extra["homes_book"] = Book(FRAME, [homes()])
    node.write_node(SETTINGS)
    node.write_policy(LINKED_POLICY)
    return node


def arrears(node):
    return dict(node.rows().select("uprn", "field_council_tax_arrears").iter_rows())


def source(node, name="tax"):
    (found,) = [one for one in node.score().sources if one.name == name]
    return found


def review(node):
    with (node.home / "review" / "tax.csv").open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


EXPECTED = {1: 11.0, 2: 80.0, 11: 40.0, 12: 40.0}


def test_records_count_in_the_households_of_their_people(linked):
    found = source(linked)
    assert arrears(linked) == EXPECTED
    assert (found.records, found.no_uprn, found.by_uprn) == (9, 8, 1)
    assert (found.by_person, found.by_address, found.by_review) == (3, 0, 0)
    assert (found.communal, found.ambiguous, found.unlinked, found.not_in_frame) == (1, 1, 3, 0)
    ways = found.by_uprn + found.by_person
    assert ways == found.linked
    assert ways + found.ambiguous + found.unlinked + found.communal == found.records
    assert found.linked_areas == {"E01000001": 3, "E01000002": 2}


@pytest.mark.parametrize("partitions", [1, 5])
def test_partitions_and_files_make_no_difference(linked, partitions):
    linked.write_node(
        SETTINGS.replace("[scoring]", f"[scoring]\npartitions = {partitions}\nmemory_mib = 0")
    )
    linked.score()
    assert arrears(linked) == EXPECTED
    assert not list((linked.home / "store" / "runs").glob("*"))


def test_only_the_latest_household_if_the_settings_say_so(linked):
    linked.write_node(SETTINGS + 'several_households = "latest"\n')
    found = source(linked)
    assert arrears(linked) == EXPECTED | {11: None, 12: None}
    assert (found.by_person, found.ambiguous) == (2, 2)


def test_an_address_comes_before_the_person(linked):
    linked.write_node(SETTINGS + "[linkage.addresses]\n")
    rows = [*DEBTORS, (None, 5.0, "16 High Street, Sale", *ANNA)]
    linked.tax.batches = [debts(rows)]
    found = source(linked)
    assert arrears(linked) == EXPECTED | {2: 85.0}
    assert (found.by_address, found.by_person) == (1, 3)


def test_a_person_is_asked_about_people_and_the_answer_holds(linked):
    linked.score()
    (row,) = review(linked)
    assert row["uprn"] == "2"
    shown = list(row.values())
    assert "Lomax, born 1974-05-23" in shown
    assert any("lomax, born 1974-05-23" in text for text in shown)
    path = linked.home / "review" / "tax.csv"
    text = path.read_text("utf-8-sig")
    path.write_text(text.replace(f"{row['id']},,", f"{row['id']},yes,"), "utf-8")
    for _ in range(2):
        found = source(linked)
        assert (found.by_review, found.ambiguous) == (1, 0)
        assert arrears(linked) == EXPECTED | {2: 100.0}
    moved = [(12, NEW, *twin) for twin in TWINS]
    linked.people.batches = [people([*KNOWN, *moved])]
    found = source(linked)
    assert (found.by_review, found.ambiguous) == (0, 1)


def test_nhs_numbers_are_asked_for_with_a_legal_basis_alone(linked):
    for book in (linked.tax, linked.people):
        book.batches = [book.frame.drop(Identifier.NHS_NUMBER.column)]
    linked.score()
    assert linked.people.identifiers == [(Identifier.POSTCODE, *NAMES[:3])]
    assert Identifier.NHS_NUMBER not in linked.tax.identifiers[0]
    for book in (linked.tax, linked.people):
        book.batches, book.identifiers = [book.frame], []
    linked.write_node(SETTINGS + 'nhs_number_basis = "COPI Regulations 2002, regulation 3"\n')
    linked.score()
    assert Identifier.NHS_NUMBER in linked.tax.identifiers[0]
    assert Identifier.NHS_NUMBER in linked.people.identifiers[0]


def test_without_the_table_no_identifier_is_asked_for(linked):
    linked.write_node(SETTINGS.replace("[linkage.people]", "").replace('sources = ["people"]', ""))
    found = source(linked)
    assert (found.linked, found.by_person, found.unlinked) == (1, 0, 8)
    assert linked.tax.identifiers == [()]
    assert linked.people.identifiers in ([], [()])


def test_nobody_is_asked_who_lives_where_if_no_record_is_about_people(linked):
    linked.tax.schema = Schema(
        name="debts", level=RecordLevel.HOUSEHOLD, has_date=True, fields=DEBTS.fields
    )
    linked.tax.batches = [debts().drop(TYPES)]
    linked.score()
    assert linked.people.identifiers == []


def test_a_source_that_no_factor_needs_says_where_people_live(linked):
    assert "people" not in LINKED_POLICY
    found = source(linked, "people")
    assert found.fields == ()
    assert found.records == len(KNOWN)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (('sources = ["people"]', 'sources = ["poeple"]'), "'poeple' is not among the sources"),
        (('sources = ["people"]', 'sources = ["homes"]'), "does not say who people are"),
        (('sources = ["people"]', "sources = []"), "sources"),
        (('sources = ["people"]', 'sources = ["people", "people"]'), "named twice"),
        (('["people"]', '["people"]\naccept = 0.4'), "review is above accept"),
        (('["people"]', '["people"]\naccept = 1.0'), "accept"),
        (('["people"]', '["people"]\nnhs_number_basis = ""'), "nhs_number_basis"),
        (('["people"]', '["people"]\nthreshold = 0.9'), "threshold"),
    ],
)
def test_wrong_settings_are_refused(linked, change, problem):
    linked.write_node(SETTINGS.replace(*change))
    with pytest.raises(Problem) as caught:
        linked.score()
    assert caught.value.exit_code is ExitCode.SETTINGS
    assert problem in f"{caught.value.where} {caught.value.problem}"


def test_identifiers_are_nowhere_once_the_run_is_over(linked, caplog, capfd):
    """Only in the review file, which a person must read."""
    caplog.set_level(0)
    linked.tax.batches = [debts(DEBTORS[:2] + DEBTORS[3:])]
    linked.write_node(
        SETTINGS.replace("[scoring]", "[scoring]\nmemory_mib = 0")
        + 'nhs_number_basis = "COPI Regulations 2002, regulation 3"\n'
    )
    summary = linked.score()
    assert arrears(linked) == EXPECTED
    with linked.open() as store:
        tables = store._connection.sql(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'store'"
        ).fetchall()
        assert not [name for _, name in tables if "identifier" in name or "name" in name]
        dumped = [
            str(store._connection.sql(f"SELECT * FROM store.{table}").fetchall())
            for table in {table for table, _ in tables}
        ]
    dumped += [summary.model_dump_json(), caplog.text, *capfd.readouterr()]
    for text in dumped:
        for secret in (SECRET, SECRET.lower(), "9990000018", "1951-08-09"):
            assert secret not in text
    for path in linked.home.rglob("*"):
        if path.is_file() and path.parent.name != "review":
            content = path.read_bytes().lower()
            assert SECRET.lower().encode() not in content, path
            assert b"9990000018" not in content, path


def test_explanations_do_not_name_anybody(linked):
    from folkmoot_node.scoring.explain import explain

    linked.score()
    found = explain(linked.config, linked.plugins, linked.policy, 1, today=TODAY)
    assert "11.00" in str(found)
    assert SECRET not in str(found)
