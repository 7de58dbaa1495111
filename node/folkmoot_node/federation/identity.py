"""Who this node is: its TLS key and certificate, and whom it trusts.

The private keys are made here and never leave the node's `keys` folder.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from folkmoot.geography import GssCode
from folkmoot_node.evidence.witnessed_head import KEY_FILE
from folkmoot_node.policies.trusted_signer import OWN_KEY
from folkmoot_operator.certificate_lives import RENEW_AT
from folkmoot_operator.key_files import KeyFile
from folkmoot_operator.moments import to_text
from folkmoot_operator.private_files import delete_private, write_private
from folkmoot_operator.problems import ExitCode, Problem

ENROL_AGAIN = (
    "Run `folkmoot-node enrol --again`, which asks the region for a new certificate in place of "
    "the one that ended; the ledger and the receipts stay"
)
"""What to do when the certificate has ended."""
_ENROL_AGAIN = (
    "Restore it from backup; or ask the region for a new invitation and run `folkmoot-node enrol "
    "FILE`, which writes it again"
)
_POLICY_KEY = "the key that signs the release policy"


@dataclass(frozen=True, slots=True)
class KeyFiles:
    """Files of the node's `keys` folder."""

    folder: Path

    @classmethod
    def of(cls, home: Path) -> KeyFiles:
        """The files of the node in a folder."""
        return cls(home / "keys")

    @property
    def tls_key(self) -> Path:
        """Private key of the TLS certificate, PEM."""
        return self.folder / "node.key"

    @property
    def next_tls_key(self) -> Path:
        """Private key for which a renewed certificate was asked, PEM; only meanwhile."""
        return self.folder / "node.next.key"

    @property
    def certificate(self) -> Path:
        """TLS certificate, PEM."""
        return self.folder / "node.crt"

    @property
    def authority(self) -> Path:
        """Certificate of the region's authority, PEM."""
        return self.folder / "region-ca.crt"

    @property
    def coordinator_key(self) -> Path:
        """Ed25519 public key with which the coordinator signs, hexadecimal."""
        return self.folder / "coordinator-signing.pub"

    @property
    def policy_key(self) -> Path:
        """Ed25519 private key that signs the release policy, hexadecimal."""
        return self.folder / "policy-signing.key"

    @property
    def policy_public_key(self) -> Path:
        """Ed25519 public key that goes with it, hexadecimal; trusted unless one is pinned."""
        return self.folder / OWN_KEY

    @property
    def private(self) -> tuple[Path, ...]:
        """The node's own private keys, of which some may be missing; not that of the store."""
        return (self.tls_key, self.next_tls_key, self.policy_key, self.folder / KEY_FILE)


@dataclass(frozen=True, slots=True)
class Identity:
    """What a node needs to speak to its coordinator.

    Attributes:
        files: Where it was read.
        private_key: PEM.
        certificate: PEM.
        authority: PEM.
        signing_key: The coordinator's Ed25519 public key, 32 bytes.
        not_before: Start of the certificate's validity.
        not_after: End of the certificate's validity.
    """

    files: KeyFiles
    private_key: bytes
    certificate: bytes
    authority: bytes
    signing_key: bytes
    not_before: datetime
    not_after: datetime

    def is_due_for_renewal(self, now: int) -> bool:
        """True if less than a third of the certificate's lifetime is left."""
        return now > self.due_at

    @property
    def due_at(self) -> float:
        """When a third of the certificate's lifetime is left, seconds since 1970-01-01."""
        lifetime = (self.not_after - self.not_before).total_seconds()
        return self.not_after.timestamp() - lifetime * RENEW_AT

    def is_expired(self, now: int) -> bool:
        """True if the certificate is past its validity."""
        return now >= self.not_after.timestamp()


def create_policy_key(files: KeyFiles) -> None:
    """Makes the key with which the council signs its release policy."""
    key = Ed25519PrivateKey.generate()
    write_private(files.policy_key, key.private_bytes_raw().hex().encode(), replace=False)
    public = key.public_key().public_bytes_raw()
    write_private(files.policy_public_key, public.hex().encode(), replace=True)


