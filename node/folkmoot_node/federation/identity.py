"""Who this node is: its TLS key and certificate, and whom it trusts.

The private keys are made here and never leave the node's `keys` folder.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.x509.oid import NameOID

from folkmoot.errors import plain
from folkmoot.geography import GssCode
from folkmoot_operator.moments import to_text
from folkmoot_operator.private_files import write_private
from folkmoot_operator.problems import ExitCode, Problem

RENEW_AT = 1 / 3
"""A certificate is renewed when less than this share of its lifetime is left."""


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
        return self.folder / "policy-signing.pub"


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
        lifetime = (self.not_after - self.not_before).total_seconds()
        return self.not_after.timestamp() - now < lifetime * RENEW_AT

    def is_expired(self, now: int) -> bool:
        """True if the certificate is past its validity."""
        return now >= self.not_after.timestamp()


@dataclass(frozen=True, slots=True)
class TrustedRegion:
    """The region that a node's files name: whom it trusts, and whose receipts it can check.

    Attributes:
        name: As the region's authority calls itself.
        authority: SHA-256 of its public key (SubjectPublicKeyInfo, DER), 32 bytes.
        signing_key: The coordinator's Ed25519 public key, 32 bytes.
    """

    name: str
    authority: bytes
    signing_key: bytes

    def is_same(self, other: TrustedRegion) -> bool:
        """Whether both have the same keys; what they call themselves does not matter."""
        return (self.authority, self.signing_key) == (other.authority, other.signing_key)


def trusted_region(authority: bytes, signing_key: bytes) -> TrustedRegion:
    """The region with these keys.

    Args:
        authority: Certificate of its authority, PEM.
        signing_key: The coordinator's Ed25519 public key, 32 bytes.

    Raises:
        ValueError: If `authority` is not a certificate.
    """
    certificate = x509.load_pem_x509_certificate(authority)
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    key = certificate.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    name = plain(str(names[0].value)) if names else "without a name"
    return TrustedRegion(name, hashlib.sha256(key).digest(), signing_key)


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
    if not files.tls_key.is_file():
        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        write_private(files.tls_key, pem, replace=False)
    private = serialization.load_pem_private_key(files.tls_key.read_bytes(), None)
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, council)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject)
    return request.sign(private, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def keep_membership(
    files: KeyFiles, certificate: bytes, authority: bytes, signing_key: bytes
) -> None:
    """Writes what the coordinator granted.

    Args:
        files: Where to write.
        certificate: DER.
        authority: DER.
        signing_key: Ed25519 public key, 32 bytes.

    Raises:
        Problem: If the certificate is not for this node's key, or not by the authority.
    """
    granted = x509.load_der_x509_certificate(certificate)
    issuer = x509.load_der_x509_certificate(authority)
    private = serialization.load_pem_private_key(files.tls_key.read_bytes(), None)
    if granted.public_key() != private.public_key():
        raise _unusable("the certificate is for another key")
    try:
        granted.verify_directly_issued_by(issuer)
    except Exception:  # cryptography raises several kinds; each means the same here
        raise _unusable("the certificate is not by the region's authority") from None
    pem = serialization.Encoding.PEM
    write_private(files.authority, issuer.public_bytes(pem), replace=True)
    write_private(files.coordinator_key, signing_key.hex().encode(), replace=True)
    write_private(files.certificate, granted.public_bytes(pem), replace=True)


def load_identity(files: KeyFiles) -> Identity:
    """Reads the node's identity.

    Raises:
        Problem: If the node is not enrolled.
    """
    needed = (files.tls_key, files.certificate, files.authority, files.coordinator_key)
    missing = [path.name for path in needed if not path.is_file()]
    if missing:
        raise Problem(
            f"this node is not enrolled ({', '.join(missing)} missing)",
            where=str(files.folder),
            remedy="Ask the region for an invitation and run `folkmoot-node enrol FILE`",
            exit_code=ExitCode.SETTINGS,
        )
    certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    return Identity(
        files=files,
        private_key=files.tls_key.read_bytes(),
        certificate=files.certificate.read_bytes(),
        authority=files.authority.read_bytes(),
        signing_key=bytes.fromhex(files.coordinator_key.read_text().strip()),
        not_before=certificate.not_valid_before_utc.astimezone(UTC),
        not_after=certificate.not_valid_after_utc.astimezone(UTC),
    )


def load_valid_identity(files: KeyFiles, now: int) -> Identity:
    """Reads the node's identity, to speak to the coordinator with it.

    Raises:
        Problem: If the node is not enrolled, or its certificate has expired.
    """
    identity = load_identity(files)
    if identity.is_expired(now):
        raise Problem(
            f"this node's certificate expired on {identity.not_after:%Y-%m-%d}",
            where=str(files.certificate),
            remedy=f"Check the clock of this machine, which says {to_text(now)}. If it is right, "
            "ask the region for a new invitation and run `folkmoot-node enrol FILE`",
            exit_code=ExitCode.SETTINGS,
        )
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
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    return private.sign(domain + content, ec.ECDSA(hashes.SHA256()))


def public_key_of(path: Path) -> bytes:
    """The Ed25519 public key of a private key that signs release policies, 32 bytes."""
    key = Ed25519PrivateKey.from_private_bytes(load_policy_key(path))
    return key.public_key().public_bytes_raw()


def load_policy_key(path: Path) -> bytes:
    """An Ed25519 private key that signs release policies, 32 bytes."""
    return _load_hex(path)


def _load_hex(path: Path) -> bytes:
    try:
        value = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError):
        value = b""
    if len(value) != 32:
        raise Problem(
            "is not a key file",
            where=str(path),
            remedy="Restore it from backup, or name the right file",
            exit_code=ExitCode.SETTINGS,
        )
    return value


def _unusable(problem: str) -> Problem:
    return Problem(
        f"the coordinator's answer cannot be used: {problem}",
        where="enrolment",
        remedy="Ask the region for a new invitation",
        exit_code=ExitCode.VERIFICATION,
    )
