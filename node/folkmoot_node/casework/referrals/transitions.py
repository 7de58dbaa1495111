"""How a referral goes from one state to another: only here, with its entry in history and log."""

from __future__ import annotations

import json

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from folkmoot_node.casework.referrals.kinds import BEFORE, MOVES, ReferralState, agreed_name
from folkmoot_node.casework.referrals.models import (
    ConsentRow,
    EventRow,
    LinkRow,
    OverrideRow,
    ReferralRow,
)
from folkmoot_node.casework.referrals.postbox import tell_revoked
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.site import State

MOVED = "referral moved"
"""Action of the log; `state` says where it stands afterwards."""


def find_referral(session: Session, referral_id: str, case_id: str | None = None) -> ReferralRow:
    """The row of a referral, locked until the transaction ends.

    Args:
        session: Of a transaction.
        referral_id: The referral.
        case_id: The case of which it has to be.

    Raises:
        WebProblem: Status 404, if there is none.
    """
    row = session.get(ReferralRow, referral_id, with_for_update=True)
    if row is None or case_id not in (None, row.case_id):
        raise problem_of_status(404)
    return row


def move(
    state: State, session: Session, row: ReferralRow, to: ReferralState, by: str, note: str = ""
) -> None:
    """Moves a referral, in a transaction that writes.

    Args:
        state: The site's.
        session: Of the transaction.
        row: The referral.
        to: Its new state.
        by: Who does that: an account, or a service by a link.
        note: For its history; not for the log.

    Raises:
        WebProblem: Status 409, if that state cannot follow.
    """
    before = ReferralState(row.state)
    if to not in MOVES[before]:
        raise WebProblem(
            409,
            "This referral cannot do that now",
            f"It {before}." if before.startswith("waits") else f"It is {before}.",
            "Open the referral again, and see what has happened meanwhile.",
        )
    if to in (ReferralState.SENT, ReferralState.QUEUED) and not has_ground(session, row):
        raise WebProblem(
            403,
            "Nothing permits this referral",
            "There is neither consent to all that it hands over, nor an approved legal ground.",
            "Record consent and write it again, or ask for a legal ground to be approved.",
        )
    row.state = to
    row.version += 1
    if to == ReferralState.SENT:
        row.sent_at = state.clock()
    if to == ReferralState.REVOKED:
        tell_revoked(state, session, row, was_sent=row.sent_at is not None)
        session.execute(
            update(LinkRow)
            .where(LinkRow.referral_id == row.referral_id, LinkRow.closed_at.is_(None))
            .values(closed_at=state.clock())
        )
    note_event(state, session, row, by, note)
    state.audit.record(
        session,
        MOVED,
        by,
        {
            "case": row.case_id,
            "household": row.household_id,
            "referral": row.referral_id,
            "service": row.service_id,
            "state": to,
        },
    )


def unsent(session: Session, case_id: str, *, lock: bool = False) -> list[ReferralRow]:
    """The referrals of a case that have not left the council, locked if asked."""
    query = select(ReferralRow).where(
        ReferralRow.case_id == case_id, ReferralRow.state.in_(sorted(BEFORE))
    )
    if lock:
        query = query.with_for_update()
    return list(session.scalars(query.order_by(ReferralRow.referral_id)))


def note_event(state: State, session: Session, row: ReferralRow, by: str, note: str) -> None:
    """Adds a line to the history of a referral."""
    session.add(
        EventRow(referral_id=row.referral_id, at=state.clock(), by=by, state=row.state, note=note)
    )
    session.flush()


def has_ground(session: Session, row: ReferralRow) -> bool:
    """Whether there is consent to all that a referral hands over, or an approved legal ground."""
    return why_no_consent(session, row) is None or _is_overridden(session, row)


def why_no_consent(session: Session, row: ReferralRow) -> str | None:
    """Why consent does not permit a referral; None if it does."""
    if row.consent_id is None:
        return "No consent is recorded for this referral."
    consent = session.get(ConsentRow, row.consent_id, with_for_update=True)
    if consent is None or (consent.case_id, consent.service_id) != (row.case_id, row.service_id):
        return "The consent is for another referral."
    if consent.withdrawn_at is not None:
        return "The consent is withdrawn."
    missing = fields_not_agreed(consent, row)
    if missing:
        return "The consent does not cover: " + ", ".join(missing) + "."
    return None


def fields_not_agreed(consent: ConsentRow, row: ReferralRow) -> list[str]:
    """What a referral hands over without agreement, by title."""
    agreed = set(json.loads(consent.fields))
    return [
        str(one["title"])
        for one in json.loads(row.content)
        if agreed_name(one["field"]) not in agreed
    ]


def _is_overridden(session: Session, row: ReferralRow) -> bool:
    if row.override_id is None:
        return False
    found = session.get(OverrideRow, row.override_id)
    return (
        found is not None
        and found.referral_id == row.referral_id
        and found.approved is True
        and found.decided_by is not None
        and found.decided_by != row.drafted_by
    )


def referrals_of_consent(session: Session, consent_id: str) -> list[ReferralRow]:
    """The referrals that rest on a consent, locked."""
    query = select(ReferralRow).where(ReferralRow.consent_id == consent_id).with_for_update()
    return list(session.scalars(query.order_by(ReferralRow.referral_id)))
