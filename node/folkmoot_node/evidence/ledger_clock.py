"""When the ledger holds an entry that is dated after the machine's clock, and what ends that.

The clock says in which accounting period a debit is. If an entry lies ahead of it, one of both
times is wrong, and nothing is debited: the clock is slow now, or it was fast when the entry was
made. In the first case somebody has to set it. In the second nothing is wrong any more. The time
of the entry comes, however far ahead it is; or a person decides, by an entry of the audit log
that names the ledger as it is then. Only entries up to that one are excused, and the clock may
not go back behind the decision either.
"""

from __future__ import annotations

from collections.abc import Iterable

from folkmoot_operator.accounts import Operator
from folkmoot_operator.hash_chain import Entry, Head
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import ExitCode, Problem

ACCEPTED = "clock accepted"
"""Action of the audit log by which a person says that the clock is right now."""


def decision(head: Head, by: Operator, reason: str) -> dict[str, str | int]:
    """The entry of the audit log by which a person accepts the clock.

    Args:
        head: Where the ledger ends; what is dated ahead of the clock up to there is excused.
        by: Who decides.
        reason: Why.
    """
    return {"action": ACCEPTED, "ledger": str(head), **by.as_body(), "reason": reason}


def ahead(ledger: Iterable[Entry], decisions: Iterable[Entry], moment: int) -> int | None:
    """The latest time in the ledger that is after `moment` and not excused.

    Args:
        ledger: Its entries, oldest first.
        decisions: The entries of the audit log whose action is `ACCEPTED`, oldest first.
        moment: The time of the clock, seconds since 1970-01-01T00:00:00Z.

    Returns:
        Seconds since 1970-01-01T00:00:00Z; None if the clock may be used.
    """
    entries = tuple(ledger)
    excused, latest = 0, 0
    heads = {Head(entry.sequence, entry.digest) for entry in entries}
    for entry in decisions:
        head = Head.parse(str(entry.body["ledger"]))
        if head in heads:  # else the ledger was cut, or is another one
            excused, latest = head.length, entry.at
    latest = max((latest, *(entry.at for entry in entries if entry.sequence > excused)))
    return latest if latest > moment else None


def behind(latest: int, where: str) -> Problem:
    """What is wrong while an entry lies ahead of the clock, until when, and what to do.

    Args:
        latest: When it ends by itself, seconds since 1970-01-01T00:00:00Z.
        where: The state file.
    """
    return Problem(
        "the machine's clock is behind the last entry of the ledger, which is dated "
        f"{to_text(latest)}, so the accounting period is not certain",
        where=where,
        remedy="Set the clock if it is slow. If it is right, it was fast when the entry was "
        f"made: rounds are answered again from {to_text(latest)} on, or at once after "
        "`folkmoot-node ledger accept-clock --reason TEXT`",
        exit_code=ExitCode.VERIFICATION,
    )
