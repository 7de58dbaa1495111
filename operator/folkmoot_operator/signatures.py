"""Ed25519 signatures (RFC 8032), as every program of Folkmoot makes and checks them.

What is signed begins with what it is, so that a signature of one kind of document is never valid
for another, whatever is in them.
"""

from __future__ import annotations

from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from folkmoot_operator.private_files import write_private

KEY_BYTES = 32
"""Length of a public key."""
_SIGN = 0x7F
"""All but the last bit of a key's last byte, which is the sign of a coordinate."""
_SMALL_ORDER = frozenset(
    bytes.fromhex(key)
    for key in (
        "00" * 32,
        "01" + "00" * 31,
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "ec" + "ff" * 30 + "7f",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)
"""Keys that nobody holds, for which one signature fits many statements: points of small order."""


def domain(kind: str) -> bytes:
    """What stands in front of a statement that is signed.

    Args:
        kind: The kind of document, for people: `release policy`.
    """
    return f"folkmoot {kind}".encode() + b"\0"


def is_valid(key: bytes, signature: bytes, statement: bytes) -> bool:
    """Whether a signature of a statement was made with a key.

    Args:
        key: Ed25519 public key, 32 bytes.
        signature: 64 bytes.
        statement: What was signed, domain included.
    """
    if key[:-1] + bytes(byte & _SIGN for byte in key[-1:]) in _SMALL_ORDER:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def create_key(path: Path) -> Ed25519PrivateKey:
    """Makes a new private key and keeps it in a private file, PEM without a password.

    Args:
        path: The file, in a folder that exists.

    Raises:
        FileExistsError: If there is a file of this name; it stays as it is.
    """
    key = Ed25519PrivateKey.generate()
    content = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_private(path, content, replace=False)
    return key
