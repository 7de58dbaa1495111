"""Reconciliation: what has left this node, by its own records and by the coordinator's.

A node whose files were restored from a backup, or made again, does not know what has left
it since. It would draw fresh noise for rounds that it has answered, and spend a budget that
is spent. So it asks, at each visit and before anything else, which of its answers the
coordinator holds. Each is proved by a receipt, signed by the coordinator, that names the
answer, the loss and the ledger entry that paid. One that is not in the node's own records
is kept as lost, and while a lost answer is outstanding nothing leaves.

What a coordinator hides cannot be found by asking it: see `Head`, which people can note
elsewhere, and `witnesses`, which the node itself asks.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from folkmoot.privacy import Rho
from folkmoot.receipt import Receipt, answers_digest
from folkmoot_node.answering.witnesses import require_witnessed
from folkmoot_node.evidence.lost_answers import LostAnswer
from folkmoot_node.evidence.outbox import HeldReceipt
from folkmoot_node.evidence.restored import note_compared
from folkmoot_node.evidence.signatures import genuine_receipt
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    from folkmoot_node.federation.client import CoordinatorClient
    from folkmoot_node.home import NodeHome

CLOCK_TOLERANCE = 86_400
"""Seconds by which the clocks of node and coordinator may differ before nothing is answered."""
MAX_LOST = 1_000
"""Lost answers that are kept on record at one visit: a coordinator can invent any number."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """What the coordinator's records say beside the node's.

    Attributes:
        known: Answers that both hold, or that are on record here as lost.
        lost_there: Rounds whose answer has a receipt here and is not held there any more:
            the coordinator was restored from an older backup.
        clock_ahead: Seconds by which this machine's clock is ahead of the coordinator's.
    """

    known: int
    lost_there: frozenset[str]
    clock_ahead: int


def reconcile(home: NodeHome, client: CoordinatorClient, protocol: int) -> Comparison:
    """Compares records with the coordinator, and stops if something was lost here.

    Raises:
        Problem: VERIFICATION, if an answer has left that this node's files do not hold;
            UNREACHABLE, if the clocks are far apart.
    """
    comparison = compare(home, client, protocol)
    require_complete(home)
    require_same_time(comparison)
    require_witnessed(home)
    note_compared(home.state, home.clock())
    return comparison


def require_same_time(comparison: Comparison) -> None:
    """Checks that the clocks of node and coordinator are close enough to spend by.

    Raises:
        Problem: Exit code UNREACHABLE, saying which is ahead.
    """
    if abs(comparison.clock_ahead) > CLOCK_TOLERANCE:
        direction = "ahead of" if comparison.clock_ahead > 0 else "behind"
        raise Problem(
            f"this machine's clock is {abs(comparison.clock_ahead) / 86_400:.1f} days "
            f"{direction} the coordinator's, so the accounting period is not certain",
            remedy="Set the clock of this machine, or ask the region to set its own",
            exit_code=ExitCode.UNREACHABLE,
        )


def compare(home: NodeHome, client: CoordinatorClient, protocol: int) -> Comparison:
    """Asks the coordinator what it holds, and keeps on record what was lost here.

    Raises:
        Problem: If the coordinator cannot be reached, or its list contradicts itself.
    """
    key, council = home.identity().signing_key, home.config.council
    own: dict[HeldReceipt, Receipt] = {}
    for held in (*home.outbox.receipts(), *(lost.held for lost in home.lost_answers.all())):
        # Receipts of a region that the node belonged to before are not this coordinator's.
        receipt = genuine_receipt(key, council, held)
        if receipt is not None:
            own[held] = receipt
    mine = _answers(own.values())
    found = _Found(home)
    for held, receipt in own.items():
        found.look_at(receipt, held)
    listed: set[tuple[str, bytes]] = set()

    def take(held: HeldReceipt) -> None:
        """Checks a receipt as it comes; of those in order nothing is kept but which they are."""
        receipt = own.get(held) or genuine_receipt(key, council, held)
        if receipt is None:
            raise _contradiction("lists a receipt that it did not sign for this council")
        which = (receipt.round_id, receipt.answer_digest)
        if which in listed:
            raise _contradiction("lists a receipt twice")
        listed.add(which)
        if held not in own:
            found.look_at(receipt, held)

    account = client.receipts(protocol, answers_digest(mine), take)
    same = account.digest == answers_digest(mine)
    if not same and answers_digest(listed) != account.digest:
        raise _contradiction("lists other receipts than it says it holds")
    if found.lost:
        home.lost_answers.record(found.lost, home.clock())
    theirs = mine if same else listed
    return Comparison(
        known=len(theirs),
        lost_there=frozenset(dict(mine)) - frozenset(dict(theirs)),
        clock_ahead=home.clock() - account.at,
    )


def require_complete(home: NodeHome) -> None:
    """Checks that no answer is on record as lost and not recovered.

    Raises:
        Problem: Exit code VERIFICATION, saying what happened and how to fix it.
    """
    outstanding = home.lost_answers.outstanding()
    if not outstanding:
        return
    rounds = sorted({lost.receipt.round_id[:12] for lost in outstanding})
    named = ", ".join(rounds[:_NAMED]) + (" ..." if len(rounds) > _NAMED else "")
    raise Problem(
        f"{len(outstanding)} answers have left this council that are not in this node's files "
        f"(rounds {named}): the files are older than what has left. They were restored from a "
        "backup or made again, or a second node answers for this council",
        where=str(home.state.path),
        remedy="Nothing is answered. If a newer copy of the node's folder exists, put it back; "
        "else `folkmoot-node ledger recover` counts what was spent and leaves these rounds "
        "answered",
        exit_code=ExitCode.VERIFICATION,
    )


def recover(home: NodeHome, lost: LostAnswer) -> Rho:
    """Counts what a lost answer spent, and marks its round as answered. Done once.

    Returns:
        The loss that is debited for it.

    Raises:
        Problem: If the release policy is not signed, the receipt contradicts the round that
            this node has seen, or the ledger cannot be trusted.
    """
    signed, receipt, book = home.release_policy(), lost.receipt, home.round_book()
    seen = book.find(receipt.round_id)
    if (
        seen is not None
        and receipt.is_release
        and (seen.digest != receipt.round_digest or receipt.loss not in book.question(seen).charges)
    ):
        raise Problem(
            f"the receipt for round {receipt.round_id} is for another question or loss than the "
            "round that this node has seen",
            where="coordinator",
            remedy="Report it to the region; nothing is released until it is cleared up",
            exit_code=ExitCode.VERIFICATION,
        )
    # In this order: until the ledger has it, the answer is outstanding and nothing leaves.
    home.outbox.store_recovered(receipt, lost.held, home.clock())
    return home.ledger.recover(receipt, signed.policy.loss, signed.digest, home.clock())


_NAMED = 5


class _Found:
    """Receipts whose answer or ledger entry is not in this node's files, as far as looked at.

    Attributes:
        lost: They, at most `MAX_LOST`: while there is one nothing leaves, and those after
            them are found when they are recovered.
    """

    def __init__(self, home: NodeHome) -> None:
        self.lost: list[tuple[Receipt, HeldReceipt]] = []
        self._answers = home.outbox.digests()
        self._recovered = home.ledger.recovered()
        self._paid = home.ledger.paid()

    def look_at(self, receipt: Receipt, held: HeldReceipt) -> None:
        """Takes a genuine receipt if something is missing here that it proves."""
        recovered = (receipt.round_id, receipt.answer_digest) in self._recovered
        answered = self._answers.get(receipt.round_id) == receipt.answer_digest
        paid = (receipt.round_id, receipt.ledger_entry) in self._paid or not receipt.is_release
        if not recovered and not (answered and paid) and len(self.lost) < MAX_LOST:
            self.lost.append((receipt, held))


def _answers(receipts: Iterable[Receipt]) -> set[tuple[str, bytes]]:
    return {(receipt.round_id, receipt.answer_digest) for receipt in receipts}


def _contradiction(what: str) -> Problem:
    return Problem(
        f"the coordinator {what}",
        where="coordinator",
        remedy="Report it to the region; nothing is answered until it is cleared up",
        exit_code=ExitCode.VERIFICATION,
    )
