"""Signed documents of plugins: a body of a known kind, a key, and a signature over both.

A document stands by itself in one file. That its signature is valid says that it is whole, and not
that its signer is trusted: whose key counts for what is in the file of trusted keys.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict, ValidationError

from folkmoot_kit.provenance import canonical_json
from folkmoot_kit.provenance.canonical_json import damaged
from folkmoot_kit.provenance.content import SHA256
from folkmoot_operator.key_files import KeyFile
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.signatures import KEY_BYTES, create_key, domain, is_valid
from folkmoot_operator.unusable_files import is_known, unusable

_KEYS = {"body", "key", "kind", "signature"}
_LOST = (
    "Name the right file, restore it from its backup, or make another with `folkmoot-plugin keygen`"
)


class Part(BaseModel):
    """Base of what stands in documents: frozen, of exact types, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Document(Part):
    """Base of the bodies of documents.

    Attributes:
        kind: What it is; it stands in front of what is signed.
        format: Version of its form.
    """

    kind: ClassVar[str]
    format: Literal[1] = 1


B = TypeVar("B", bound=Document)


@dataclass(frozen=True, slots=True)
class Signed(Generic[B]):
    """A document whose signature is valid.

    Attributes:
        body: What it says.
        key: Ed25519 public key of the signature, 32 bytes.
        digest: SHA-256 of the file: `sha256:` and 64 hexadecimal digits.
        where: The file.
    """

    body: B
    key: bytes
    digest: str
    where: str

    @property
    def key_id(self) -> str:
        """The id of the key."""
        return key_id(self.key)


def key_id(key: bytes) -> str:
    """The id of a public key: its SHA-256, hexadecimal.

    Args:
        key: 32 bytes.
    """
    return hashlib.sha256(key).hexdigest()


def public_key(key: Ed25519PrivateKey) -> bytes:
    """The public key of a private one, 32 bytes."""
    return key.public_key().public_bytes_raw()


def load_key(path: Path) -> Ed25519PrivateKey:
    """The private key in a file that `new_key` has made.

    Raises:
        Problem: Exit code SETTINGS, if it is no such key, or others can read it.
        UnusableFile: If the file cannot be used now.
    """
    return KeyFile(path, "the signing key", _LOST).ed25519_key()


def new_key(path: Path) -> Ed25519PrivateKey:
    """Makes a private key and keeps it in a file that only this account can read.

    Raises:
        Problem: Exit code REFUSED, if there is such a file already; SETTINGS, if its folder is not
            there.
        UnusableFile: If it cannot be written.
    """
    try:
        return create_key(path)
    except FileExistsError:
        raise Problem(
            "there is a file of this name, and a key is never replaced",
            where=str(path),
            remedy="Name another file",
            exit_code=ExitCode.REFUSED,
        ) from None
    except FileNotFoundError:
        raise Problem(
            f"there is no folder {path.parent}",
            where=str(path),
            remedy=f"mkdir -m 700 {path.parent}",
            exit_code=ExitCode.SETTINGS,
        ) from None
    except OSError as error:
        if not is_known(error):
            raise
        raise unusable(error, path, "the new key") from None


def sign(body: Document, key: Ed25519PrivateKey) -> bytes:
    """The file of a signed document.

    Args:
        body: What it says.
        key: Who says it.
    """
    said = body.model_dump(mode="json")
    public = public_key(key)
    return canonical_json.encode(
        {
            "kind": body.kind,
            "body": said,
            "key": public.hex(),
            "signature": key.sign(_statement(body.kind, public, said)).hex(),
        }
    )


def read_signed(model: type[B], content: bytes, where: str) -> Signed[B]:
    """Reads a signed document and checks its signature.

    Args:
        model: What kind of document it must be.
        content: The bytes of the file.
        where: The file, for messages.

    Raises:
        Problem: Exit code VERIFICATION, if a byte of it was changed, it has another kind, or its
            signature is not valid.
    """
    whole = canonical_json.decode(content, where)
    if not isinstance(whole, dict) or whole.keys() != _KEYS:
        raise damaged(where, "is not a signed document")
    if whole["kind"] != model.kind:
        kind = str(whole["kind"])[:60]
        raise damaged(where, f"is a {kind!r} where a {model.kind} is needed")
    key, signature = _bytes(whole["key"]), _bytes(whole["signature"])
    if len(key) != KEY_BYTES or not is_valid(
        key, signature, _statement(model.kind, key, whole["body"])
    ):
        raise damaged(where, "its signature is not valid: it was changed, or never signed so")
    body = _body(model, whole["body"], where)
    return Signed(body, key, SHA256 + hashlib.sha256(content).hexdigest(), where)


def read_signed_file(model: type[B], path: Path) -> Signed[B]:
    """The same of a file.

    Raises:
        Problem: As `read_signed`.
        UnusableFile: If the file cannot be used now.
    """
    return read_signed(model, read_bounded(path, "the document"), str(path))


def read_bounded(path: Path, what: str, most: int = canonical_json.MAX_BYTES) -> bytes:
    """The bytes of an ordinary file of bounded length.

    Args:
        path: The file.
        what: What it is for people.
        most: How long it may be, bytes.

    Raises:
        Problem: Exit code VERIFICATION, if it is longer or no ordinary file.
        UnusableFile: If it cannot be used now.
    """
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise damaged(str(path), "is no ordinary file")
        with path.open("rb") as file:
            content = file.read(most + 1)
    except OSError as error:
        raise unusable(error, path, what) from None
    if len(content) > most:
        raise damaged(str(path), f"is longer than {most} bytes")
    return content


def _statement(kind: str, key: bytes, body: Any) -> bytes:
    return domain(kind) + key + canonical_json.encode(body)


def _bytes(text: Any) -> bytes:
    try:
        value = bytes.fromhex(text)
    except (TypeError, ValueError):
        return b""
    return value if value.hex() == text else b""


def _body(model: type[B], body: Any, where: str) -> B:
    try:
        # From JSON, not from Python: dates are text there, and nothing else is converted.
        found = model.model_validate_json(canonical_json.encode(body))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(str(part) for part in first["loc"])
        raise damaged(where, f"{key}: {first['msg'][:1].lower()}{first['msg'][1:]}") from None
    if found.model_dump(mode="json") != body:
        raise damaged(where, "can be read in two ways")
    return found
