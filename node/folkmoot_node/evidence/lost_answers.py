"""Answers that have left this node and are not in its files, as their receipts prove."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from folkmoot import answer_codec
from folkmoot.receipt import Receipt
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.evidence.ledger import Ledger
from folkmoot_node.evidence.outbox import HeldReceipt


@dataclass(frozen=True, slots=True)
class LostAnswer:
    """An answer that is not in this node's files.

    Attributes:
        receipt: What the receipt says.
        held: The receipt as it was signed; the signature was checked when it was kept.
        found_at: When it was found, seconds since 1970-01-01T00:00:00Z.
    """

    receipt: Receipt
    held: HeldReceipt
    found_at: int


class LostAnswers:
    """The lost answers of one node; they stay on record when they are recovered."""

    def __init__(self, state: StateDatabase, ledger: Ledger) -> None:
        self._state = state
        self._ledger = ledger

    def record(self, found: Iterable[tuple[Receipt, HeldReceipt]], moment: int) -> None:
        """Keeps the receipts of lost answers, durably, each once."""
        with self._state.transaction() as connection:
            connection.executemany(
                "INSERT INTO lost_answers VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
                (
                    (
                        receipt.round_id,
                        receipt.answer_digest,
                        held.serialised,
                        held.signature,
                        moment,
                    )
                    for receipt, held in found
                ),
            )

    def all(self) -> tuple[LostAnswer, ...]:
        """Every one, in the order in which they were found."""
        rows = self._state.reader.execute(
            "SELECT receipt, receipt_signature, found_at FROM lost_answers ORDER BY rowid"
        )
        return tuple(
            LostAnswer(
                answer_codec.decode_receipt(receipt), HeldReceipt(receipt, signature), found_at
            )
            for receipt, signature, found_at in rows.fetchall()
        )

    def outstanding(self) -> tuple[LostAnswer, ...]:
        """Those that are not recovered: while there is one, nothing may leave."""
        found = self.all()
        done = self._ledger.recovered() if found else frozenset()
        return tuple(
            lost
            for lost in found
            if (lost.receipt.round_id, lost.receipt.answer_digest) not in done
        )