def create_request(files: KeyFiles, council: GssCode) -> bytes:
    """A certificate signing request for the node's key, made if there is none yet.

    Returns:
        PKCS#10, DER. The same key is used again, so that an enrolment whose answer was
        lost can be repeated.
    """
    if not files.tls_key.exists():
        write_private(files.tls_key, _new_key(), replace=False)
    return _request(files.tls_key, council)


def create_renewal_request(files: KeyFiles, council: GssCode) -> bytes:
    """A certificate signing request for a new key; the present one stays in use meanwhile.

    Returns:
        PKCS#10, DER.
    """
    finish_renewal(files)
    write_private(files.next_tls_key, _new_key(), replace=True)
    return _request(files.next_tls_key, council)


def create_request_again(files: KeyFiles, council: GssCode) -> bytes:
    """A certificate signing request for a new key, the same at each call until it is granted.

    Returns:
        PKCS#10, DER.
    """
    finish_renewal(files)
    if not files.next_tls_key.exists():
        write_private(files.next_tls_key, _new_key(), replace=False)
    return _request(files.next_tls_key, council)


def keep_membership(
    files: KeyFiles, certificate: bytes, authority: bytes, signing_key: bytes
) -> None:
    """Writes what the coordinator granted, at enrolment or renewal.

    Args:
        files: Where to write.
        certificate: DER.
        authority: DER.
        signing_key: Ed25519 public key, 32 bytes.

    Raises:
        Problem: If the certificate is not for this node's key, or not by the authority.
    """
    try:
        granted = x509.load_der_x509_certificate(certificate)
        issuer = x509.load_der_x509_certificate(authority)
    except ValueError:
        raise _unusable("it holds no certificate") from None
    if not any(_is_for(granted, key) for key in (files.tls_key, files.next_tls_key)):
        raise _unusable("the certificate is for another key")
    try:
        granted.verify_directly_issued_by(issuer)
    except Exception:  # cryptography raises several kinds; each means the same here
        raise _unusable("the certificate is not by the region's authority") from None
    pem = serialization.Encoding.PEM
    write_private(files.authority, issuer.public_bytes(pem), replace=True)
    write_private(files.coordinator_key, signing_key.hex().encode(), replace=True)
    write_private(files.certificate, granted.public_bytes(pem), replace=True)
    finish_renewal(files)


def finish_renewal(files: KeyFiles) -> None:
    """Puts the new key in place if the certificate is for it.

    The certificate is written first, and both cannot be at one time: a node that was stopped
    between finds here which key belongs to it.
    """
    if not files.next_tls_key.is_file() or not files.certificate.is_file():
        return
    certificate = _shown(files).certificate()
    if _is_for(certificate, files.next_tls_key):  # else its certificate is still to come
        write_private(files.tls_key, files.next_tls_key.read_bytes(), replace=True)
        delete_private(files.next_tls_key)


def _shown(files: KeyFiles) -> KeyFile:
    return KeyFile(files.certificate, "the node's certificate", _ENROL_AGAIN)


def _is_for(certificate: x509.Certificate, key_file: Path) -> bool:
    return key_file.exists() and certificate.public_key() == _private_key(key_file).public_key()


def _new_key() -> bytes:
    return _pem(ec.generate_private_key(ec.SECP256R1()))


def _request(key_file: Path, council: GssCode) -> bytes:
    private = _private_key(key_file)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, council)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return request.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def load_identity(files: KeyFiles) -> Identity:
    """Reads the node's identity.

    Raises:
        Problem: If the node is not enrolled, or a file is damaged or belongs to another.
        UnusableFile: If a file cannot be used now.
    """
    needed = (files.tls_key, files.certificate, files.authority, files.coordinator_key)
    missing = [path.name for path in needed if not path.exists()]
    if missing:
        raise Problem(
            f"this node is not enrolled ({', '.join(missing)} missing)",
            where=str(files.folder),
            remedy="Ask the region for an invitation and run `folkmoot-node enrol FILE`",
            exit_code=ExitCode.SETTINGS,
        )
    finish_renewal(files)
    private = _private_key(files.tls_key)
    shown = _shown(files)
    certificate = shown.certificate()
    if certificate.public_key() != private.public_key():
        raise shown.wrong(f"is for another key than {files.tls_key.name}")
    authority = KeyFile(files.authority, "the certificate of the region's authority", _ENROL_AGAIN)
    signing_key = KeyFile(files.coordinator_key, "the coordinator's public key", _ENROL_AGAIN)
    # What goes on to gRPC is written again from what was read: on other input it may abort.
    pem = serialization.Encoding.PEM
    return Identity(
        files=files,
        private_key=_pem(private),
        certificate=certificate.public_bytes(pem),
        authority=authority.certificate().public_bytes(pem),
        signing_key=signing_key.hexadecimal(32),
        not_before=certificate.not_valid_before_utc.astimezone(UTC),
        not_after=certificate.not_valid_after_utc.astimezone(UTC),
    )


