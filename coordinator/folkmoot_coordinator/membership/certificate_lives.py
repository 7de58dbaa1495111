"""When the certificates of a region end: its authority's, its ports', and the councils'."""

from __future__ import annotations

from collections.abc import Iterator

from cryptography import x509

from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.authorities import NEXT_CERTIFICATE_FILE
from folkmoot_coordinator.membership.certificate_authority import (
    CERTIFICATE_FILE,
    authority_certificate,
)
from folkmoot_coordinator.membership.issued_certificates import issued_certificates
from folkmoot_operator.certificate_lives import CertificateLife, life, life_of
from folkmoot_operator.connection_probe import shown_certificate
from folkmoot_operator.network_addresses import dialled_here

AUTHORITY, NEXT_AUTHORITY = "authority", "authority that follows"
COLLECTION, ENROLMENT = "collection port", "enrolment port"
"""Names of the region's own certificates; a council's has its GSS code."""
AUTHORITY_SOON_DAYS = 90
"""From so many days before its end on, the authority is said to end soon: every council has to
renew before."""
_CONNECT_SECONDS = 2.0
_RENEW = (
    "Run `folkmoot-coordinator authority renew`: the key stays, and nodes take the new certificate "
    "at their next renewal"
)
_ENDED = (
    "Run `folkmoot-coordinator authority renew`, and invite every council again: nodes do not "
    "accept the ports any more"
)
_CHANGES = (
    "Run `folkmoot-coordinator authority finish`, which ends the change to the one that follows, "
    "and says who has not come to it"
)
_PORT = (
    "`serve` renews it in the last third of its time: look why it does not, in its log, and start "
    "it again"
)
_COUNCIL = (
    "Its node renews it when it connects: ask the council whether `folkmoot-node serve` runs, and "
    "what `folkmoot-node doctor` says"
)
_COUNCIL_ENDED = (
    "The council runs `folkmoot-node enrol --again`, and you approve it (`folkmoot-coordinator "
    "councils requests`). If it has left, run `councils revoke`"
)


def certificates(
    home: Home, database: Database, now: float, *, ports: bool = True
) -> list[CertificateLife]:
    """The authority's certificate, those that the ports show, and the newest of each council.

    A port that is not served has none. A council whose certificates were revoked has left.

    Args:
        home: The coordinator's folder.
        database: Of the region.
        now: Seconds since 1970-01-01T00:00:00Z.
        ports: Whether the ports are asked what they show.

    Raises:
        Problem: If the settings are wrong, or the authority's certificate is damaged.
    """
    found = authority_lives(home, now)
    if ports:
        found += port_lives(home.settings(), now)
    return [*found, *council_lives(database, now)]


def authority_lives(home: Home, now: float) -> list[CertificateLife]:
    """The authority's certificate, and while it changes that of the one that follows.

    Raises:
        Problem: If one is damaged.
    """
    files, soon, ended = [(AUTHORITY, home.keys / CERTIFICATE_FILE)], _RENEW, _ENDED
    if (following := home.keys / NEXT_CERTIFICATE_FILE).exists():
        files.append((NEXT_AUTHORITY, following))
        soon = ended = _CHANGES  # `authority renew` is refused now
    return [
        life_of(
            name,
            authority_certificate(path),
            now,
            soon=soon,
            ended=ended,
            soon_days=AUTHORITY_SOON_DAYS,
        )
        for name, path in files
    ]


def port_lives(settings: CoordinatorSettings, now: float) -> Iterator[CertificateLife]:
    """The certificates that the ports show which are served; they are asked."""
    for name, port in ((COLLECTION, settings.collection), (ENROLMENT, settings.enrolment)):
        shown = shown_certificate(dialled_here(port.listen), seconds=_CONNECT_SECONDS)
        if shown is not None:
            found = x509.load_der_x509_certificate(shown)
            yield life_of(name, found, now, soon=_PORT, ended=_PORT)


def council_lives(database: Database, now: float) -> Iterator[CertificateLife]:
    """The newest certificate of each council, named by its GSS code; none if all are revoked."""
    newest = {
        one.council: one for one in issued_certificates(database) if one.revoked_at is None
    }  # in order of issue, so that the last is the newest
    for council, one in newest.items():
        yield life(council, one.issued_at, one.expires_at, now, soon=_COUNCIL, ended=_COUNCIL_ENDED)
