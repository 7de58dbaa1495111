"""Whether the clock of the machine goes on from what it has said before."""

from __future__ import annotations

import time
from collections.abc import Iterator

from sqlalchemy import select

from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import RoundRow
from folkmoot_operator.checks import Finding, State
from folkmoot_operator.moments import to_text


def clock_goes_on(database: Database, now: int) -> Iterator[Finding]:
    """A clock that runs behind what it has said before breaks deadlines and certificates."""
    with database.reading() as session:
        opened = session.scalar(
            select(RoundRow.opened_at).order_by(RoundRow.opened_at.desc()).limit(1)
        )
    if opened is not None and opened > now:
        yield Finding(
            "clock",
            State.FAIL,
            f"the machine says {to_text(now)}, but a round was opened at {to_text(opened)}",
            "Set the clock, and keep it right with NTP",
        )
    else:
        yield Finding("clock", State.OK, f"{to_text(now)} ({time.tzname[0]} on this machine)")
