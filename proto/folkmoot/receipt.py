"""The coordinator's signed proof that it stored an answer."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.rounds import check_digest, check_round_id

RECEIPT_SIGNATURE_DOMAIN = b"folkmoot.v1.Receipt\0"
"""Prefix of the bytes that a coordinator signs for a receipt."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """Proof that an answer was stored.

    Attributes:
        round_id: Round answered.
        council: Who answered.
        answer_digest: `release_digest` or `refusal_digest` of the answer, 32 bytes.
        received_at: Seconds since 1970-01-01T00:00:00Z.
    """

    round_id: str
    council: GssCode
    answer_digest: bytes
    received_at: int

    def __post_init__(self) -> None:
        check_round_id(self.round_id, "receipt.round_id")
        check_digest(self.answer_digest, "receipt.answer_digest")
        if self.received_at <= 0:
            raise ContractError("receipt.received_at", "is missing", "Give a time")
