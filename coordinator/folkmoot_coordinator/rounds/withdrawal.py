"""Results that turned out to be wrong: marked everywhere, with a reason, and kept.

What was published cannot be called back, so figures are not deleted: whoever has a copy must be
able to find out that it is wrong, and why.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from folkmoot.rounds import RoundState
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import RoundRow
from folkmoot_operator import moments
from folkmoot_operator.accounts import Operator
from folkmoot_operator.problems import ExitCode, Problem

MAX_REASON = 1000
"""Most characters of a reason."""
MARK = "WITHDRAWN: "
"""Begins the title of a result that was withdrawn."""
WITHDRAWN, REINSTATED = "result withdrawn", "result reinstated"
"""Actions of the audit log."""


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """That a result is wrong.

    Attributes:
        at: When that was said, seconds since 1970-01-01T00:00:00Z.
        reason: Why, for readers.
        with_round: Position of the round of its series that was withdrawn, whose counts are in the
            result too; None if it was withdrawn itself.
    """

    at: int
    reason: str
    with_round: int | None = None

    def __str__(self) -> str:
        day = moments.day(self.at)
        which = "" if self.with_round is None else f" with round {self.with_round} of its series"
        return f"withdrawn{which} on {day.day} {day:%B %Y}: {self.reason}"

    def facts(self) -> dict[str, Any]:
        """For `--json` and metadata."""
        return {
            "at": moments.to_text(self.at),
            "reason": self.reason,
            "statement": f"This result was {self}. Its figures are wrong: do not use them.",
        }

    @classmethod
    def of(cls, row: RoundRow) -> Withdrawal | None:
        """That of a stored round; None if its result stands."""
        if row.withdrawn_at is None:
            return None
        return cls(row.withdrawn_at, row.withdrawn_reason or "")


def withdraw(
    database: Database, round_id: str, reason: str, now: int, who: Operator | str | None = None
) -> Withdrawal:
    """Marks the result of a round as wrong.

    Args:
        database: Where the round is.
        round_id: Its whole id.
        reason: What readers are told.
        now: Seconds since 1970-01-01T00:00:00Z.
        who: An account; None for whoever runs this process.

    Raises:
        Problem: USAGE if the reason is no line of text; REFUSED if the round has no result, or
            that is withdrawn already.
    """
    reason = check_reason(reason)
    with database.writing() as session:
        row = session.get_one(RoundRow, round_id, with_for_update=True)
        if RoundState(row.state) not in (RoundState.COMPLETE, RoundState.PARTIAL):
            raise _refused(
                round_id,
                f"has no result to withdraw: it is {RoundState(row.state).name.lower()}",
                "Close an open round with `folkmoot-coordinator round close`; nothing is "
                "published of a round that is open or void",
            )
        if row.withdrawn_at is not None:
            raise _refused(
                round_id,
                f"was {Withdrawal.of(row)} already",
                "Take that back with --undo, then give another reason",
            )
        row.withdrawn_at, row.withdrawn_reason = now, reason
        audit_log.note(session, now, WITHDRAWN, {"round": round_id, "reason": reason}, who)
    return Withdrawal(now, reason)


def reinstate(
    database: Database, round_id: str, reason: str, now: int, who: Operator | str | None = None
) -> None:
    """Takes back that a result is wrong; the audit log keeps both. See `withdraw`.

    Raises:
        Problem: USAGE if the reason is no line of text; REFUSED if the result was not withdrawn.
    """
    reason = check_reason(reason)
    with database.writing() as session:
        row = session.get_one(RoundRow, round_id, with_for_update=True)
        if row.withdrawn_at is None:
            raise _refused(
                round_id, "is not withdrawn", "`folkmoot-coordinator round list` shows which are"
            )
        row.withdrawn_at = row.withdrawn_reason = None
        audit_log.note(session, now, REINSTATED, {"round": round_id, "reason": reason}, who)


def check_reason(reason: str) -> str:
    """A reason for people, on one line.

    Raises:
        Problem: USAGE if it is empty, too long or has characters that cannot be printed.
    """
    text = " ".join(reason.split())
    if text and text.isprintable() and len(text) <= MAX_REASON:
        return text
    raise Problem(
        f"is not a line of text of 1 to {MAX_REASON} characters",
        where="reason",
        remedy="Say in a sentence what is wrong, for those who read the figures",
        exit_code=ExitCode.USAGE,
    )


def _refused(round_id: str, problem: str, remedy: str) -> Problem:
    return Problem(problem, where=f"round {round_id}", remedy=remedy, exit_code=ExitCode.REFUSED)
