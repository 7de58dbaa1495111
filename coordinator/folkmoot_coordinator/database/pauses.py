"""Whether people have stopped this coordinator, by its audit log.

While it is paused no round is opened, no answer is taken, and the region's site is closed. Answers
are refused for now: nodes keep them, and send them again.
"""

from __future__ import annotations

import threading
import time

from folkmoot_coordinator.clock import Clock
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import Database
from folkmoot_operator.accounts import Operator
from folkmoot_operator.pauses import (
    ACTIONS,
    PAUSED,
    RESUMED,
    Pause,
    checked_reason,
    pause_of,
    stopped,
)
from folkmoot_operator.problems import ExitCode, Problem

RESUME = "folkmoot-coordinator resume"
"""The command that ends a pause."""
LOOK_SECONDS = 1.0
"""How old what `PauseWatch` says may be."""


def paused(database: Database) -> Pause | None:
    """The pause; None if the coordinator is not paused."""
    return pause_of(audit_log.last(database, ACTIONS))


def require_running(database: Database, what: str) -> None:
    """Checks that the coordinator is not paused.

    Args:
        database: The region's.
        what: What is not done while it is: `no round is opened`.

    Raises:
        Problem: Exit code REFUSED, with since when and why.
    """
    pause = paused(database)
    if pause is not None:
        raise stopped(pause, "this coordinator", what, RESUME)


def pause(database: Database, clock: Clock, reason: str, who: Operator | None = None) -> Pause:
    """Stops the coordinator until `resume`; one that is paused keeps its first reason.

    Raises:
        Problem: Exit code USAGE, if there is no reason.
    """
    reason = checked_reason(reason)
    before = paused(database)
    if before is None:
        _note(database, clock, PAUSED, reason, who)
        before = paused(database)
    assert before is not None
    return before


def resume(database: Database, clock: Clock, reason: str, who: Operator | None = None) -> Pause:
    """Lets the coordinator go on.

    Returns:
        The pause that has ended.

    Raises:
        Problem: Exit code REFUSED, if it is not paused; USAGE, if there is no reason.
    """
    reason, before = checked_reason(reason), paused(database)
    if before is None:
        raise Problem(
            "the coordinator is not paused",
            remedy="Nothing needs to be done",
            exit_code=ExitCode.REFUSED,
        )
    _note(database, clock, RESUMED, reason, who)
    return before


def _note(database: Database, clock: Clock, action: str, reason: str, who: Operator | None) -> None:
    with database.writing() as session:
        audit_log.note(session, clock(), action, {"reason": reason}, who)


class PauseWatch:
    """What many threads ask at each call, without a query for each."""

    def __init__(self, database: Database) -> None:
        """Looks when it is first asked.

        Args:
            database: The region's.
        """
        self._database = database
        self._lock = threading.Lock()
        self._looked_at = float("-inf")
        self._length = -1
        self._found: Pause | None = None

    def pause(self) -> Pause | None:
        """The pause, as it was a second ago at most; None if there was none."""
        with self._lock:
            if time.monotonic() - self._looked_at >= LOOK_SECONDS:
                length = audit_log.head(self._database).length  # one row, where nothing was added
                if length != self._length:
                    self._found = paused(self._database)
                    self._length = length
                self._looked_at = time.monotonic()
            return self._found
