"""The region's certificate authority.

Certificates are ECDSA P-256, which every TLS library accepts. A node's certificate is
bound to one council: the GSS code is its common name and the URI
`urn:folkmoot:council:<code>` its subject alternative name. What subject a request claims
does not matter.
"""

from __future__ import annotations

import hashlib
import ipaddress
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot_coordinator.clock import DAY
from folkmoot_operator.key_files import KeyFile
from folkmoot_operator.moments import to_datetime
from folkmoot_operator.private_files import write_private
from folkmoot_operator.service_manager import key_file

COUNCIL_URN = "urn:folkmoot:council:"
"""Prefix of the URI that binds a certificate to a council."""
AUTHORITY_DAYS = 3650
"""Days the authority's own certificate is valid."""
CLOCK_DAYS = 1
"""How many days a node's clock may be off: certificates are dated back so far, and those of the
coordinator's ports stay valid so much longer than they are shown. A node's own is dated back by a
tenth of its life at most: when a third of its time is left, is reckoned from its beginning."""

KEY_FILE, CERTIFICATE_FILE = "authority.key", "authority.pem"
"""Files of the folder of keys."""
_REMEDY = (
    "Restore the folder from its backup. Without one, make a new coordinator with "
    "`folkmoot-coordinator init` in another folder, and invite every council again"
)


@dataclass(frozen=True, slots=True)
class IssuedCertificate:
    """A certificate made for a node.

    Attributes:
        council: Council it is bound to.
        serial: Serial number in hexadecimal, without leading zeros.
        certificate: DER.
        key_digest: SHA-256 of the public key (SubjectPublicKeyInfo, DER), 32 bytes.
        issued_at: Seconds since 1970-01-01T00:00:00Z.
        expires_at: Seconds since 1970-01-01T00:00:00Z.
    """

    council: GssCode
    serial: str
    certificate: bytes
    key_digest: bytes
    issued_at: int
    expires_at: int


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """What the coordinator shows to nodes.

    Attributes:
        key: Private key, PEM.
        certificate: Certificate, PEM.
        expires_at: Until when it is shown, seconds since 1970-01-01T00:00:00Z.
    """

    key: bytes
    certificate: bytes
    expires_at: int


