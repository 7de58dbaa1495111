"""The coordinator's signed proof that it stored an answer."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot.rounds import check_digest, check_round_id

RECEIPT_SIGNATURE_DOMAIN = b"folkmoot.v1.Receipt\0"
"""Prefix of the bytes that a coordinator signs for a receipt."""
MAXIMUM_RECEIPT = 512
"""Bytes of a serialised receipt: three times what one has, so that later versions have room."""
_ANSWERS_DOMAIN = b"folkmoot.v1.Answers\0"


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that an answer was stored, with what it takes to account for it.

    Attributes:
        round_id: Round answered.
        council: Who answered.
        answer_digest: `release_digest` or `refusal_digest` of the answer, 32 bytes.
        received_at: Seconds since 1970-01-01T00:00:00Z.
        round_digest: SHA-256 of the serialised round that was answered, 32 bytes.
        loss: zCDP loss that a release states; zero for a refusal.
        ledger_entry: Hash of the ledger entry that paid for a release, 32 bytes; None for a
            refusal.
    """

    round_id: str
    council: GssCode
    answer_digest: bytes
    received_at: int
    round_digest: bytes
    loss: Rho
    ledger_entry: bytes | None

    def __post_init__(self) -> None:
        check_round_id(self.round_id, "receipt.round_id")
        check_digest(self.answer_digest, "receipt.answer_digest")
        check_digest(self.round_digest, "receipt.round_digest")
        if self.received_at <= 0:
            raise ContractError("receipt.received_at", "is missing", "Give a time")
        if self.ledger_entry is not None:
            check_digest(self.ledger_entry, "receipt.ledger_entry")
        if (self.loss.nano == 0) != (self.ledger_entry is None):
            raise ContractError(
                "receipt.ledger_entry",
                "does not go with the loss",
                "Give both for a release, and neither for a refusal",
            )

    @property
    def is_release(self) -> bool:
        """True for the receipt of a release, false for that of a refusal."""
        return self.ledger_entry is not None


def answers_digest(answers: Iterable[tuple[str, bytes]]) -> bytes:
    """SHA-256 over a council's answers, so that two sides can compare which they hold.

    The digest covers the domain separator, then round id (16 bytes) and answer digest (32
    bytes) of each answer, ascending by round id.

    Args:
        answers: Round id and `answer_digest` of each answer, in any order.

    Returns:
        32 bytes.
    """
    digest = hashlib.sha256(_ANSWERS_DOMAIN)
    for round_id, answer_digest in sorted(answers):
        digest.update(bytes.fromhex(round_id))
        digest.update(answer_digest)
    return digest.digest()
