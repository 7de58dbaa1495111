"""Records without a UPRN find their households, by the rules of docs/linkage.md."""

from __future__ import annotations

import csv
import json
import stat
import traceback

import polars as pl
import pytest
from typer.testing import CliRunner

from folkmoot_node.cli import app
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk import (
    Category,
    Combine,
    Field,
    FieldType,
    Identifier,
    RecordLevel,
    Schema,
)
from tests.unit.node.conftest import NODE, TODAY, Book

ADDRESS, POSTCODE = Identifier.ADDRESS.column, Identifier.POSTCODE.column
FRAME = Schema(
    name="gazetteer",
    level=RecordLevel.PROPERTY,
    fields=(
        Field("lsoa", FieldType.AREA, Combine.FIRST, Category.GEOGRAPHY),
        Field("is_communal", FieldType.BOOLEAN, Combine.ANY, Category.HOUSING),
    ),
    identifiers=(Identifier.ADDRESS, Identifier.POSTCODE),
)
TAX = Schema(
    name="council_tax",
    level=RecordLevel.HOUSEHOLD,
    has_date=True,
    fields=(
        Field("council_tax_arrears", FieldType.NUMBER, Combine.SUM, Category.FINANCE, unit="GBP"),
    ),
    identifiers=(Identifier.ADDRESS, Identifier.POSTCODE),
)
LINKED_POLICY = """
schema = 1
name = "Winter support 2026"
purpose = "winter_support"
legal_basis = "Localism Act 2011, s.1"
owner = "Head of Revenues"
sunset = 2027-03-31
[[factors]]
factor = "arrears"
weight = 100
[factors.parameters]
full = 1000
[[bands]]
name = "none"
from = 0
action = "Nothing"
[[bands]]
name = "high"
from = 50
action = "Call"
[attributes.lsoa]
field = "lsoa"
"""
SETTINGS = (
    NODE.replace('frame = "tax"', 'frame = "homes"')
    + """
[[sources]]
name = "homes"
kind = "homes_book"
[linkage.addresses]
"""
)
HOMES = [
    (1, "E01000001", False, "14 HIGH STREET, SALE", "M33 1AA"),
    (2, "E01000001", False, "16 HIGH STREET, SALE", "M33 1AA"),
    (11, "E01000002", False, "ROOM 1, 20 HIGH STREET, SALE", "M33 1AB"),
    (12, "E01000002", False, "ROOM 2, 20 HIGH STREET, SALE", "M33 1AB"),
    (31, "E01000002", True, "THE LIMES CARE HOME, 3 STATION ROAD, SALE", "M33 1AD"),
]
TYPED = [
    (1, 100.0, "14 High Street, Sale", "M33 1AA"),
    (None, 50.0, "14 High St, Sale", "M331AA"),
    (None, 700.0, "Rm 2, 20 High Street", "M33 1AB"),
    (None, 300.0, "20 High Street, Sale", "M33 1AB"),
    (None, 11.0, "The Limes, 3 Station Road", "M33 1AD"),
    (31, 12.0, "The Limes Care Home", "M33 1AD"),
    (None, 13.0, "99 Nowhere Avenue, Penzance", "TR18 1AA"),
    (None, 14.0, None, None),
    (999, 15.0, "14 High Street, Sale", "M33 1AA"),
]


def homes(rows=HOMES):
    return pl.DataFrame(
        rows, ["uprn", "lsoa", "is_communal", ADDRESS, POSTCODE], orient="row"
    ).cast({"uprn": pl.Int64})


def tax(rows=TYPED):
    types = {
        "uprn": pl.Int64, "council_tax_arrears": pl.Float64, ADDRESS: pl.String, POSTCODE: pl.String
    }  # fmt: skip
    frame = pl.DataFrame(rows, types, orient="row")
    return frame.with_columns(pl.lit(TODAY).alias("record_date"))


@pytest.fixture
def linked(node):
    node.tax.schema, node.tax.batches = TAX, [tax()]
    node.extra["homes_book"] = Book(FRAME, [homes()])
    node.write_node(SETTINGS)
    node.write_policy(LINKED_POLICY)
    return node


def arrears(node):
    rows = node.rows()
    return dict(rows.select("uprn", "field_council_tax_arrears").iter_rows())


def review(node):
    with (node.home / "review" / "tax.csv").open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.DictReader(stream))


