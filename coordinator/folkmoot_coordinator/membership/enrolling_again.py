"""A council whose certificate has ended asks for another; a person of the region decides.

It proves that it holds the key of the certificate that has ended. That key may have been stolen
meanwhile, so it alone opens nothing: people of both sides compare the fingerprint of the new key.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from folkmoot.enrolment import ENROL_AGAIN_SIGNATURE_DOMAIN, request_fingerprint
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.rejection import Rejected, Rejection, RejectionReason
from folkmoot_coordinator.clock import HOUR, Clock
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import CertificateRow, CouncilRow, EnrolmentRequestRow
from folkmoot_coordinator.membership.authorities import KeptAuthorities
from folkmoot_coordinator.membership.certificate_authority import SigningRequest
from folkmoot_coordinator.membership.councils import record_certificate
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import ExitCode, Problem

MOST_WAITING = 4
"""Requests of a council that wait at one time; a further one takes the place of the oldest."""
APPROVED, REFUSED = "enrolment approved", "enrolment refused"
"""Actions in the audit log."""
_NEW_INVITATION = "ask the region for a new invitation (`folkmoot-coordinator invite`)"


@dataclass(frozen=True, slots=True)
class Waiting:
    """A request about which nobody has decided yet.

    Attributes:
        council: Who asks.
        fingerprint: Of the new key; people compare it.
        ended: Serial number of the certificate that has ended, hexadecimal.
        asked_at: Seconds since 1970-01-01T00:00:00Z.
        until: When the request ends, seconds since 1970-01-01T00:00:00Z.
    """

    council: GssCode
    fingerprint: str
    ended: str
    asked_at: int
    until: int

    def __str__(self) -> str:
        return (
            f"{self.council} asks for a certificate in place of one that has ended, fingerprint "
            f"{self.fingerprint}, until {to_text(self.until)}"
        )

    @property
    def remedy(self) -> str:
        """What a person of the region does about it."""
        return (
            "Ring the council on a number that you know, and compare the fingerprint. If it is the "
            f"same, run `folkmoot-coordinator councils approve {self.council} --fingerprint "
            f'"{self.fingerprint}"`; else `councils refuse` with the same words'
        )


class EnrolmentAgain:
    """Keeps requests, and gives certificates for those that were approved."""

    def __init__(
        self,
        database: Database,
        authorities: KeptAuthorities,
        clock: Clock,
        *,
        node_days: float,
        keep_hours: int,
    ) -> None:
        """Keeps requests, and what was approved and not fetched, for `keep_hours`."""
        self._database = database
        self._authorities = authorities
        self._clock = clock
        self._node_days = node_days
        self._keep = keep_hours * HOUR

    def ask(self, certificate: bytes, csr: bytes, signature: bytes) -> tuple[GssCode, bytes | int]:
        """Keeps a request, or answers one that was decided.

        Args:
            certificate: The certificate that has ended, DER.
            csr: PKCS#10 signing request for the new key, DER. Its subject is ignored.
            signature: By the old key, over the domain and `csr`; ECDSA with SHA-256, DER.

        Returns:
            The council, and the new certificate (DER) or, while nobody has decided, until when
            the request is kept (seconds since 1970-01-01T00:00:00Z).

        Raises:
            Rejected: MALFORMED; CERTIFICATE, if the old certificate is not known, has not ended,
                or was revoked, or if the region has refused.
        """
        try:
            request = SigningRequest.parse(csr)
        except ContractError as error:
            raise _rejected(str(error), RejectionReason.MALFORMED) from error
        serial = _proven_serial(certificate, csr, signature)
        now = self._clock()
        with self._database.writing() as session:
            ended = session.get(CertificateRow, serial)
            if ended is None or ended.certificate != certificate:
                raise _rejected(f"the certificate is not known here; {_NEW_INVITATION}")
            council = GssCode(ended.council)
            session.get(CouncilRow, council, with_for_update=True)
            if ended.revoked_at is not None:
                raise _rejected(f"the certificate has been revoked; {_NEW_INVITATION}")
            if ended.expires_at > now:
                raise _rejected(
                    f"the certificate is valid until {to_text(ended.expires_at)}, by the region's "
                    "clock; renew it (`folkmoot-node renew`)"
                )
            _forget_old(session, now)
            row = session.get(EnrolmentRequestRow, (council, request.key_digest))
            if row is None:
                _make_room(session, council)
                row = EnrolmentRequestRow(
                    council=council,
                    key_digest=request.key_digest,
                    ended=serial,
                    asked_at=now,
                    expires_at=now + self._keep,
                )
                session.add(row)
                return council, row.expires_at
            if row.refused_at is not None:
                raise _rejected("the region has refused the request; ask it by telephone why")
            if row.approved_at is None:
                return council, row.expires_at
            return council, self._issued(session, row, request, now)

    def _issued(
        self, session: Session, row: EnrolmentRequestRow, request: SigningRequest, now: int
    ) -> bytes:
        """The certificate of an approved request: the same one, however often it is asked for."""
        if row.serial is not None:
            known = session.get(CertificateRow, row.serial)
            if known is None or known.revoked_at is not None:
                raise _rejected(f"the certificate has been revoked; {_NEW_INVITATION}")
            content: bytes = known.certificate
            return content
        issuing = self._authorities.current().issuing
        council = GssCode(row.council)
        issued = issuing.issue_node_certificate(request, council, now, self._node_days)
        record_certificate(session, issued)
        row.serial = issued.serial
        return issued.certificate


def waiting_requests(database: Database, now: int) -> tuple[Waiting, ...]:
    """Requests about which nobody has decided, in order of council and time."""
    query = (
        select(EnrolmentRequestRow)
        .where(
            EnrolmentRequestRow.approved_at.is_(None),
            EnrolmentRequestRow.refused_at.is_(None),
            EnrolmentRequestRow.expires_at > now,
        )
        .order_by(EnrolmentRequestRow.council, EnrolmentRequestRow.asked_at)
    )
    with database.reading() as session:
        return tuple(_waiting(row) for row in session.scalars(query))


def decide(
    database: Database, council: GssCode, fingerprint: str, now: int, keep_hours: int, *, yes: bool
) -> Waiting:
    """Approves or refuses a request, and writes it into the audit log.

    Args:
        database: Of the region.
        council: Who asked.
        fingerprint: As the council has read it out; spaces do not matter.
        now: Seconds since 1970-01-01T00:00:00Z.
        keep_hours: How long an approved certificate can be fetched.
        yes: True to approve.

    Raises:
        Problem: If no request of the council has that fingerprint.
    """
    wanted = "".join(fingerprint.split()).lower()
    with database.writing() as session:
        found = [
            row
            for row in session.scalars(
                select(EnrolmentRequestRow).where(
                    EnrolmentRequestRow.council == council,
                    EnrolmentRequestRow.approved_at.is_(None),
                    EnrolmentRequestRow.refused_at.is_(None),
                    EnrolmentRequestRow.expires_at > now,
                )
            )
            if request_fingerprint(row.key_digest).replace(" ", "") == wanted
        ]
        if not found:
            raise Problem(
                "no request of this council that waits has this fingerprint",
                where=council,
                remedy="`folkmoot-coordinator councils requests` lists them. If the council reads "
                "out another fingerprint, somebody else asks in its name: refuse it",
                exit_code=ExitCode.REFUSED,
            )
        (row,) = found
        if yes:
            row.approved_at, row.expires_at = now, now + keep_hours * HOUR
        else:
            row.refused_at = now
        decided = _waiting(row)
        details = {"council": council, "fingerprint": decided.fingerprint, "ended": row.ended}
        audit_log.note(session, now, APPROVED if yes else REFUSED, details)
    return decided


def _waiting(row: EnrolmentRequestRow) -> Waiting:
    fingerprint = request_fingerprint(row.key_digest)
    return Waiting(GssCode(row.council), fingerprint, row.ended, row.asked_at, row.expires_at)


def _proven_serial(certificate: bytes, csr: bytes, signature: bytes) -> str:
    """Serial number of a certificate whose key has signed the request."""
    try:
        ended = x509.load_der_x509_certificate(certificate)
        key = ended.public_key()
        if not isinstance(key, ec.EllipticCurvePublicKey):
            raise TypeError  # no certificate of ours has another
        key.verify(signature, ENROL_AGAIN_SIGNATURE_DOMAIN + csr, ec.ECDSA(hashes.SHA256()))
    except (ValueError, TypeError, InvalidSignature):
        raise _rejected(
            "the request is not signed by the key of a certificate of this region",
            RejectionReason.MALFORMED,
        ) from None
    return format(ended.serial_number, "x")


def _forget_old(session: Session, now: int) -> None:
    session.execute(delete(EnrolmentRequestRow).where(EnrolmentRequestRow.expires_at <= now))


def _make_room(session: Session, council: GssCode) -> None:
    """Deletes a council's oldest requests that wait, so that there is room for one."""
    waiting = session.scalars(
        select(EnrolmentRequestRow)
        .where(EnrolmentRequestRow.council == council, EnrolmentRequestRow.approved_at.is_(None))
        .order_by(EnrolmentRequestRow.asked_at, EnrolmentRequestRow.key_digest)
    ).all()
    for row in waiting[: max(0, len(waiting) - MOST_WAITING + 1)]:
        session.delete(row)


def _rejected(detail: str, reason: RejectionReason = RejectionReason.CERTIFICATE) -> Rejected:
    return Rejected(Rejection(reason, detail))
