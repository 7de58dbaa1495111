"""What a council that follows others has spent before it began.

Councils merge, and the one that follows has another code and a node of its own. Each of its
households was in one of those before, and so in the releases of that one alone: what it has lost is
at most the larger of what they spent. That is what the new ledger begins with, in the accounting
periods that go on and for all time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.evidence.joint_head import ANCHORS, JointHead, anchors
from folkmoot_node.evidence.ledger import INHERITED, Debit, Ledger, counted_from
from folkmoot_operator.hash_chain import Entry
from folkmoot_operator.problems import ExitCode, Problem

_OVER = (0, 1)
"""A period that ended long ago: what counts for all time alone."""


@dataclass(frozen=True, slots=True)
class Spent:
    """What a council had spent when its node ended.

    Attributes:
        council: Its GSS code.
        going_on: In accounting periods that are not over, and those that overlap them.
        period: First second of the earliest of these, and first second after the last.
        lifetime: For all time.
        head: Of all logs of its node.
    """

    council: GssCode
    going_on: Rho
    period: tuple[int, int]
    lifetime: Rho
    head: str

    @classmethod
    def of(cls, council: GssCode, state: StateDatabase, now: int) -> Spent:
        """What a node's ledger says.

        Args:
            council: Whose node it is.
            state: Its state, which was verified.
            now: Seconds since 1970-01-01T00:00:00Z.
        """
        debits = Ledger(state).debits()
        counted = counted_from(debits, now)
        return cls(
            council,
            Rho.total(one.rho for one in counted),
            _around(counted),
            Rho.total(one.rho for one in debits),
            str(JointHead.now(state)),
        )


def inherit(state: StateDatabase, before: Sequence[Spent], moment: int) -> tuple[Rho, Rho]:
    """Enters what the councils before had spent, durably, before anything else is spent.

    Args:
        state: Of the new node.
        before: Of each council before.
        moment: Seconds since 1970-01-01T00:00:00Z.

    Returns:
        What counts in the accounting periods that go on, and for all time.

    Raises:
        Problem: If something is in the ledger already.
    """
    going_on = max(one.going_on for one in before)
    lifetime = max(one.lifetime for one in before)
    periods = [one.period for one in before if one.going_on.nano]
    period = (
        min((start for start, _ in periods), default=_OVER[0]),
        max((end for _, end in periods), default=_OVER[1]),
    )
    chain = state.chain("ledger")
    with state.transaction() as connection:
        if chain.head().length:
            raise Problem(
                "the ledger has entries already: only a node that has just been made can follow "
                "others",
                where=str(state.path),
                remedy="Make a node in another folder with `folkmoot-node init`, and run this "
                "first",
                exit_code=ExitCode.REFUSED,
            )
        for rho, when in ((going_on, period), (Rho(lifetime.nano - going_on.nano), _OVER)):
            body = {
                "kind": INHERITED,
                "round_id": "",
                "round_digest": "",
                "rho_nano": rho.nano,
                "period": list(when),
                "from": [_stated(one) for one in before],
                ANCHORS: anchors(state),
            }
            chain.append(connection, moment, body)
    return going_on, lifetime


def unexplained(entries: Sequence[Entry]) -> str | None:
    """What is wrong with the inherited entries of a ledger; None if they are as they are made.

    They are the first two entries, and say what each council before had spent.
    """
    found = [entry for entry in entries if entry.body["kind"] == INHERITED]
    if not found:
        return None
    if found != list(entries[: len(found)]) or len(found) != 2:
        return "the ledger has inherited entries that are not its first two"
    stated = found[0].body["from"]
    going_on = max(int(one["going_on_nano"]) for one in stated)
    lifetime = max(int(one["lifetime_nano"]) for one in stated)
    if [int(entry.body["rho_nano"]) for entry in found] != [going_on, lifetime - going_on]:
        return "the inherited entries of the ledger are not what the councils before had spent"
    return None


def _stated(one: Spent) -> dict[str, object]:
    return {
        "council": one.council,
        "going_on_nano": one.going_on.nano,
        "lifetime_nano": one.lifetime.nano,
        "period": list(one.period),
        "head": one.head,
    }


def _around(debits: Sequence[Debit]) -> tuple[int, int]:
    if not debits:
        return _OVER
    return min(one.period[0] for one in debits), max(one.period[1] for one in debits)
