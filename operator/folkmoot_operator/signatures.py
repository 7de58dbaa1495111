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
