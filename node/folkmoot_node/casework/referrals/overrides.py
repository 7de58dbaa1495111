"""Legal grounds on which a household is referred without consent, and the second person."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.ids import new_id
from folkmoot_node.casework.referrals.kinds import Ground, ReferralState
from folkmoot_node.casework.referrals.models import OverrideRow, ReferralRow
from folkmoot_node.casework.referrals.transitions import find_referral, move, note_event
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.site import State
from folkmoot_web.visitors import Visitor

ASKED = "override asked"
APPROVED = "override approved"
REFUSED = "override refused"
"""Actions of the log."""


@dataclass(frozen=True, slots=True)
class Override:
    """A legal ground for a referral.

    Attributes:
        ground: Which.
        reason: Why it holds.
        asked_by: Who stated it.
        asked_at: Seconds since 1970-01-01T00:00:00Z, as `decided_at`.
        decided_by: Who approved or refused it; None while nobody has.
        decided_at: When.
        approved: Whether they approved it; None while nobody has decided.
    """

    ground: Ground
    reason: str
    asked_by: str
    asked_at: int
    decided_by: str | None
    decided_at: int | None
    approved: bool | None


class Overrides:
    """Legal grounds of a council's referrals."""

    def __init__(self, state: State) -> None:
        self._state = state

    def ask(self, case_id: str, referral_id: str, by: Visitor, ground: Ground, reason: str) -> bool:
        """States a legal ground for a referral; whether it holds at once.

        It does if whoever states it may override and has not written the referral; otherwise the
        referral waits for a second person.

        Raises:
            WebProblem: Status 403 if they may not; 404 if there is no such referral; 409 if it is
                no draft.
        """
        if not (by.may(Right.REFER) or by.may(Right.OVERRIDE)):
            raise problem_of_status(403)
        with self._state.database.writing() as session:
            row = find_referral(session, referral_id, case_id)
            if row.state != ReferralState.DRAFTED:
                raise _moved_on()
            now = self._state.clock()
            is_second = by.may(Right.OVERRIDE) and by.name != row.drafted_by
            override = OverrideRow(
                override_id=new_id(),
                referral_id=referral_id,
                ground=ground,
                reason=reason,
                asked_at=now,
                asked_by=by.name,
            )
            session.add(override)
            session.flush()
            self._note(session, ASKED, row, override, by)
            if is_second:
                self._approve(session, row, override, by)
                note_event(self._state, session, row, by.name, "Stated a legal ground")
            else:
                move(
                    self._state,
                    session,
                    row,
                    ReferralState.APPROVAL,
                    by.name,
                    "Asked for a legal ground to be approved",
                )
            return is_second

    def decide(self, case_id: str, referral_id: str, by: Visitor, *, approve: bool) -> None:
        """Approves or refuses the legal ground for which a referral waits.

        Raises:
            WebProblem: Status 403 if they may not, or would approve their own; 404 if there is no
                such referral; 409 if it does not wait.
        """
        if not by.may(Right.OVERRIDE):
            raise problem_of_status(403)
        with self._state.database.writing() as session:
            row = find_referral(session, referral_id, case_id)
            override = _latest(session, referral_id)
            if row.state != ReferralState.APPROVAL or override is None:
                raise _moved_on()
            if by.name in (row.drafted_by, override.asked_by):
                raise WebProblem(
                    403,
                    "A second person decides this",
                    "Nobody approves a legal ground for their own referral.",
                    "Ask somebody else who may override.",
                )
            if approve:
                self._approve(session, row, override, by)
            else:
                override.approved, override.decided_by = False, by.name
                override.decided_at = self._state.clock()
                session.flush()
                self._note(session, REFUSED, row, override, by)
            words = "Approved the legal ground" if approve else "Refused the legal ground"
            move(self._state, session, row, ReferralState.DRAFTED, by.name, words)

    def latest(self, referral_id: str) -> Override | None:
        """The legal ground that was stated last for a referral."""
        with self._state.database.reading() as session:
            row = _latest(session, referral_id)
            if row is None:
                return None
            return Override(
                Ground(row.ground),
                row.reason,
                row.asked_by,
                row.asked_at,
                row.decided_by,
                row.decided_at,
                row.approved,
            )

    def _approve(
        self, session: Session, row: ReferralRow, override: OverrideRow, by: Visitor
    ) -> None:
        override.approved, override.decided_by = True, by.name
        override.decided_at = self._state.clock()
        row.override_id = override.override_id
        session.flush()
        self._note(session, APPROVED, row, override, by)

    def _note(
        self, session: Session, action: str, row: ReferralRow, override: OverrideRow, by: Visitor
    ) -> None:
        detail = {"case": row.case_id, "household": row.household_id}
        detail |= {"referral": row.referral_id, "ground": override.ground}
        self._state.audit.record(session, action, by.name, detail)


def _latest(session: Session, referral_id: str) -> OverrideRow | None:
    query = select(OverrideRow).where(OverrideRow.referral_id == referral_id)
    order = (OverrideRow.asked_at.desc(), OverrideRow.decided_at.is_(None).desc())
    return session.scalar(query.order_by(*order).limit(1))


def _moved_on() -> WebProblem:
    return WebProblem(
        409,
        "This referral has moved on",
        "A legal ground is stated for a draft, and decided while the draft waits for it.",
        "Open the referral again, and see what has happened meanwhile.",
    )
