"""Whether the evidence is as it was written, and what is left of the budget."""

from __future__ import annotations

from collections.abc import Callable

from folkmoot_node.evidence.database import Clock
from folkmoot_node.evidence.egress_log import EgressLog
from folkmoot_node.evidence.ledger import Ledger
from folkmoot_node.evidence.outbox import Outbox
from folkmoot_node.policies.release_policy import SignedReleasePolicy
from folkmoot_operator.checks import Check
from folkmoot_operator.hash_chain import HashChain


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


def unbroken(
    ledger: Ledger,
    egress: EgressLog,
    audit: HashChain,
    outbox: Outbox,
    agree: tuple[Callable[[], object], ...],
) -> Check:
    """Whether each log and the outbox is whole, and they agree with each other.

    Args:
        ledger: Of debits.
        egress: Of what has left.
        audit: Of what people did.
        outbox: The answers.
        agree: Comparisons of them, which need to know more than this package. Each raises a
            `Problem` if something does not agree.
    """

    def look() -> str:
        entries = ledger.verify().length
        egress.verify()
        audit.verify()
        outbox.verify()
        for compare in agree:
            compare()
        return f"ledger of {entries} entries, egress log and outbox are unbroken"

    return Check("evidence", look)
