"""What both sides of an enrolment must agree on byte for byte."""

from __future__ import annotations

ENROL_AGAIN_SIGNATURE_DOMAIN = b"folkmoot.v1.EnrolAgain\0"
"""Begins what a node signs with the key of a certificate that has ended."""
_DIGITS, _GROUP = 24, 4


def request_fingerprint(key_digest: bytes) -> str:
    """What two people compare before a request is approved: `3f2a 91c0 5be4 07d1 aa26 90fe`.

    Args:
        key_digest: SHA-256 of the public key (SubjectPublicKeyInfo, DER) that was asked for.
    """
    text = key_digest.hex()[:_DIGITS]
    return " ".join(text[at : at + _GROUP] for at in range(0, _DIGITS, _GROUP))
