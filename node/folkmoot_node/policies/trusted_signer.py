"""Whose signature of the release policy counts.

A key that lies in the node's folder is the account's own word: who runs as that account can
put another there and sign what he likes. An administrator therefore pins the key in a file that
root alone can change, under the node's folder as its name. The file is looked up by the folder as
it was named and as it is, so that a link in its place does not lead past the pin.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from folkmoot_operator.key_files import KeyFile
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.root_files import DECISIONS, name_of, read_root_file

OWN_KEY = "policy-signing.pub"
"""File in the folder `keys` that names the signer where none is pinned."""
_KEY_BYTES = 32
_OWN = (
    "Restore it from backup; or, if policy-signing.key is there, move this file away and run "
    '`folkmoot-node policy sign --signer "NAME, ROLE"`, which writes it again'
)
NOT_PINNED = (
    "The signer is not pinned: whoever runs as the node's account can sign another release policy"
)


@dataclass(frozen=True, slots=True)
class TrustedSigner:
    """The key whose signature of the release policy counts.

    Attributes:
        key: Ed25519 public key, 32 bytes.
        where: The file that names it.
        is_pinned: Whether root alone can change that file; otherwise it lies in the node's folder.
    """

    key: bytes
    where: Path
    is_pinned: bool

    def __str__(self) -> str:
        if self.is_pinned:
            return f"signer pinned: {self.key.hex()}, by {self.where}"
        return f"signer not pinned: {self.key.hex()}, by {self.where}"


def pin_path(home: Path) -> Path:
    """The file that pins the signer of the node in a folder."""
    return DECISIONS / "signers" / f"{name_of(Path(os.path.abspath(home)))}.pub"  # noqa: PTH100


def pinned_signer(home: Path) -> TrustedSigner | None:
    """The signer that root has pinned for the node in a folder; None if there is no pin.

    Raises:
        Problem: If a pin cannot be trusted or read, or there are two that differ.
    """
    found: list[TrustedSigner] = []
    for path in dict.fromkeys((pin_path(home), pin_path(home.resolve()))):
        content = read_root_file(path)
        if content is not None:
            found.append(TrustedSigner(_key(content, path), path, is_pinned=True))
    if len({one.key for one in found}) > 1:
        raise _wrong(found[0].where, f"names another key than {found[1].where}")
    return found[0] if found else None


def trusted_signer(home: Path, own: Path) -> TrustedSigner:
    """The signer that counts: the pinned one, or without a pin the one in the node's folder.

    Args:
        home: The node's folder.
        own: The public key in it.

    Raises:
        Problem: If neither can be had, or the pin cannot be trusted.
    """
    pinned = pinned_signer(home)
    if pinned is not None:
        return pinned
    key = KeyFile(own, "the key that signs the release policy", _OWN).hexadecimal(_KEY_BYTES)
    return TrustedSigner(key, own, is_pinned=False)


def read_public_key(path: Path) -> bytes:
    """An Ed25519 public key from a file of hexadecimal digits, 32 bytes."""
    try:
        content = path.read_bytes()
    except OSError:
        content = b""
    return _key(content, path)


def _key(content: bytes, path: Path) -> bytes:
    try:
        key = bytes.fromhex(content.decode("ascii").strip())
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise _wrong(path, "is not a public key: it needs 64 hexadecimal digits")
    return key


def _wrong(path: Path, problem: str) -> Problem:
    return Problem(
        problem,
        where=str(path),
        remedy="Restore it, or name the right file; `folkmoot-node policy pin` writes a pin",
        exit_code=ExitCode.SETTINGS,
    )
