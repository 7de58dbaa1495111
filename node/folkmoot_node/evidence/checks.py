"""Whether the evidence is as it was written, and what is left of the budget."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from folkmoot_node.evidence.database import Clock, StateDatabase
from folkmoot_node.evidence.ledger import Ledger
from folkmoot_node.evidence.pauses import RESUME, Audited, paused
from folkmoot_node.evidence.verification import Verified
from folkmoot_node.policies.release_policy import SignedReleasePolicy
from folkmoot_operator.checks import Check, Finding, State


def budget(load: Callable[[], SignedReleasePolicy], ledger: Ledger, clock: Clock) -> Check:
    """Whether the release policy is signed; says how much of its budget is left."""

    def look() -> str:
        signed = load()
        balance = ledger.balance(signed.policy.loss, clock())
        return (
            f"signed by {signed.signer}; rho {balance.period_remaining} of {balance.cap} "
            f"left in the period, {balance.lifetime_remaining} of {balance.lifetime_cap} "
            "for all time"
        )

    return Check("release policy", look)


def clock_of_ledger(ledger: Ledger, clock: Clock) -> Check:
    """Whether the ledger lets debits be made by the machine's clock."""

    def look() -> str:
        ledger.check_clock(clock())
        return "no entry of the ledger lies ahead of this machine's clock"

    return Check("clock", look)


def unbroken(verify: Callable[[], Verified], require_complete: Callable[[], None]) -> Check:
    """Whether each log and the outbox is whole, and they agree with each other and with receipts.

    Args:
        verify: Checks what is in this node's files; raises `Problem`.
        require_complete: Whether nothing has left that is not in them; raises `Problem`.
    """

    def look() -> str:
        found = verify()
        require_complete()
        return f"ledger of {found.ledger.length} entries, egress log and outbox are unbroken"

    return Check("evidence", look)


def pauses(home: Audited) -> Check:
    """Whether people have stopped this node; one that has left its region is not asked."""

    def look() -> Iterator[Finding]:
        pause = paused(home)
        if pause is None:
            yield Finding("pauses", State.OK, "the node is not paused")
        else:
            remedy = f"When what it was for is settled: `{RESUME} --reason TEXT`"
            yield Finding("pauses", State.FAIL, f"the node is {pause}", remedy)

    return Check("pauses", look)


def pages(state: StateDatabase) -> Check:
    """Whether each page of the state file can be read."""

    def look() -> str:
        state.check_pages()
        return "each page of the state file can be read"

    return Check("database", look)
