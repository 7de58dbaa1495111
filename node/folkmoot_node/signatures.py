"""Checks what the coordinator signed: rounds and receipts."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from folkmoot import codec
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.receipt import RECEIPT_SIGNATURE_DOMAIN, Receipt
from folkmoot.rounds import ROUND_SIGNATURE_DOMAIN
from folkmoot_node.outbox import Answer
from folkmoot_operator.problems import ExitCode, Problem


def is_round_signature(key: bytes, serialised: bytes, signature: bytes) -> bool:
    """True if `signature` is the coordinator's over a serialised round."""
    return _is_signature(key, ROUND_SIGNATURE_DOMAIN + serialised, signature)


def check_receipt(
    key: bytes, council: GssCode, answer: Answer, serialised: bytes, signature: bytes
) -> Receipt:
    """Reads a receipt and checks that it is the coordinator's, for this very answer.

    Raises:
        Problem: Exit code VERIFICATION, if it is not.
    """
    try:
        receipt = codec.decode_receipt(serialised)
        genuine = _is_signature(key, RECEIPT_SIGNATURE_DOMAIN + serialised, signature)
    except ContractError:
        genuine = False
    else:
        genuine = genuine and (
            (receipt.round_id, receipt.council, receipt.answer_digest)
            == (answer.round_id, council, answer.digest)
        )
        if genuine:
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
