"""What is wrong with a stored answer: by itself, and beside the ledger entry that paid for it."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot_node.evidence.ledger import Debit
from folkmoot_node.evidence.outbox import Answer


def fault_of(answer: Answer, packed: bytes, council: GssCode) -> str:
    """What is wrong with a stored answer by itself; empty if nothing is."""
    try:
        said = answer.reads_as()
    except Exception:  # bytes that were tampered with may fail in any way
        return "was changed: it cannot be read"
    if said.digest != answer.digest:
        return "was changed: it is not what its digest says"
    if said.packed != packed:
        return "was changed: it is not what this program writes for the same answer"
    if said.council != council:
        return f"is an answer of {said.council}"
    if (said.round_id, said.round_digest) != (answer.round_id, answer.round_digest):
        return "says that it is to another round"
    if said.reason != answer.reason:
        return "gives another reason than stands beside it"
    return ""


def unpaid(
    answer: Answer, debit: Debit | None, recovered: Collection[tuple[str, bytes]]
) -> Iterator[str]:
    """What is wrong between a release and the ledger entry that it names."""
    if (answer.round_id, answer.digest) in recovered:
        return
    name = f"the release for round {answer.round_id}"
    header = answer.header()
    if debit is None:
        yield f"{name} was not debited"
    elif debit.entry != header.ledger_entry:
        yield f"{name} was paid for by another ledger entry than the one that is there"
    elif debit.rho != Rho(header.loss.rho_nano):
        yield f"{name} states another loss than its ledger entry"
    elif debit.round_digest != answer.round_digest:
        yield f"{name} was paid for as the answer to another round"
    elif debit.at > answer.stored_at:
        yield f"{name} was stored before it was paid for"
