"""How a council becomes a member of the region, and stays one."""

from __future__ import annotations

from math import ceil

from sqlalchemy import select
from sqlalchemy.orm import Session

from folkmoot.catalogue import check_policy_key
from folkmoot.council_codes import check_council
from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.rejection import Rejected, Rejection, RejectionReason
from folkmoot_coordinator.clock import DAY, Clock
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import CertificateRow, CouncilRow, InvitationRow
from folkmoot_coordinator.membership.authorities import KeptAuthorities
from folkmoot_coordinator.membership.caller import Member
from folkmoot_coordinator.membership.certificate_authority import (
    IssuedCertificate,
    SigningRequest,
)
from folkmoot_coordinator.membership.councils import (
    certificate_valid,
    end_oldest,
    record_certificate,
)
from folkmoot_coordinator.membership.invitations import TOKEN_BYTES, token_digest
from folkmoot_coordinator.membership.policy_keys import note_policy_key
from folkmoot_operator.moments import to_text

RENEWALS_A_DAY = 24
"""Certificates that a council gets by renewal within any 24 hours, unless they live for less than
four hours: see `renewals_a_day`."""
VALID_CERTIFICATES = 4
"""Certificates of a council that are valid at one time: a renewal ends the oldest beyond them,
but never the one with which it was asked for. So a renewal whose answer was lost does no harm,
and a second node of the council has room."""

_NEW_INVITATION = "ask the region for a new invitation (`folkmoot-coordinator invite`)"


class Enrolment:
    """Exchanges tokens and signing requests for certificates."""

    def __init__(
        self, database: Database, authorities: KeptAuthorities, clock: Clock, *, node_days: float
    ) -> None:
        self._database = database
        self._authorities = authorities
        self._clock = clock
        self._node_days = node_days

    def enrol(self, token: bytes, council: str, csr: bytes, policy_key: bytes = b"") -> bytes:
        """The certificate for a node that was invited.

        A node that lost the answer asks again with the same key and gets the same
        certificate.

        Args:
            token: One-time token of the invitation, 32 bytes.
            council: GSS code the node claims; must be that of the invitation.
            csr: PKCS#10 signing request, DER. Its subject is ignored.
            policy_key: Ed25519 public key whose signature of the release policy counts at the
                node, 32 bytes; empty if it does not say.

        Returns:
            Certificate, DER.

        Raises:
            Rejected: MALFORMED, TOKEN_INVALID, TOKEN_EXPIRED, TOKEN_USED, or CERTIFICATE
                if the certificate made before has been revoked.
        """
        code, request = _read(council, csr, policy_key)
        _require_council(code)
        if len(token) != TOKEN_BYTES:
            raise _rejected(
                RejectionReason.MALFORMED, f"token: has {len(token)} bytes; it needs {TOKEN_BYTES}"
            )
        now = self._clock()
        with self._database.writing() as session:
            invitation = session.scalar(
                select(InvitationRow)
                .where(InvitationRow.token_digest == token_digest(token))
                .with_for_update()
            )
            if invitation is None or invitation.council != code:
                raise _rejected(
                    RejectionReason.TOKEN_INVALID,
                    f"the token is unknown, or not for {code}; {_NEW_INVITATION}",
                )
            if invitation.used_at is not None:
                return _issued_before(session, invitation, request)
            if invitation.expires_at <= now:
                raise _rejected(
                    RejectionReason.TOKEN_EXPIRED,
                    f"the token expired at {to_text(invitation.expires_at)}; {_NEW_INVITATION}",
                )
            issued = self._issue(request, code, now)
            record_certificate(session, issued)
            note_policy_key(session, code, policy_key, now)
            invitation.used_at = now
            invitation.key_digest = issued.key_digest
            invitation.serial = issued.serial
            return issued.certificate

    def renew(self, member: Member, csr: bytes) -> bytes:
        """A new certificate for a council whose present one was just verified.

        That the present one is still valid is checked again in the transaction that
        records the new one, so that no renewal under way outlives a revocation.

        Args:
            member: Who is calling, and with which certificate.
            csr: PKCS#10 signing request, DER. Nodes of earlier versions send their old key.

        Returns:
            Certificate, DER.

        Raises:
            Rejected: MALFORMED; CERTIFICATE if the present one was revoked meanwhile, or,
                transient, if there were `RENEWALS_A_DAY`.
        """
        code, request = _read(member.council, csr)
        now = self._clock()
        with self._database.writing() as session:
            session.get(CouncilRow, code, with_for_update=True)
            if not certificate_valid(session, code, member.serial, now):
                raise _rejected(
                    RejectionReason.CERTIFICATE,
                    f"the certificate has been revoked; {_NEW_INVITATION}",
                )
            _check_renewals(session, code, now, renewals_a_day(self._node_days))
            issued = self._issue(request, code, now)
            record_certificate(session, issued)
            end_oldest(session, code, now, VALID_CERTIFICATES, keep=(member.serial, issued.serial))
        return issued.certificate

    def _issue(self, request: SigningRequest, code: GssCode, now: int) -> IssuedCertificate:
        issuing = self._authorities.current().issuing
        return issuing.issue_node_certificate(request, code, now, self._node_days)


def renewals_a_day(node_days: float) -> int:
    """Certificates that a council gets by renewal within any 24 hours.

    Args:
        node_days: Days for which one is valid; a node renews it when a third of them is left.
    """
    return max(RENEWALS_A_DAY, ceil(4 / node_days))


def _check_renewals(session: Session, council: GssCode, now: int, most: int) -> None:
    """Raises Rejected if the council has had its renewals of a day."""
    invited = select(InvitationRow.serial).where(
        InvitationRow.council == council, InvitationRow.serial.is_not(None)
    )
    renewed = session.scalars(
        select(CertificateRow.issued_at)
        .where(
            CertificateRow.council == council,
            CertificateRow.issued_at > now - DAY,
            CertificateRow.serial.not_in(invited),
        )
        .order_by(CertificateRow.issued_at)
    ).all()
    if len(renewed) >= most:
        raise Rejected(
            Rejection(
                RejectionReason.CERTIFICATE,
                f"{council} has renewed {len(renewed)} times within a day; it can again "
                f"from {to_text(renewed[-most] + DAY)}",
                transient=True,
            )
        )


def _read(council: str, csr: bytes, policy_key: bytes = b"") -> tuple[GssCode, SigningRequest]:
    try:
        check_policy_key(policy_key, "policy_key")
        return GssCode(council, "council"), SigningRequest.parse(csr)
    except ContractError as error:
        raise _rejected(RejectionReason.MALFORMED, str(error)) from error


def _require_council(code: GssCode) -> None:
    """Refuses what is no council, though an earlier version of this program invited it."""
    try:
        check_council(code)
    except ContractError as error:
        raise _rejected(RejectionReason.MALFORMED, str(error)) from error


def _issued_before(session: Session, invitation: InvitationRow, request: SigningRequest) -> bytes:
    if invitation.key_digest != request.key_digest:
        raise _rejected(
            RejectionReason.TOKEN_USED,
            f"the token was used before, with another key; {_NEW_INVITATION}",
        )
    row = session.execute(
        select(CertificateRow.certificate, CertificateRow.revoked_at).where(
            CertificateRow.serial == invitation.serial
        )
    ).one()
    if row.revoked_at is not None:
        raise _rejected(
            RejectionReason.CERTIFICATE,
            f"the certificate made for this token has been revoked; {_NEW_INVITATION}",
        )
    certificate: bytes = row.certificate
    return certificate


def _rejected(reason: RejectionReason, detail: str) -> Rejected:
    return Rejected(Rejection(reason, detail))
