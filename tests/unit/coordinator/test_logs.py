"""The log: one line an event."""

from __future__ import annotations

import logging

from folkmoot_coordinator.logs import OneLine


def test_a_message_of_several_lines_becomes_one_with_the_time_in_utc() -> None:
    record = logging.LogRecord(
        "x", logging.INFO, "", 0, "failed problem=%s", ("a\n  b\r\nc",), None
    )
    record.created = 1_800_000_000
    assert OneLine().format(record) == "2027-01-15T08:00:00Z INFO failed problem=a b c"
