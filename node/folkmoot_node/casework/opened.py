"""An opened household: what whatever shows something of a household takes, and never a UPRN."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Opened:
    """A household that may be shown now: the entry of the log is durable.

    Only `Openings.look` makes one (`tests/architecture/test_opened_households.py`).

    Attributes:
        uprn: Unique property reference number.
        household: Its id in addresses and logs.
        case_id: The case for which it was opened.
        reason: As it was stated.
        ends_at: When the reason has to be stated again, seconds since 1970-01-01T00:00:00Z.
        sources: Sensitive sources that may be shown.
    """

    uprn: int
    household: str
    case_id: str
    reason: str
    ends_at: int
    sources: frozenset[str]