class ExpiredCertificate(Problem):
    """The node's certificate has ended; only the region can give it another."""

    def __init__(self, identity: Identity, now: int) -> None:
        super().__init__(
            f"this node's certificate expired on {identity.not_after:%Y-%m-%d}",
            where=str(identity.files.certificate),
            remedy=f"Check the clock of this machine, which says {to_text(now)}. If it is right: "
            f"{ENROL_AGAIN[:1].lower()}{ENROL_AGAIN[1:]}",
            exit_code=ExitCode.SETTINGS,
        )


def load_valid_identity(files: KeyFiles, now: int) -> Identity:
    """Reads the node's identity, to speak to the coordinator with it.

    Raises:
        ExpiredCertificate: If the certificate has ended.
        Problem: If the node is not enrolled.
    """
    identity = load_identity(files)
    if identity.is_expired(now):
        raise ExpiredCertificate(identity, now)
    return identity


def sign_as_node(identity: Identity, domain: bytes, content: bytes) -> bytes:
    """Signs with the key of the node's certificate, which the coordinator has issued.

    Args:
        identity: The node's identity.
        domain: Says what kind of content it is, so that no signature stands for another.
        content: What is signed.

    Returns:
        ECDSA signature with SHA-256, DER.
    """
    private = serialization.load_pem_private_key(identity.private_key, None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)  # as `load_identity` has read it
    return private.sign(domain + content, ec.ECDSA(hashes.SHA256()))


def load_coordinator_key(files: KeyFiles) -> bytes | None:
    """The coordinator's Ed25519 public key, 32 bytes; None if there is none, or it is damaged."""
    try:
        return KeyFile(
            files.coordinator_key, "the coordinator's public key", _ENROL_AGAIN
        ).hexadecimal(32)
    except Problem:
        return None


def _private_key(path: Path) -> ec.EllipticCurvePrivateKey:
    remedy = (
        f"Restore it from backup; or move {path.name} away, ask the region for a new invitation "
        "and run `folkmoot-node enrol FILE`, which makes a new key"
    )
    return KeyFile(path, "the node's private key", remedy).elliptic_curve_key()


def _pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def public_key_of(path: Path) -> bytes:
    """The Ed25519 public key of a private key that signs release policies, 32 bytes."""
    key = Ed25519PrivateKey.from_private_bytes(load_policy_key(path))
    return key.public_key().public_bytes_raw()


def restore_policy_public_key(files: KeyFiles) -> None:
    """Writes the public key of the policy's signer again, from the private one, if it is missing.

    One that is there stays, whosever it is: it may say whom this node trusts.

    Raises:
        Problem: If the private key is not here, or is damaged.
        UnusableFile: If a file cannot be used now.
    """
    if not os.path.lexists(files.policy_public_key):
        public = public_key_of(files.policy_key)
        write_private(files.policy_public_key, public.hex().encode(), replace=False)


def load_policy_key(path: Path) -> bytes:
    """An Ed25519 private key that signs release policies, 32 bytes."""
    remedy = "Restore it from backup, or name the right file with --key"
    return KeyFile(path, _POLICY_KEY, remedy).hexadecimal(32)


def _unusable(problem: str) -> Problem:
    return Problem(
        f"the coordinator's answer cannot be used: {problem}",
        where="enrolment",
        remedy="Ask the region for a new invitation",
        exit_code=ExitCode.VERIFICATION,
    )
