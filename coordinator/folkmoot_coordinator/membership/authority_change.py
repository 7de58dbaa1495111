"""Which councils are still with the authority before, while a region changes to another."""

from __future__ import annotations

from dataclasses import dataclass

from cryptography import x509
from sqlalchemy import select

from folkmoot.geography import GssCode
from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.database import audit_log
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import CertificateRow, InvitationRow
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.authorities import (
    Authorities,
    begin_change,
    end_change,
    load_authorities,
    renew_authority,
)
from folkmoot_coordinator.membership.certificate_authority import CLOCK_DAYS, Authority
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import ExitCode, Problem

RENEWED, BEGUN, FINISHED = "authority renewed", "authority change begun", "authority change ended"
"""Actions in the audit log."""


@dataclass(frozen=True, slots=True)
class Left:
    """Who has not come to the authority that follows.

    Attributes:
        moved: Councils whose newest valid certificate is by the authority that follows.
        behind: Councils whose newest valid certificate is by the one before, and until when it
            is valid (seconds since 1970-01-01T00:00:00Z).
        invited: Councils that have an invitation that names the one before and can be used.
    """

    moved: tuple[GssCode, ...]
    behind: dict[GssCode, int]
    invited: tuple[GssCode, ...]

    @property
    def is_nobody(self) -> bool:
        """Whether the change can end without leaving anybody behind."""
        return not self.behind and not self.invited


def who_is_left(database: Database, found: Authorities, now: int) -> Left:
    """Who has come to the authority that follows, and who has not.

    Args:
        database: Of the region.
        found: What signs now; the region must be changing its authority.
        now: Seconds since 1970-01-01T00:00:00Z.
    """
    following = found.following
    assert following is not None
    # Its certificate is dated back: invitations of that day name the one before all the same.
    since = int(following.certificate.not_valid_before_utc.timestamp()) + CLOCK_DAYS * DAY
    certificates = (
        select(CertificateRow)
        .where(CertificateRow.revoked_at.is_(None), CertificateRow.expires_at > now)
        .order_by(CertificateRow.council, CertificateRow.issued_at, CertificateRow.expires_at)
    )
    invitations = select(InvitationRow).where(
        InvitationRow.used_at.is_(None), InvitationRow.expires_at > now
    )
    with database.reading() as session:
        rows = session.scalars(certificates).all()
        invited = sorted(
            {row.council for row in session.scalars(invitations) if row.created_at < since}
        )
        # During a change none but the following authority issues, so that a certificate by it is
        # newer than all by the one before, also than one of the same second.
        moved = {
            row.council
            for row in rows
            if following.has_issued(x509.load_der_x509_certificate(row.certificate))
        }
        behind = {GssCode(row.council): row.expires_at for row in rows if row.council not in moved}
    return Left(tuple(map(GssCode, sorted(moved))), behind, tuple(map(GssCode, invited)))


def renew(home: Home, database: Database, now: int) -> Authority:
    """Gives the authority a certificate that begins today; see `renew_authority`."""
    renewed = renew_authority(home.keys, now)
    _note(database, now, RENEWED, {"until": to_text(renewed.expires_at)})
    return renewed


def begin(home: Home, database: Database, now: int) -> Authorities:
    """Begins a change of the authority; see `begin_change`."""
    before = load_authorities(home.keys).present
    found = begin_change(home.keys, home.settings().region, now)
    _note(
        database,
        now,
        BEGUN,
        {"from": before.key_digest.hex(), "to": found.issuing.key_digest.hex()},
    )
    return found


def finish(home: Home, database: Database, now: int, *, leave_behind: bool) -> Left:
    """Ends a change of the authority, and destroys the key of the one before.

    Args:
        home: The coordinator's folder.
        database: Of the region.
        now: Seconds since 1970-01-01T00:00:00Z.
        leave_behind: Whether it ends though councils have not come to the one that follows.

    Raises:
        Problem: If the region does not change its authority, or councils would be left behind.
    """
    found = load_authorities(home.keys)
    if found.following is None:
        end_change(home.keys)  # which says that there is none
    left = who_is_left(database, found, now)
    if not left.is_nobody and not leave_behind:
        raise Problem(
            f"some have not come to the authority that follows: {_names(left)}",
            where="authority",
            remedy="Their nodes do so at their next renewal (`folkmoot-node renew`), and those "
            "invited when they enrol. To end the change without them, add --leave-behind: each "
            "then needs a new invitation, and keeps its ledger",
            exit_code=ExitCode.REFUSED,
        )
    end_change(home.keys)
    _note(database, now, FINISHED, {"left_behind": [*left.behind, *left.invited]})
    return left


def _names(left: Left) -> str:
    invited = [f"{one} (invited)" for one in left.invited]
    return ", ".join([*left.behind, *invited])


def _note(database: Database, now: int, action: str, details: dict[str, object]) -> None:
    with database.writing() as session:
        audit_log.note(session, now, action, details)
