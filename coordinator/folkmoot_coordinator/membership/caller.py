"""Which council is calling: read from its verified certificate, on every call."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cryptography import x509

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.rejection import Rejected, Rejection, RejectionReason
from folkmoot_coordinator.clock import Clock
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.membership.certificate_authority import COUNCIL_URN
from folkmoot_coordinator.membership.councils import LastSeen, certificate_valid

_CERTIFICATES_READ = 1024  # as many councils as a round may have, and a few more


@dataclass(frozen=True, slots=True)
class Member:
    """A council that proved who it is.

    Attributes:
        council: GSS code the certificate is bound to.
        serial: Serial number of the certificate, hexadecimal.
    """

    council: GssCode
    serial: str


def authenticate(pem: bytes | None, database: Database, now: int) -> Member:
    """The council whose certificate the TLS library has verified.

    TLS has checked the chain and that the peer holds the key. Whether the certificate is
    one we remember, for that council, not expired and not revoked is checked here,
    because a connection may outlive all of these.

    Args:
        pem: The peer's certificate; None if it showed none.
        database: Where certificates are remembered.
        now: Seconds since 1970-01-01T00:00:00Z.

    Raises:
        Rejected: CERTIFICATE.
    """
    if pem is None:
        raise _refused("no certificate was shown; enrol first (`folkmoot-node enrol`)")
    member, expires_at = _read(pem)
    if expires_at <= now:
        raise _refused("the certificate has expired; run `folkmoot-node enrol --again`")
    with database.connection(writes=False) as connection:
        valid = certificate_valid(connection, member.council, member.serial, now)
    if not valid:
        raise _refused(
            "the certificate is not known here or has been revoked; enrol again with a new "
            "invitation"
        )
    return member


class Callers:
    """Who is calling, and when each council called last. Threads may share it."""

    def __init__(self, database: Database, seen: LastSeen, clock: Clock) -> None:
        self._database = database
        self._seen = seen
        self._clock = clock

    def authenticate(self, pem: bytes | None) -> Member:
        """The council that is calling, as `authenticate` finds it.

        Raises:
            Rejected: CERTIFICATE.
        """
        now = self._clock()
        member = authenticate(pem, self._database, now)
        self._seen.note(member.council, now)
        return member


def claimed_member(pem: bytes) -> Member:
    """The council that a certificate names; whether it is valid is for `authenticate`.

    Raises:
        Rejected: CERTIFICATE, if it names none.
    """
    return _read(pem)[0]


@lru_cache(maxsize=_CERTIFICATES_READ)
def _read(pem: bytes) -> tuple[Member, float]:
    """Whom a certificate names, and when it expires (seconds since 1970-01-01T00:00:00Z)."""
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        council = _bound_to(certificate)
    except (ValueError, x509.ExtensionNotFound):
        raise _refused("the certificate is not bound to a council") from None
    member = Member(council, format(certificate.serial_number, "x"))
    return member, certificate.not_valid_after_utc.timestamp()


def _bound_to(certificate: x509.Certificate) -> GssCode:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    councils = [
        uri.removeprefix(COUNCIL_URN)
        for uri in names.get_values_for_type(x509.UniformResourceIdentifier)
        if uri.startswith(COUNCIL_URN)
    ]
    if len(councils) != 1:
        raise ContractError("certificate", f"names {len(councils)} councils", "It must name one")
    return GssCode(councils[0], "certificate")


def _refused(detail: str) -> Rejected:
    return Rejected(Rejection(RejectionReason.CERTIFICATE, detail))
