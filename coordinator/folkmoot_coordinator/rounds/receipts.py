"""What is held of a council's answers, for its node to compare with its own records."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from folkmoot.geography import GssCode
from folkmoot.receipt import answers_digest
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import AnswerRow


@dataclass(frozen=True, slots=True)
class SignedReceipt:
    """A receipt as it was first given.

    Attributes:
        receipt: Serialised receipt.
        signature: Ed25519, 64 bytes.
    """

    receipt: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class HeldAnswers:
    """A council's answers that are held here.

    Attributes:
        digest: `folkmoot.receipt.answers_digest` of all of them, 32 bytes.
        receipts: Their receipts, ascending by round; none if the council holds the same.
    """

    digest: bytes
    receipts: tuple[SignedReceipt, ...]


def answers_held(database: Database, council: GssCode, known: bytes) -> HeldAnswers:
    """What is held of a council's answers.

    Args:
        database: Where answers are stored.
        council: Whose.
        known: `answers_digest` of the answers whose receipts the council holds.
    """
    mine = AnswerRow.council == council
    with database.reading() as session:
        held = session.execute(select(AnswerRow.round_id, AnswerRow.digest).where(mine))
        digest = answers_digest((row.round_id, row.digest) for row in held)
        if digest == known:
            return HeldAnswers(digest, ())
        receipts = session.execute(
            select(AnswerRow.receipt, AnswerRow.signature).where(mine).order_by(AnswerRow.round_id)
        )
        return HeldAnswers(
            digest, tuple(SignedReceipt(row.receipt, row.signature) for row in receipts)
        )
