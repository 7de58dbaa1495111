"""The key with which rounds and receipts are signed: Ed25519 (RFC 8032)."""

from __future__ import annotations

from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from folkmoot_operator.key_files import KeyFile
from folkmoot_operator.service_manager import key_file
from folkmoot_operator.signatures import create_key

_KEY_FILE = "signing.key"
_REMEDY = (
    "Restore it from its backup; nodes accept no other key. Without one, make a new coordinator "
    "with `folkmoot-coordinator init` in another folder, and invite every council again"
)


class SigningKey:
    """Signs what the coordinator says, so that nodes can hold it to its word."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @classmethod
    def create(cls, folder: Path) -> SigningKey:
        """Makes a new key and keeps it in `folder`."""
        return cls(create_key(folder / _KEY_FILE))

    @classmethod
    def load(cls, folder: Path) -> SigningKey:
        """Reads the key kept in `folder`, or the service's credential `signing.key`.

        Raises:
            Problem: If it is missing or not an Ed25519 key.
            UnusableFile: If the file cannot be used now.
        """
        file = KeyFile(key_file(folder / _KEY_FILE), "the signing key", _REMEDY)
        return cls(file.ed25519_key())

    @property
    def public(self) -> bytes:
        """The public key, 32 bytes."""
        return self._key.public_key().public_bytes_raw()

    def sign(self, domain: bytes, message: bytes) -> bytes:
        """Signature over `domain` followed by `message`, 64 bytes."""
        return self._key.sign(domain + message)
