"""Checks what the coordinator signed: rounds and receipts."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from folkmoot import answer_codec
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.receipt import RECEIPT_SIGNATURE_DOMAIN, Receipt
from folkmoot.rounds import ROUND_SIGNATURE_DOMAIN
from folkmoot_node.evidence.outbox import Answer, HeldReceipt
from folkmoot_operator.problems import ExitCode, Problem


def is_round_signature(key: bytes, serialised: bytes, signature: bytes) -> bool:
    """True if `signature` is the coordinator's over a serialised round."""
    return _is_signature(key, ROUND_SIGNATURE_DOMAIN + serialised, signature)


def genuine_receipt(key: bytes, council: GssCode, held: HeldReceipt) -> Receipt | None:
    """What a receipt says, or None if it is not the coordinator's for this council."""
    if not _is_signature(key, RECEIPT_SIGNATURE_DOMAIN + held.serialised, held.signature):
        return None
    try:
        receipt = answer_codec.decode_receipt(held.serialised)
    except ContractError:
        return None
    return receipt if receipt.council == council else None


def check_receipt(key: bytes, council: GssCode, answer: Answer, held: HeldReceipt) -> Receipt:
    """Reads a receipt and checks that it is the coordinator's, for this very answer.

    Raises:
        Problem: Exit code VERIFICATION, if it is not.
    """
    receipt = genuine_receipt(key, council, held)
    if receipt is not None and answer.is_receipt(receipt):
        return receipt
    raise Problem(
        f"the receipt for round {answer.round_id} is not the coordinator's for this answer",
        where="coordinator",
        remedy="Report it to the region; the answer itself is kept",
        exit_code=ExitCode.VERIFICATION,
    )


def _is_signature(key: bytes, content: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, content)
    except (InvalidSignature, ValueError):
        return False
    return True
