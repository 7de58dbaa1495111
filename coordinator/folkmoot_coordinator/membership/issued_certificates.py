"""Every certificate that councils have, so that a second one for a council is seen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from folkmoot.geography import GssCode
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import CertificateRow


class Validity(StrEnum):
    """Whether a node may use a certificate now."""

    VALID = "valid"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class KnownCertificate:
    """A certificate that was issued to a council.

    Attributes:
        council: Council it is bound to.
        serial: Serial number, hexadecimal.
        fingerprint: SHA-256 of the certificate (DER), hexadecimal: what other programs show too.
        issued_at: Seconds since 1970-01-01T00:00:00Z.
        expires_at: Seconds since 1970-01-01T00:00:00Z.
        revoked_at: Seconds since 1970-01-01T00:00:00Z; None if it was not.
    """

    council: GssCode
    serial: str
    fingerprint: str
    issued_at: int
    expires_at: int
    revoked_at: int | None

    def validity(self, now: int) -> Validity:
        """Whether a node may use it.

        Args:
            now: Seconds since 1970-01-01T00:00:00Z.
        """
        if self.revoked_at is not None:
            return Validity.REVOKED
        return Validity.VALID if self.expires_at > now else Validity.EXPIRED


def issued_certificates(
    database: Database, council: GssCode | None = None
) -> tuple[KnownCertificate, ...]:
    """The certificates of one council, or of all, in order of council and issue."""
    query = select(CertificateRow).order_by(
        CertificateRow.council, CertificateRow.issued_at, CertificateRow.serial
    )
    if council is not None:
        query = query.where(CertificateRow.council == council)
    with database.reading() as session:
        return tuple(
            KnownCertificate(
                council=GssCode(row.council),
                serial=row.serial,
                fingerprint=hashlib.sha256(row.certificate).hexdigest(),
                issued_at=row.issued_at,
                expires_at=row.expires_at,
                revoked_at=row.revoked_at,
            )
            for row in session.scalars(query)
        )
