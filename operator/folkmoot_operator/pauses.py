"""A program that people have stopped: read from its audit log, so that restarts do not end it.

The last entry that says either counts. Whoever stops says why; the reason is shown to people who
meet the stopped program, so it names nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from folkmoot_operator.accounts import Operator, body_of_account
from folkmoot_operator.hash_chain import Entry
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import ExitCode, Problem

PAUSED, RESUMED = "paused", "pause ended"
ACTIONS = (PAUSED, RESUMED)
"""Those of an audit log that say whether a program is stopped."""
MAX_REASON = 500
"""Characters of a reason, at most."""
MAX_NAME = 200
"""Characters of the name and role of a person who decides, at most."""


@dataclass(frozen=True, slots=True)
class Pause:
    """That a program is stopped.

    Attributes:
        at: Since when, seconds since 1970-01-01T00:00:00Z.
        reason: Why, for people.
        by: Account of who stopped it.
        is_final: Whether it does not go on: a council that has left its region.
    """

    at: int
    reason: str
    by: str
    is_final: bool = False

    def __str__(self) -> str:
        return f"paused since {to_text(self.at)}: {self.reason}"

    def as_json(self) -> dict[str, Any]:
        """For programs: `since`, `reason`, `by` and `final`."""
        return {
            "since": to_text(self.at),
            "reason": self.reason,
            "by": self.by,
            "final": self.is_final,
        }


def pause_of(last: Entry | None) -> Pause | None:
    """What the last entry about it says.

    Args:
        last: The newest entry of an audit log whose action is among `ACTIONS`; None if there is
            none.

    Returns:
        None if the program is not stopped.
    """
    if last is None or last.body.get("action") != PAUSED:
        return None
    body = last.body
    return Pause(last.at, str(body["reason"]), str(body["by"]), bool(body.get("final", False)))


def entry_of(
    action: str, reason: str, who: Operator | str, *, is_final: bool = False
) -> Mapping[str, Any]:
    """What an audit log says of a pause, or of its end.

    Args:
        action: One of `ACTIONS`.
        reason: Why.
        who: Who decided it.
        is_final: Whether it does not go on any more.

    Raises:
        Problem: Exit code USAGE, if the reason is empty or too long.
    """
    return {
        "action": action,
        **body_of_account(who),
        "reason": checked_reason(reason),
        **({"final": 1} if is_final else {}),
    }


def checked_reason(reason: str) -> str:
    """A reason on one line, without blanks around it.

    Raises:
        Problem: Exit code USAGE, if it is empty or too long.
    """
    text = " ".join(reason.split())
    if not text or len(text) > MAX_REASON or not text.isprintable():
        raise Problem(
            f"the reason is empty, has more than {MAX_REASON} characters, or control characters",
            where="--reason",
            remedy="Say in a few words why, for people; name nobody",
            exit_code=ExitCode.USAGE,
        )
    return text


def checked_name(name: str) -> str:
    """Name and role of a person who decides, on one line and without blanks around it.

    Raises:
        Problem: Exit code USAGE, if it is empty or too long.
    """
    text = " ".join(name.split())
    if not text or len(text) > MAX_NAME or not text.isprintable():
        raise Problem(
            f"the name is empty, has more than {MAX_NAME} characters, or control characters",
            where="--by",
            remedy="Give the name and role of the person who decides",
            exit_code=ExitCode.USAGE,
        )
    return text


def stopped(pause: Pause, program: str, what: str, command: str) -> Problem:
    """The problem that something is not done since the program is stopped.

    Args:
        pause: The pause.
        program: What it is called: `this node`.
        what: What does not go on: `nothing is scored`.
        command: That ends the pause.
    """
    remedy = (
        "The council has left its region: make a new node to join one again"
        if pause.is_final
        else f"When what it was for is settled: `{command} --reason TEXT`"
    )
    return Problem(f"{program} is {pause}; {what}", remedy=remedy, exit_code=ExitCode.REFUSED)
