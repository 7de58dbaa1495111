"""A rehearsed council whose records are all right: found and true must then be the same."""

from __future__ import annotations

import pytest

from folkmoot_rehearsal import disorder, sightings

RATES = (
    "MALFORMED", "BLANK", "REPEATED_ROW", "REPEATED_PERSON", "MOVED", "NOT_RECORDED", "NOT_LISTED",
    "NOT_SURVEYED", "NO_UPRN", "NO_ADDRESS", "NO_UPRN_NO_ADDRESS", "SECOND_ACCOUNT",
)  # fmt: skip


def keep_records_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets this process draw councils without anything wrong, until the end of a test."""
    for name in RATES:
        monkeypatch.setattr(disorder, name, 0.0)
    # Children of two households would be counted in both.
    monkeypatch.setattr(sightings, "TWO_HOUSEHOLDS", 0.0)
