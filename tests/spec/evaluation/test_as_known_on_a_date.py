"""As known on a date: which records a back-test reads, and which events it counts.

A back-test scores households as they were known on a past date and then looks at what happened to them. What was recorded later
must not reach the score. In these examples the date is 31 March 2026, and the back-test runs on 1 December 2026.
"""

from __future__ import annotations

import datetime

import polars as pl

from folkmoot_node.households.outcomes import outcome_columns, own_events
from folkmoot_node.households.uprn_join import HOUSEHOLD
from folkmoot_node.sources.known_on import KnownRecords
from folkmoot_operator.moments import months_later
from tests.spec.worked import rows

ON = datetime.date(2026, 3, 31)
TODAY = datetime.date(2026, 12, 1)
KINDS = {"inputs": (), "both": ("event",), "outcomes": ("event",)}


def day(text):
    return None if text == "?" else datetime.date.fromisoformat(text)


def is_read(table):
    for row in rows(table):
        known = KnownRecords(
            ON, TODAY, row["dated"] != "no date at all",
            KINDS[row["source of"]], row["source of"] == "outcomes",
        )  # fmt: skip
        records = pl.DataFrame(
            {"record_date": [day(row["dated"].replace("no date at all", "?"))],
             "event": [day(row["event"])]},
            schema={"record_date": pl.Date, "event": pl.Date},
        )  # fmt: skip
        needed, _ = known.needed(records)
        for_score = needed.height == 1 and row["source of"] != "outcomes"
        assert ("yes" if for_score and known.known(needed).height else "no") == row["scored"], row
        keeps = needed.height == 1 and bool(KINDS[row["source of"]]) and row["event"] != "?"
        assert ("yes" if keeps else "no") == row["event kept"], row


def test_records_go_by_their_own_date():
    """`?` is a record whose date is missing in a source that has dates."""
    is_read("""
    | source of | dated          | event      | scored | event kept |
    |-----------|----------------|------------|--------|------------|
    | inputs    | 2026-03-31     | ?          | yes    | no         |
    | inputs    | 2026-04-01     | ?          | no     | no         |
    | inputs    | ?              | ?          | no     | no         |
    | inputs    | no date at all | ?          | yes    | no         |
    """)  # fmt: skip


def test_events_go_by_the_day_on_which_they_happened():
    """An application of March may be recorded in May. It is still an event, and no input."""
    is_read("""
    | source of | dated          | event      | scored | event kept |
    |-----------|----------------|------------|--------|------------|
    | both      | 2026-03-01     | ?          | yes    | no         |
    | both      | 2026-03-01     | 2026-03-01 | yes    | yes        |
    | both      | 2026-05-04     | 2026-03-01 | no     | yes        |
    | both      | 2026-05-04     | ?          | no     | no         |
    | outcomes  | 2026-05-04     | 2026-05-01 | no     | yes        |
    | outcomes  | no date at all | 2026-05-01 | no     | yes        |
    | outcomes  | 2026-05-04     | ?          | no     | no         |
    """)  # fmt: skip


def test_what_counts_before_and_after():
    """`since` is the first record of the home in a frame with dates. Two codes of one day are one event."""
    for row in rows("""
    | events                 | since      | first after the date | before |
    |------------------------|------------|----------------------|--------|
    | 2026-04-01             | 2020-01-01 | 2026-04-01           | no     |
    | 2026-03-31             | 2020-01-01 | ?                    | yes    |
    | 2026-05-02; 2026-05-02 | 2020-01-01 | 2026-05-02           | no     |
    | 2026-09-01; 2026-05-02 | 2020-01-01 | 2026-05-02           | no     |
    | 2025-01-10; 2026-05-02 | 2020-01-01 | 2026-05-02           | yes    |
    | 2025-01-10; 2026-05-02 | 2025-02-01 | 2026-05-02           | no     |
    | 2025-01-10             | ?          | ?                    | yes    |
    """):  # fmt: skip
        events = [day(one.strip()) for one in row["events"].split(";")]
        linked = pl.DataFrame(
            {HOUSEHOLD: pl.Series([0] * len(events), dtype=pl.UInt32), "event": events}
        )
        since = day(row["since"])
        known = None if since is None else pl.Series([since])
        found = outcome_columns(own_events(linked, ["event"], known), 1, ["event"], ON, None)
        assert found["first@event"][0] == day(row["first after the date"]), row
        assert ("yes" if found["before@event"][0] else "no") == row["before"], row


def test_who_had_left_before_the_date():
    """`latest` is the latest record of the home in a frame with dates, until the date: after somebody left, somebody else may
    live there. A frame without dates has who lives there today.
    """
    for row in rows("""
    | left on                | latest     | had left |
    |------------------------|------------|----------|
    | 2026-01-10             | 2020-01-01 | yes      |
    | 2026-01-10             | 2026-01-10 | no       |
    | 2026-01-10             | 2026-02-01 | no       |
    | 2025-01-10; 2026-03-31 | 2026-02-01 | yes      |
    | 2026-04-01             | 2020-01-01 | no       |
    | 2026-01-10             | ?          | no       |
    | ?                      | 2020-01-01 | no       |
    """):  # fmt: skip
        left = [day(one.strip()) for one in row["left on"].split(";")]
        linked = pl.DataFrame(
            {HOUSEHOLD: pl.Series([0] * len(left), dtype=pl.UInt32), "left": left},
            schema_overrides={"left": pl.Date},
        )
        latest = day(row["latest"])
        known = None if latest is None else pl.Series([latest])
        found = outcome_columns(linked, 1, ["left"], ON, known)
        assert ("yes" if found["gone@left"][0] else "no") == row["had left"], row


def test_where_a_horizon_ends():
    for row in rows("""
    | date       | months | last day   |
    |------------|--------|------------|
    | 2026-03-31 | 6      | 2026-09-30 |
    | 2026-01-31 | 1      | 2026-02-28 |
    | 2026-02-28 | 6      | 2026-08-28 |
    | 2026-11-15 | 3      | 2027-02-15 |
    """):  # fmt: skip
        assert months_later(day(row["date"]), int(row["months"])) == day(row["last day"]), row
