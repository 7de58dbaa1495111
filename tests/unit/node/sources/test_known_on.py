"""How the records of a source are divided at a date, for scoring, events and linkage."""

from __future__ import annotations

import datetime

import polars as pl
import pytest

from folkmoot_node.pipeline.own_run import begin
from folkmoot_node.pipeline.plan import read_plan
from folkmoot_node.pipeline.read_source import LinkageInputs, SourceReading
from folkmoot_node.sources.connect import ConnectedSource
from folkmoot_node.sources.identifiers import IdentifiersNeeded
from folkmoot_node.sources.known_on import KnownOn, KnownRecords
from folkmoot_node.sources.quarantine import Quarantine
from folkmoot_sdk import Category, Combine, Field, FieldType, RecordLevel, Schema
from folkmoot_sdk.schema import Identifier
from folkmoot_sdk.source import SourceOptions
from tests.unit.node.conftest import ORIGIN, TODAY, Book, in_memory

ON = datetime.date(2026, 3, 31)
EARLY, LATE = datetime.date(2026, 3, 1), datetime.date(2026, 5, 1)


class Kept:
    def __init__(self):
        self.tables = []

    def append(self, partition, table):
        del partition
        self.tables.append(table)

    @property
    def rows(self):
        return pl.concat(self.tables) if self.tables else pl.DataFrame()


@pytest.fixture
def read(tmp_path):
    """Reads people of whom two are known, two were recorded later, and one has no UPRN."""
    schema = Schema(
        "people",
        RecordLevel.PERSON,
        (
            Field("event", FieldType.DATE, Combine.MINIMUM, Category.HOUSING, outcome=True),
            Field("owes", FieldType.NUMBER, Combine.SUM, Category.FINANCE),
        ),
        has_date=True,
        identifiers=(Identifier.SURNAME,),
    )
    book = Book(schema)
    book.batches = [
        pl.DataFrame(
            {
                "uprn": [1, 2, 3, 4, None],
                "record_date": [EARLY, None, LATE, LATE, LATE],
                "event": [None, None, None, EARLY, LATE],
                "owes": [5.0] * 5,
                "identifier_surname": ["Able", "Baker", "Clegg", "Dunn", "Earl"],
            },
            schema_overrides={"uprn": pl.Int64, "event": pl.Date},
        )
    ]
    source = ConnectedSource("people", in_memory("people", book)(SourceOptions()), schema, ORIGIN)
    people, pending, records = Kept(), Kept(), Kept()
    reading = SourceReading(
        source,
        ["owes", "event"],
        ON,
        Quarantine(tmp_path, "people", "0" * 32),
        0.5,
        IdentifiersNeeded(identifiers=(Identifier.SURNAME,), people=True, pending=True),
        KnownRecords(ON, TODAY, True, ("event",), False),
    )
    from concurrent.futures import Future

    partitions = Future()
    partitions.set_result(1)
    said = reading.spread(records, LinkageInputs(people=people, pending=pending), partitions)
    return said, people.rows, pending.rows, records.rows


def test_whoever_was_recorded_later_is_linked_with_nobody(read):
    _, people, _, _ = read
    assert people["identifier_surname"].to_list() == ["Able"]


def test_events_without_a_uprn_are_linked_however_late_they_were_recorded(read):
    _, _, pending, _ = read
    assert pending["identifier_surname"].to_list() == ["Earl"]
    assert pending["event"].to_list() == [LATE]


def test_what_is_neither_known_nor_an_event_is_counted(read):
    said, _, _, records = read
    assert records["uprn"].to_list() == [1, 4]
    assert said.records == 3
    assert sorted(said.left_out.values()) == [1, 1]
    assert said.latest == LATE


def test_other_processes_read_as_of_when_a_run_scores(node):
    known = KnownOn(on=ON, today=TODAY, undated=("people",))
    begun = begin(
        node.config, node.plugins, node.policy, today=TODAY, reference_date=ON, shared=True,
        known=known,
    )  # fmt: skip
    with begun as run:
        assert read_plan(node.config, run.plan.run_id).known == known
