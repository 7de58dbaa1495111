"""Signatures of Ed25519: valid for a key that somebody holds, a statement and a kind."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from folkmoot_operator.key_files import KeyFile
from folkmoot_operator.signatures import create_key, domain, is_valid

KEY = Ed25519PrivateKey.generate()
PUBLIC = KEY.public_key().public_bytes_raw()


def test_a_signature_is_valid_for_its_statement_and_key() -> None:
    signature = KEY.sign(b"said")
    other = Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    assert is_valid(PUBLIC, signature, b"said")
    assert not is_valid(PUBLIC, signature, b"said ")
    assert not is_valid(other, signature, b"said")
    assert not is_valid(PUBLIC, signature[:-1], b"said")
    assert not is_valid(PUBLIC[:-1], signature, b"said")
    assert not is_valid(b"", b"", b"")


@pytest.mark.parametrize("first", [0, 1, 0xEC, 0xED, 0xEE])
@pytest.mark.parametrize("sign", [0, 0x80])
def test_a_key_that_nobody_holds_signs_nothing(first: int, sign: int) -> None:
    rest, last = (b"\0", 0) if first < 2 else (b"\xff", 0x7F)
    key = bytes([first]) + rest * 30 + bytes([last | sign])
    neutral = bytes([1]) + bytes(63)  # fits any statement under such a key
    for number in range(20):
        assert not is_valid(key, neutral, bytes([number]))


def test_a_domain_names_the_kind_and_ends() -> None:
    assert domain("release policy") == b"folkmoot release policy\0"


def test_a_new_key_is_private_and_replaces_nothing(tmp_path: Path) -> None:
    path = tmp_path / "new.pem"
    key = create_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    read = KeyFile(path, "the key", "").ed25519_key()
    assert read.public_key() == key.public_key()
    with pytest.raises(FileExistsError):
        create_key(path)
