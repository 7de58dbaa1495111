"""Which region a node trusts, and whether an authority is its own, or follows that."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from folkmoot.errors import plain


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
    name = plain(str(names[0].value)) if names else "without a name"
    return TrustedRegion(name, key_digest(certificate), signing_key)


def is_trusted(authority: bytes, voucher: bytes, trusted: bytes) -> bool:
    """Whether an authority has the key of the trusted one, or that has vouched for it.

    Args:
        authority: Its certificate, DER.
        voucher: A certificate for its key by the authority before, DER; may be empty.
        trusted: Certificate of the trusted authority, PEM; the first of several.
    """
    try:
        named = x509.load_der_x509_certificate(authority)
        before = x509.load_pem_x509_certificate(trusted)
        if named.public_key() == before.public_key():
            return True
        return bool(voucher) and _vouches(x509.load_der_x509_certificate(voucher), named, before)
    except ValueError:
        return False


def is_vouched(invited: bytes, trusted: bytes) -> bool:
    """Whether the trusted authority has vouched for the one that an invitation names.

    Args:
        invited: The authority of the invitation, and certificates that vouch for it, PEM.
        trusted: Certificate of the trusted authority, PEM.
    """
    try:
        named, *vouchers = x509.load_pem_x509_certificates(invited)
        before = x509.load_pem_x509_certificate(trusted)
    except ValueError:
        return False
    return any(_vouches(one, named, before) for one in vouchers)


def key_digest(holder: x509.Certificate | x509.CertificateSigningRequest) -> bytes:
    """SHA-256 of a public key (SubjectPublicKeyInfo, DER), 32 bytes."""
    form = PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(holder.public_key().public_bytes(Encoding.DER, form)).digest()


def _vouches(voucher: x509.Certificate, named: x509.Certificate, before: x509.Certificate) -> bool:
    if voucher.public_key() != named.public_key():
        return False
    try:
        voucher.verify_directly_issued_by(before)
        constraints = voucher.extensions.get_extension_for_class(x509.BasicConstraints)
    except Exception:  # cryptography raises several kinds; each means the same here
        return False
    return constraints.value.ca
