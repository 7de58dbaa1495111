"""Documents of the council that count only as they were signed: a file, and a signature beside it.

Each kind of document has its own words in front of what is signed, so that a signature of one is
never valid for another, whatever is in the files.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from folkmoot_operator import moments
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import Settings, parse, read
from folkmoot_operator.signatures import domain, is_valid


@dataclass(frozen=True, slots=True)
class SignedKind:
    """A kind of document.

    Attributes:
        name: What it is for people: `release policy`. It stands in front of what is signed.
        command: With which a person signs it.
    """

    name: str
    command: str

    def statement(self, digest: bytes, signer: str, when: datetime.datetime) -> bytes:
        """What is signed.

        Args:
            digest: SHA-256 of the file, 32 bytes.
            signer: Who signs.
            when: When.
        """
        return domain(self.name) + digest + f"{signer}\0{int(when.timestamp())}".encode()


@dataclass(frozen=True, slots=True)
class CheckedSignature:
    """A signature that was checked.

    Attributes:
        signer: Who signed, as they wrote it.
        signed_at: When, as they wrote it: ISO 8601.
        key: Ed25519 public key of the signature, 32 bytes.
    """

    signer: str
    signed_at: str
    key: bytes


class _Signature(Settings):
    policy_sha256: str
    signer: str
    signed_at: datetime.datetime
    public_key: str
    signature: str


def signature_path(document: Path) -> Path:
    """Path of a document's signature: beside it, with `.sig` added."""
    return document.with_name(document.name + ".sig")


def check_signature(
    kind: SignedKind, path: Path, digest: bytes, trusted_key: bytes, trusted: str = ""
) -> CheckedSignature:
    """Checks the signature beside a document.

    Args:
        kind: What it is.
        path: The document.
        digest: SHA-256 of what was read from it, 32 bytes.
        trusted_key: Ed25519 public key that the node trusts, 32 bytes.
        trusted: That key and where it is named, for the message; the key itself if empty.

    Raises:
        Problem: Exit code SETTINGS, if the signature is missing, wrong, by another key, or of
            another kind of document.
    """
    sidecar = signature_path(path)
    if not sidecar.is_file():
        raise _unsigned(kind, sidecar, f"the {kind.name} is not signed")
    signature = parse(_Signature, read(sidecar), str(sidecar))
    if signature.policy_sha256 != digest.hex():
        raise _unsigned(kind, sidecar, f"the {kind.name} was changed after it was signed")
    if signature.public_key != trusted_key.hex():
        trusted = trusted or trusted_key.hex()
        problem = f"the signature is by a key that this node does not trust; it trusts {trusted}"
        raise _unsigned(kind, sidecar, problem)
    statement = kind.statement(digest, signature.signer, signature.signed_at)
    try:
        value = bytes.fromhex(signature.signature)
    except ValueError:
        value = b""
    if not is_valid(trusted_key, value, statement):
        raise _unsigned(kind, sidecar, "the signature is not valid")
    return CheckedSignature(signature.signer, signature.signed_at.isoformat(), trusted_key)


def sign_document(
    kind: SignedKind, path: Path, digest: bytes, private_key: bytes, signer: str, moment: int
) -> Path:
    """Signs a document that was read, and writes the signature beside it.

    Args:
        kind: What it is.
        path: The document.
        digest: SHA-256 of what was read from it, 32 bytes.
        private_key: Ed25519 private key, 32 bytes.
        signer: Name and role of who decides.
        moment: Seconds since 1970-01-01T00:00:00Z.

    Returns:
        Where the signature is.

    Raises:
        Problem: Exit code USAGE, if nobody is named.
    """
    if not signer.strip():
        raise Problem(
            "a signature without a name says of nobody that they decided",
            where="--signer",
            remedy='Give name and role: --signer "A. Khan, Data Protection Officer"',
            exit_code=ExitCode.USAGE,
        )
    key = Ed25519PrivateKey.from_private_bytes(private_key)
    when = moments.to_datetime(moment)
    signer = " ".join(signer.replace('"', "'").replace("\\", "/").split())
    signature = key.sign(kind.statement(digest, signer, when)).hex()
    sidecar = signature_path(path)
    sidecar.write_text(
        f'policy_sha256 = "{digest.hex()}"\n'
        f'signer = "{signer}"\n'
        f"signed_at = {moments.to_text(moment)}\n"
        f'public_key = "{key.public_key().public_bytes_raw().hex()}"\n'
        f'signature = "{signature}"\n',
        encoding="utf-8",
    )
    return sidecar


def _unsigned(kind: SignedKind, where: Path, problem: str) -> Problem:
    return Problem(
        problem,
        where=str(where),
        remedy=f"Have the person who decides read it and run `{kind.command}`",
        exit_code=ExitCode.SETTINGS,
    )