class Authority:
    """Issues certificates for councils and for the coordinator's own ports."""

    def __init__(self, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
        self._key = key
        self._certificate = certificate

    @classmethod
    def create(cls, folder: Path, region: str, now: int) -> Authority:
        """Makes a new authority and keeps its key in `folder`."""
        made = cls.make(region, now)
        write_private(folder / KEY_FILE, made.key_pem, replace=False)
        write_private(folder / CERTIFICATE_FILE, made.pem, replace=False)
        return made

    @classmethod
    def make(cls, region: str, now: int) -> Authority:
        """A new authority, with a key of its own, that is kept nowhere yet."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name(
            [
                x509.NameAttribute(NameOID.COMMON_NAME, _common_name(region)),
                # So that the names of two authorities of a region differ.
                x509.NameAttribute(NameOID.SERIAL_NUMBER, _digest(key.public_key()).hex()[:16]),
            ]
        )
        return cls(key, _self_signed(name, key, now))

    @classmethod
    def load(cls, folder: Path) -> Authority:
        """Reads the authority kept in `folder`; its key may be the credential `authority.key`.

        See `authorities` for one that changes.

        Raises:
            Problem: If key or certificate are missing or damaged, or do not belong together.
            UnusableFile: If a file cannot be used now.
        """
        return cls.read(key_file(folder / KEY_FILE), folder / CERTIFICATE_FILE)

    @classmethod
    def read(cls, private: Path, shown: Path) -> Authority:
        """Reads an authority from the files of key and certificate; raises as `load` does."""
        kept = KeyFile(private, "the key of the certificate authority", _REMEDY)
        key, certificate = kept.elliptic_curve_key(), authority_certificate(shown)
        if certificate.public_key() != key.public_key():
            raise kept.wrong(f"and its certificate, {shown.name}, do not belong together")
        return cls(key, certificate)

    def renewed(self, now: int) -> Authority:
        """The same authority, of the same name and key, with a certificate that begins today."""
        return Authority(self._key, _self_signed(self._certificate.subject, self._key, now))

    def certify(self, other: Authority) -> x509.Certificate:
        """A certificate by this authority for another, which says that it is trusted as well.

        It lasts as long as the shorter of both.
        """
        theirs = other._certificate
        ends = min(self._certificate.not_valid_after_utc, theirs.not_valid_after_utc)
        return (
            x509.CertificateBuilder()
            .subject_name(theirs.subject)
            .issuer_name(self._certificate.subject)
            .public_key(other._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(theirs.not_valid_before_utc)
            .not_valid_after(ends)
            .add_extension(
                x509.SubjectKeyIdentifier.from_public_key(other._key.public_key()), critical=False
            )
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()),
                critical=False,
            )
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_usage(certificates=True), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    def has_issued(self, certificate: x509.Certificate) -> bool:
        """Whether a certificate is by this authority."""
        try:
            certificate.verify_directly_issued_by(self._certificate)
        except (ValueError, TypeError, InvalidSignature):
            return False
        return True

    @property
    def certificate(self) -> x509.Certificate:
        """The authority's own certificate."""
        return self._certificate

    @property
    def key_pem(self) -> bytes:
        """Its private key, PEM."""
        return _key_pem(self._key)

    @property
    def key_digest(self) -> bytes:
        """SHA-256 of its public key (SubjectPublicKeyInfo, DER), 32 bytes."""
        return _digest(self._key.public_key())

    @property
    def pem(self) -> bytes:
        """The authority's certificate, PEM."""
        return self._certificate.public_bytes(serialization.Encoding.PEM)

    @property
    def der(self) -> bytes:
        """The authority's certificate, DER."""
        return self._certificate.public_bytes(serialization.Encoding.DER)

    @property
    def expires_at(self) -> int:
        """When the authority's certificate ends, seconds since 1970-01-01T00:00:00Z."""
        return int(self._certificate.not_valid_after_utc.timestamp())

    def issue_node_certificate(
        self, request: SigningRequest, council: GssCode, now: int, days: float
    ) -> IssuedCertificate:
        """Makes a certificate for the key of `request`, bound to `council`."""
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, council)])
        certificate = (
            self._builder(name, request.public_key, now, days, back=min(CLOCK_DAYS, days / 10))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(
                x509.SubjectAlternativeName(
                    [x509.UniformResourceIdentifier(COUNCIL_URN + council)]
                ),
                critical=False,
            )
            .sign(self._key, hashes.SHA256())
        )
        return IssuedCertificate(
            council=council,
            serial=format(certificate.serial_number, "x"),
            certificate=certificate.public_bytes(serialization.Encoding.DER),
            key_digest=request.key_digest,
            issued_at=now,
            expires_at=int(certificate.not_valid_after_utc.timestamp()),
        )

    def issue_server_identity(
        self, hosts: tuple[str, ...], now: int, days: float
    ) -> ServerIdentity:
        """Makes a key and a certificate for the coordinator's ports, to be shown for `days`."""
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _common_name(hosts[0]))])
        certificate = (
            self._builder(name, key.public_key(), now, days + CLOCK_DAYS)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(certificates=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.SubjectAlternativeName([_host_name(host) for host in hosts]), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        return ServerIdentity(
            key=_key_pem(key),
            certificate=certificate.public_bytes(serialization.Encoding.PEM),
            expires_at=now + int(days * DAY),
        )

    def _builder(
        self,
        subject: x509.Name,
        key: ec.EllipticCurvePublicKey,
        now: int,
        days: float,
        back: float = CLOCK_DAYS,
    ) -> x509.CertificateBuilder:
        issuer = self._certificate.subject
        return _builder(subject, issuer, key, self._key.public_key(), now, days, back)


def authority_certificate(path: Path) -> x509.Certificate:
    """The certificate of an authority, from its file; the first of several.

    Raises:
        Problem: If it is missing or damaged.
        UnusableFile: If the file cannot be used now.
    """
    return KeyFile(path, "the authority's certificate", _REMEDY).certificate()


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """A certificate signing request whose sender proved to hold the private key.

    Attributes:
        public_key: ECDSA P-256 public key.
    """

    public_key: ec.EllipticCurvePublicKey

    @classmethod
    def parse(cls, der: bytes) -> SigningRequest:
        """Reads a PKCS#10 request, DER, and checks the proof of possession.

        Raises:
            ContractError: If it is not one, or not signed by its own key.
        """
        try:
            request = x509.load_der_x509_csr(der)
            key = request.public_key()
            signed = request.is_signature_valid
        except (ValueError, TypeError, InvalidSignature):
            raise ContractError("csr", "is not a signing request", "Send PKCS#10, DER") from None
        except Exception as error:  # unknown algorithms raise types of their own
            raise ContractError(
                "csr", f"cannot be read ({type(error).__name__})", "Send PKCS#10, DER"
            ) from None
        if not signed:
            raise ContractError(
                "csr", "is not signed by its own key", "Sign the request with the node's key"
            )
        if not isinstance(key, ec.EllipticCurvePublicKey) or key.curve.name != "secp256r1":
            raise ContractError(
                "csr", "has a key of another kind", "Use an ECDSA key on the curve P-256"
            )
        return cls(key)

    @property
    def key_digest(self) -> bytes:
        """SHA-256 of the public key (SubjectPublicKeyInfo, DER), 32 bytes."""
        return _digest(self.public_key)


def _digest(key: ec.EllipticCurvePublicKey) -> bytes:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return hashlib.sha256(key.public_bytes(serialization.Encoding.DER, form)).digest()


def _self_signed(name: x509.Name, key: ec.EllipticCurvePrivateKey, now: int) -> x509.Certificate:
    return (
        _builder(name, name, key.public_key(), key.public_key(), now, AUTHORITY_DAYS)
        # One authority below it: the one before, while the region changes from that to this.
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_usage(certificates=True), critical=True)
        .sign(key, hashes.SHA256())
    )


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    issuer_key: ec.EllipticCurvePublicKey,
    now: int,
    days: float,
    back: float = CLOCK_DAYS,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(to_datetime(now - int(back * DAY)))
        .not_valid_after(to_datetime(now + int(days * DAY)))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key), critical=False
        )
    )


def _usage(*, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=certificates,
        crl_sign=certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _common_name(text: str) -> str:
    return text[:64]  # upper bound of a common name in X.520


def _host_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _key_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
