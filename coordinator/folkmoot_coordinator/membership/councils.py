"""Councils that have enrolled, their certificates, and revocation."""

from __future__ import annotations

import threading
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, select, update
from sqlalchemy.orm import Session

from folkmoot.geography import GssCode
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import (
    CertificateRow,
    CouncilRow,
    EnrolmentRequestRow,
    InvitationRow,
)
from folkmoot_coordinator.membership.certificate_authority import IssuedCertificate

SEEN_SECONDS = 15
"""How precisely it is remembered when a council was last seen, in seconds."""

_ASKED_AT_ONCE = 500
_COUNCILS, _CERTIFICATES = CouncilRow.__table__, CertificateRow.__table__
# Made once: SQLAlchemy takes longer to build a statement than SQLite to execute it.
_CERTIFICATE = select(
    _CERTIFICATES.c.council, _CERTIFICATES.c.revoked_at, _CERTIFICATES.c.expires_at
).where(_CERTIFICATES.c.serial == bindparam("serial"))
_SEEN = (
    update(CouncilRow.__table__)  # type: ignore[arg-type]  # it is a Table
    .where(_COUNCILS.c.code == bindparam("called"))
    .values(last_seen=bindparam("at"))
)


@dataclass(frozen=True, slots=True)
class Council:
    """A council that has enrolled.

    Attributes:
        code: GSS code.
        enrolled_at: When it first enrolled, seconds since 1970-01-01T00:00:00Z.
        last_seen: When it last called, to about 15 seconds; None if never since.
        valid_certificates: Certificates that are neither expired nor revoked.
        expires_at: When the last of these expires; None if there is none.
    """

    code: GssCode
    enrolled_at: int
    last_seen: int | None
    valid_certificates: int
    expires_at: int | None


def enrolled(database: Database, now: int) -> tuple[Council, ...]:
    """Every council that has enrolled, in order of its code."""
    valid = (
        select(
            CertificateRow.council.label("council"),
            func.count().label("valid"),
            func.max(CertificateRow.expires_at).label("expires_at"),
        )
        .where(CertificateRow.revoked_at.is_(None), CertificateRow.expires_at > now)
        .group_by(CertificateRow.council)
        .subquery()
    )
    query = (
        select(CouncilRow, valid.c.valid, valid.c.expires_at)
        .outerjoin(valid, valid.c.council == CouncilRow.code)
        .order_by(CouncilRow.code)
    )
    with database.reading() as session:
        return tuple(
            Council(GssCode(row.code), row.enrolled_at, row.last_seen, count or 0, expires_at)
            for row, count, expires_at in session.execute(query)
        )


def members(database: Database, now: int) -> list[GssCode]:
    """Codes of the councils that can answer, in order: those with a valid certificate."""
    return sorted(one.code for one in enrolled(database, now) if one.valid_certificates)


def record_certificate(session: Session, issued: IssuedCertificate) -> None:
    """Remembers a certificate, and the council if it is new."""
    if session.get(CouncilRow, issued.council) is None:
        session.add(CouncilRow(code=issued.council, enrolled_at=issued.issued_at))
        session.flush()
    session.add(
        CertificateRow(
            serial=issued.serial,
            council=issued.council,
            certificate=issued.certificate,
            key_digest=issued.key_digest,
            issued_at=issued.issued_at,
            expires_at=issued.expires_at,
        )
    )


def end_oldest(
    session: Session, council: GssCode, now: int, most: int, keep: Collection[str]
) -> None:
    """Withdraws a council's oldest valid certificates, so that `most` of them are left.

    Args:
        session: A transaction that writes.
        council: Whose.
        now: Seconds since 1970-01-01T00:00:00Z.
        most: How many may be valid.
        keep: Serial numbers of those that stay in any case.
    """
    valid = session.scalars(
        select(CertificateRow)
        .where(
            CertificateRow.council == council,
            CertificateRow.revoked_at.is_(None),
            CertificateRow.expires_at > now,
        )
        .order_by(CertificateRow.issued_at, CertificateRow.serial)
    ).all()
    surplus = len(valid) - most
    for row in [row for row in valid if row.serial not in keep][: max(0, surplus)]:
        row.revoked_at = now


def certificate_valid(
    database: Session | Connection, council: GssCode, serial: str, now: int
) -> bool:
    """True if the certificate is one of ours, for that council, and not revoked."""
    row = database.execute(_CERTIFICATE, {"serial": serial}).one_or_none()
    return (
        row is not None
        and row.council == council
        and row.revoked_at is None
        and row.expires_at > now
    )


def revoked_among(database: Database, serials: Collection[str]) -> set[str]:
    """Those of some certificates that were revoked.

    Args:
        database: Of the region.
        serials: Serial numbers, hexadecimal.
    """
    asked = list(serials)
    found: set[str] = set()
    with database.connection(writes=False) as connection:
        for begin in range(0, len(asked), _ASKED_AT_ONCE):
            query = select(_CERTIFICATES.c.serial).where(
                _CERTIFICATES.c.serial.in_(asked[begin : begin + _ASKED_AT_ONCE]),
                _CERTIFICATES.c.revoked_at.is_not(None),
            )
            found.update(connection.scalars(query))
    return found


class LastSeen:
    """When councils last called, to about `SEEN_SECONDS`. Threads may share it.

    Calls only note it, so that none of them waits for the disk; `write` is for a thread that
    has the time. What was noted and not written is lost if the process is killed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._noted: dict[GssCode, int] = {}
        self._unwritten: dict[GssCode, int] = {}
        self._lock = threading.Lock()

    def note(self, council: GssCode, now: int) -> None:
        """Remembers that a council called."""
        with self._lock:
            if now - self._noted.get(council, -SEEN_SECONDS) >= SEEN_SECONDS:
                self._noted[council] = self._unwritten[council] = now

    def write(self) -> None:
        """Writes what was noted since it was last called, all in one transaction."""
        with self._lock:
            unwritten, self._unwritten = self._unwritten, {}
        if not unwritten:
            return
        try:
            with self._database.connection(writes=True) as connection:
                connection.execute(
                    _SEEN, [{"called": one, "at": now} for one, now in unwritten.items()]
                )
        except Exception:
            with self._lock:
                self._unwritten = unwritten | self._unwritten
            raise


def revoke(database: Database, council: GssCode, now: int) -> tuple[int, int]:
    """Withdraws a council's certificates, its unused invitations and its requests, at once.

    Returns:
        How many certificates and how many invitations were withdrawn.
    """
    with database.writing() as session:
        # Enrolments under way hold the invitation, renewals the council: certificates come
        # last, so that those which such transactions add are withdrawn too.
        session.get(CouncilRow, council, with_for_update=True)
        invitations = session.scalars(
            update(InvitationRow)
            .where(
                InvitationRow.council == council,
                InvitationRow.used_at.is_(None),
                InvitationRow.expires_at > now,
            )
            .values(expires_at=now)
            .returning(InvitationRow.token_digest)
        ).all()
        session.execute(delete(EnrolmentRequestRow).where(EnrolmentRequestRow.council == council))
        certificates = session.scalars(
            update(CertificateRow)
            .where(CertificateRow.council == council, CertificateRow.revoked_at.is_(None))
            .values(revoked_at=now)
            .returning(CertificateRow.serial)
        ).all()
    return len(certificates), len(invitations)
