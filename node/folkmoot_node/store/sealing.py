"""Contents that are sealed beside the store, each sort under a key derived from the store's."""

from __future__ import annotations

import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from folkmoot_node.store.encrypted_file import StoreKey

_NONCE_BYTES = 12


class BrokenSeal(Exception):
    """What was sealed was changed or cut, or sealed for something else or with another key."""


def derived_key(key: StoreKey, purpose: str) -> bytes:
    """A key of 32 bytes from that of the store, different for each purpose."""
    return HKDF(SHA256(), 32, salt=None, info=purpose.encode()).derive(key.encoded.encode())


class Seal:
    """Encrypts contents so that a change to them is found. May be used from several threads.

    Args:
        key: Key of the store.
        purpose: What is sealed; nothing that is sealed for another purpose opens.
    """

    def __init__(self, key: StoreKey, purpose: str) -> None:
        self._cipher = AESGCM(derived_key(key, purpose))

    def seal(self, content: bytes, what: str = "") -> bytes:
        """Encrypts; `what` is needed to open it again."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, what.encode())

    def open(self, sealed: bytes, what: str = "") -> bytes:
        """Decrypts.

        Raises:
            BrokenSeal: If it is not what was sealed as `what`, or the key is another.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], what.encode())
        except (InvalidTag, ValueError):
            raise BrokenSeal from None