def decide(node, decisions):
    rows = review(node)
    for row in rows:
        row["decision"] = decisions.get(int(row["uprn"]), "")
    with (node.home / "review" / "tax.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def test_records_count_where_they_belong(linked):
    (found,) = [one for one in linked.score().sources if one.name == "tax"]
    assert arrears(linked) == {1: 150.0, 2: None, 11: None, 12: 700.0}
    assert (found.records, found.no_uprn, found.linked) == (9, 6, 3)
    assert (found.by_uprn, found.by_address, found.by_review) == (1, 2, 0)
    assert (found.communal, found.ambiguous, found.unlinked, found.not_in_frame) == (2, 1, 2, 1)
    assert found.linked_areas == {"E01000001": 2, "E01000002": 1}
    assert found.unlinked_sectors == {"M33 1": 1, "TR18 1": 1, "no identifiers": 1}


def test_every_record_is_counted_once(linked):
    for one in linked.score().sources:
        ways = one.by_uprn + one.by_address + one.by_person + one.by_review
        assert ways == one.linked
        others = one.ambiguous + one.unlinked + one.communal + one.not_in_frame
        assert ways + others == one.records


@pytest.mark.slow
@pytest.mark.parametrize("partitions", [1, 64])
def test_partitions_and_files_make_no_difference(linked, partitions):
    linked.write_node(
        SETTINGS.replace("[scoring]", f"[scoring]\npartitions = {partitions}\nmemory_mib = 0")
    )
    (found,) = [one for one in linked.score().sources if one.name == "tax"]
    assert arrears(linked) == {1: 150.0, 2: None, 11: None, 12: 700.0}
    assert (found.linked, found.communal, found.not_in_frame) == (3, 2, 1)
    assert not list((linked.home / "store" / "runs").glob("*"))


@pytest.mark.slow
def test_communal_establishments_are_households_if_the_settings_say_so(linked):
    linked.write_node(SETTINGS + "\n[linkage]\ncommunal_households = true\n")
    (found,) = [one for one in linked.score().sources if one.name == "tax"]
    assert arrears(linked)[31] == 23.0
    assert (found.linked, found.communal) == (5, 0)


def test_without_the_table_nothing_is_linked_and_no_identifier_is_asked_for(linked):
    linked.write_node(SETTINGS.replace("[linkage.addresses]", ""))
    asked = []
    linked.tax.before_batch = lambda context: asked.append(tuple(context.identifiers))
    linked.tax.batches = [tax().drop(ADDRESS, POSTCODE)]
    linked.extra["homes_book"].batches = [homes().drop(ADDRESS, POSTCODE)]
    (found,) = [one for one in linked.score().sources if one.name == "tax"]
    assert (found.linked, found.by_address, found.unlinked, found.communal) == (1, 0, 6, 1)
    assert asked == [()]


def test_a_frame_without_addresses_is_refused(linked):
    linked.write_node(SETTINGS.replace('frame = "homes"', 'frame = "people"'))
    with pytest.raises(Problem, match="the frame 'people' gives none") as caught:
        linked.score()
    assert caught.value.exit_code is ExitCode.SETTINGS


def test_a_person_is_asked_about_each_candidate_once(linked):
    linked.tax.batches = [tax(), tax(TYPED[3:4])]
    linked.score()
    rows = review(linked)
    assert {row["uprn"] for row in rows} == {"11", "12"}
    assert {row["as_typed"] for row in rows} == {"20 High Street, Sale"}
    assert {(row["file"], row["row"]) for row in rows} == {("tax_book-0.csv", "5")}
    assert {row["decision"] for row in rows} == {""}
    path = linked.home / "review" / "tax.csv"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


@pytest.mark.slow
def test_a_decision_holds_in_later_runs_wherever_the_record_stands(linked):
    linked.score()
    decide(linked, {12: "Yes", 11: "no"})
    linked.tax.batches = [tax(TYPED[::-1])]
    (found,) = [one for one in linked.score().sources if one.name == "tax"]
    assert arrears(linked)[12] == 1000.0
    assert (found.by_review, found.ambiguous) == (1, 0)
    assert not (linked.home / "review" / "tax.csv").exists()
    again = [one for one in linked.score().sources if one.name == "tax"]
    assert again[0].by_review == 1


@pytest.mark.slow
def test_a_home_that_is_refused_is_not_asked_about_again(linked):
    linked.score()
    decide(linked, {11: "n"})
    linked.score()
    assert {row["uprn"] for row in review(linked)} == {"12"}
    decide(linked, {12: "N"})
    (found,) = [one for one in linked.score().sources if one.name == "tax"]
    assert (found.ambiguous, found.unlinked) == (0, 3)


@pytest.mark.slow
def test_a_confirmed_home_that_has_gone_is_asked_about_anew(linked):
    linked.score()
    decide(linked, {12: "yes"})
    linked.extra["homes_book"].batches = [homes(HOMES[:3] + HOMES[4:])]
    (found,) = [one for one in linked.score().sources if one.name == "tax"]
    assert (found.by_review, found.ambiguous) == (0, 2)  # and the record that named room 2


@pytest.mark.slow
def test_a_malformed_decision_stops_the_run_and_leaves_the_scores(linked):
    linked.score()
    before = arrears(linked)
    decide(linked, {12: "perhaps"})
    with pytest.raises(Problem, match="neither yes nor no") as caught:
        linked.score()
    assert caught.value.exit_code is ExitCode.DATA
    assert caught.value.where.endswith("tax.csv: row 3")
    assert arrears(linked) == before
    assert [row["decision"] for row in review(linked)] == ["", "perhaps"]


def test_a_formula_in_an_address_stays_text(linked):
    typed = '=HYPERLINK("http://x") 20 High Street, Sale'
    linked.tax.batches = [tax([*TYPED, (None, 1.0, typed, "M33 1AB")])]
    linked.score()
    shown = {row["as_typed"] for row in review(linked)}
    assert any(text.startswith("'=") for text in shown)
    assert not any(text.startswith("=") for text in shown)


SECRET = "Zyxwv Cottage"


def test_identifiers_are_nowhere_once_the_run_is_over(linked, caplog, capfd):
    """Only the review file, which a person must read, and what it asks about."""
    caplog.set_level(0)
    rows = [*TYPED, (None, 1.0, f"14 High Street, {SECRET}, Sale", "M33 1AA")]
    linked.tax.batches = [tax(rows)]
    linked.write_node(SETTINGS.replace("[scoring]", "[scoring]\nmemory_mib = 0"))
    summary = linked.score()
    with linked.open() as store:
        tables = store._connection.sql(
            "SELECT table_name, column_name FROM duckdb_columns() WHERE database_name = 'store'"
        ).fetchall()
        assert not [name for _, name in tables if "identifier" in name or "address" in name]
        dumped = [
            str(store._connection.sql(f"SELECT * FROM store.{table}").fetchall())
            for table in {table for table, _ in tables}
        ]
    dumped += [summary.model_dump_json(), caplog.text, *capfd.readouterr()]
    for text in dumped:
        assert SECRET not in text
        assert "High Street" not in text
    for path in linked.home.rglob("*"):
        if path.is_file() and path.parent.name != "review":
            assert SECRET.encode() not in path.read_bytes(), path
            assert b"High Street" not in path.read_bytes(), path


def test_a_fault_of_the_libraries_quotes_nobody(linked, monkeypatch):
    from folkmoot_node.linkage.address_matcher import Matcher

    def breaks(self, typed):
        raise RuntimeError(f"cannot cast {typed['address'].to_list()}")

    monkeypatch.setattr(Matcher, "match", breaks)
    with pytest.raises(Problem, match=r"RuntimeError at test_link\.py") as caught:
        linked.score()
    assert caught.value.exit_code is ExitCode.FAULT
    shown = "".join(traceback.format_exception(caught.value))
    assert "cannot cast [" not in shown
    assert "HIGH ST" not in shown


def test_the_commands_show_what_was_linked_and_what_waits(linked):
    from folkmoot_node.evidence.database import StateDatabase

    StateDatabase(linked.home / "state.sqlite", create=True).close()
    linked.score()
    run = CliRunner()
    home = ["--home", str(linked.home)]
    shown = run.invoke(app, ["linkage", "report", "--areas", *home], terminal_width=200)
    assert shown.exit_code == 0, shown.output
    for text in ("By address", "E01000001", "TR18 1", "no identifiers"):
        assert text in shown.output
    figures = json.loads(run.invoke(app, ["linkage", "report", "--json", *home]).output)
    (one,) = [entry for entry in figures["sources"] if entry["source"] == "tax"]
    assert one["by_address"] == 2
    assert figures["linked_areas"]["tax"] == {"E01000001": 2, "E01000002": 1}
    waits = json.loads(run.invoke(app, ["linkage", "review", "--json", *home]).output)
    (entry,) = [row for row in waits["reviews"] if row["source"] == "tax"]
    assert (entry["questions"], entry["pairs"]) == (1, 2)
    assert entry["file"].endswith("review/tax.csv")
