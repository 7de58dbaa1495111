"""Statements in JSON that carry the certificate of whoever signed them.

Whoever has a copy of that certificate checks such a statement without asking anybody, also when
the private key was destroyed long ago.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from folkmoot_operator.hash_chain import body_text
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.signatures import domain

MAX_BYTES = 10_000_000
"""Bytes of a statement that are read, at most."""
ALGORITHM = "ECDSA with SHA-256"


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """A statement whose signature fits the certificate that it carries.

    Attributes:
        kind: What it is, for people: `certificate of leaving`.
        body: What it says.
        certificate: Of whoever signed it, DER.
    """

    kind: str
    body: Mapping[str, Any]
    certificate: bytes

    @property
    def name(self) -> str:
        """Whom the certificate names."""
        subject = x509.load_der_x509_certificate(self.certificate).subject
        names = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(names[0].value) if names else ""


def signed_statement(
    kind: str, body: Mapping[str, Any], key: ec.EllipticCurvePrivateKey, certificate: bytes
) -> bytes:
    """Writes and signs a statement.

    Args:
        kind: What it is, for people.
        body: What it says: texts, whole numbers, lists and tables of them, nulls.
        key: The private key of the certificate.
        certificate: PEM.

    Returns:
        JSON, UTF-8. What is signed is `folkmoot KIND`, a null byte, and the value of `statement`
        written without blanks, with sorted keys and in ASCII.
    """
    signature = key.sign(domain(kind) + body_text(body).encode(), ec.ECDSA(hashes.SHA256()))
    document = {
        "kind": kind,
        "statement": dict(body),
        "algorithm": ALGORITHM,
        "signature": base64.b64encode(signature).decode(),
        "certificate": certificate.decode("ascii"),
    }
    return (json.dumps(document, indent=2, ensure_ascii=False) + "\n").encode()


def read_statement(path: Path, kind: str) -> SignedStatement:
    """Reads a statement, and checks that its signature fits the certificate that it carries.

    Whose certificate that is, and who vouches for it, the caller finds out.

    Args:
        path: The file.
        kind: What it has to be.

    Raises:
        Problem: Exit code VERIFICATION, if it is no such statement or the signature does not fit.
    """
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    try:
        document = json.loads(content)
        body = document["statement"]
        signature = base64.b64decode(document["signature"], validate=True)
        certificate = x509.load_pem_x509_certificate(document["certificate"].encode("ascii"))
        key = certificate.public_key()
        if document["kind"] != kind or not isinstance(body, dict) or len(content) > MAX_BYTES:
            raise ValueError
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise ValueError
    except (ValueError, KeyError, TypeError, AttributeError, binascii.Error):
        raise Problem(
            f"this is no {kind}",
            where=str(path),
            remedy="Ask whoever made it for the file as it was written",
            exit_code=ExitCode.VERIFICATION,
        ) from None
    try:
        key.verify(signature, domain(kind) + body_text(body).encode(), ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        raise Problem(
            f"the signature of the {kind} does not fit: it was changed, or another key signed it",
            where=str(path),
            remedy="Ask whoever made it for the file as it was written",
            exit_code=ExitCode.VERIFICATION,
        ) from None
    der = certificate.public_bytes(serialization.Encoding.DER)
    return SignedStatement(kind, body, der)
