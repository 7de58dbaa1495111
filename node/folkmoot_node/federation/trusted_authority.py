"""Whether an authority is the one that this node trusts, or follows it."""

from __future__ import annotations

import hashlib

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat


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


def asked_key(request: bytes) -> bytes:
    """SHA-256 of the public key in a signing request (PKCS#10, DER), 32 bytes."""
    key = x509.load_der_x509_csr(request).public_key()
    return hashlib.sha256(
        key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    ).digest()


def _vouches(voucher: x509.Certificate, named: x509.Certificate, before: x509.Certificate) -> bool:
    if voucher.public_key() != named.public_key():
        return False
    try:
        voucher.verify_directly_issued_by(before)
        constraints = voucher.extensions.get_extension_for_class(x509.BasicConstraints)
    except Exception:  # cryptography raises several kinds; each means the same here
        return False
    return constraints.value.ca
