"""Opening a household: for whom the policy permits it, with a reason, for a case, for a time.

What is shown of a household needs an `Opened`, and only `Openings.look` makes one, after its entry
in the log is durable. If the entry cannot be written, nothing is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.households import uprn_of
from folkmoot_node.casework.authority.policy import CaseworkPolicy
from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.cases.cases import CaseState
from folkmoot_node.casework.cases.models import CaseRow
from folkmoot_node.casework.ids import new_id
from folkmoot_node.casework.opened import Opened
from folkmoot_node.casework.opening.models import OpeningRow
from folkmoot_node.casework.opening.restrictions import Restrictions, not_visible
from folkmoot_operator.moments import day
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.site import State
from folkmoot_web.visitors import Visitor

__all__ = [
    "CLOSED",
    "DAY",
    "OPENED",
    "REFUSED",
    "RENEWED",
    "SHOWN",
    "NotOpen",
    "Opened",
    "Opening",
    "Openings",
]

OPENED = "household opened"
RENEWED = "household kept open"
CLOSED = "household closed"
SHOWN = "household shown"
REFUSED = "household not opened"
"""Actions of the log."""
DAY = int(timedelta(days=1).total_seconds())
"""Over which openings, searches and exports are counted, in seconds."""


@dataclass(frozen=True, slots=True)
class Opening:
    """A household that somebody has open; it shows nothing of it.

    Attributes:
        reason: As it was stated.
        ends_at: When the reason has to be stated again, seconds since 1970-01-01T00:00:00Z.
    """

    reason: str
    ends_at: int


class NotOpen(WebProblem):
    """A page of a household that is not open for whoever asks: its page asks for the reason.

    Attributes:
        case_id: The case.
        was_open: Whether it was, and the time is over.
    """

    def __init__(self, case_id: str, *, was_open: bool) -> None:
        super().__init__(
            403,
            "This household is not open",
            "A household is opened for a case, with a reason, for a limited time.",
            "Go back to the case, and state why you open it.",
        )
        self.case_id = case_id
        self.was_open = was_open


class Openings:
    """Opens households."""

    def __init__(self, state: State, policy: CaseworkPolicy) -> None:
        self._state = state
        self._policy = policy
        self._restrictions = Restrictions(state)

    def open(self, visitor: Visitor, case_id: str, reason: str) -> None:
        """Opens the household of a case for whoever asks, or keeps it open for them.

        Args:
            visitor: Who asks.
            case_id: The case for which they ask.
            reason: As they stated it.

        Raises:
            WebProblem: Status 403 if they may not, or the household is hidden from them; 404 if
                there is no such case; 409 if it is closed; 429 if they have opened too many today.
        """
        now = self._state.clock()
        why_not: WebProblem | None = None
        with self._state.database.writing() as session:
            case = _case(session, case_id)
            before = self._current(session, visitor, case_id)
            why_not = self._why_not(session, visitor, case, now, is_open=before is not None)
            detail = {
                "case": case_id,
                "household": case.household_id,
                "reason": reason,
                "assigned": _assigned(case, visitor),
            }
            if why_not is not None:
                detail["why_not"] = why_not.title
                self._state.audit.record(session, REFUSED, visitor.name, detail)
            else:
                ends_at = now + self._policy.openings.minutes * 60
                action = OPENED if before is None else RENEWED
                self._state.audit.record(
                    session, action, visitor.name, {**detail, "until": ends_at}
                )
                session.add(
                    OpeningRow(
                        opening_id=new_id(),
                        account=visitor.name,
                        case_id=case_id,
                        reason=reason,
                        opened_at=now,
                        ends_at=ends_at,
                        renews=before is not None,
                    )
                )
        if why_not is not None:
            raise why_not

    def is_open(self, visitor: Visitor, case_id: str) -> bool:
        """Whether somebody has opened the household of a case, and the time is not over."""
        return self.opening(visitor, case_id) is not None

    def opening(self, visitor: Visitor, case_id: str) -> Opening | None:
        """Why and until when somebody has the household of a case open; None if they have not."""
        with self._state.database.reading() as session:
            row = self._current(session, visitor, case_id)
            return None if row is None else Opening(row.reason, row.ends_at)

    def close(self, visitor: Visitor, case_id: str) -> None:
        """Closes the household of a case for whoever asks; nothing if it is not open."""
        now = self._state.clock()
        with self._state.database.writing() as session:
            case = _case(session, case_id)
            rows = session.scalars(
                select(OpeningRow).where(
                    OpeningRow.account == visitor.name,
                    OpeningRow.case_id == case_id,
                    OpeningRow.ends_at > now,
                )
            ).all()
            for row in rows:
                row.ends_at = now
            if rows:
                self._state.audit.record(
                    session,
                    CLOSED,
                    visitor.name,
                    {"case": case_id, "household": case.household_id},
                )

    def look(self, visitor: Visitor, case_id: str, what: str) -> Opened:
        """Notes a look at a household; the entry is durable when this returns.

        Args:
            visitor: Who looks.
            case_id: The case.
            what: What they are shown: `score`, `contacts`.

        Raises:
            NotOpen: If the household is not open for them.
            WebProblem: Status 403 if it is hidden from them; 404 if there is no such case.
        """
        with self._state.database.writing() as session:
            case = _case(session, case_id)
            if self._restrictions.is_hidden(session, visitor, case.household_id):
                raise not_visible()
            opening = self._current(session, visitor, case_id)
            if opening is None or not _may_open(visitor):
                raise NotOpen(case_id, was_open=self._was_open(session, visitor, case_id))
            uprn = uprn_of(session, case.household_id)
            assert uprn is not None
            self._state.audit.record(
                session,
                SHOWN,
                visitor.name,
                {"case": case_id, "household": case.household_id, "what": what},
            )
            return Opened(
                uprn,
                case.household_id,
                case_id,
                opening.reason,
                opening.ends_at,
                self._policy.sources_of(visitor.roles),
            )

    def refuse(self, visitor: Visitor, household: str, page: str) -> None:
        """Notes that somebody asked for a page of a household that is hidden from them.

        Args:
            visitor: Who asked.
            household: Its id.
            page: The pattern of its address.
        """
        with self._state.database.writing() as session:
            detail = {"household": household, "page": page, "why_not": not_visible().title}
            self._state.audit.record(session, REFUSED, visitor.name, detail)

    def _why_not(
        self, session: Session, visitor: Visitor, case: CaseRow, now: int, *, is_open: bool
    ) -> WebProblem | None:
        if not _may_open(visitor):
            return problem_of_status(403)
        if self._restrictions.is_hidden(session, visitor, case.household_id):
            return not_visible()
        if day(now) > self._policy.sunset and not visitor.may(Right.RIGHTS):
            return WebProblem(
                403,
                "The casework policy has ended",
                f"Households were opened under it until {self._policy.sunset}.",
                "Ask the person who signs the policy for a new one.",
            )
        if case.state == CaseState.CLOSED and not visitor.may(Right.RIGHTS):
            return WebProblem(
                409,
                "This case is closed",
                "Its household opens only for those who answer what residents ask.",
                "If there is new work, open a case for it.",
            )
        if is_open:
            return None
        opened = select(func.count()).where(
            OpeningRow.account == visitor.name,
            OpeningRow.opened_at > now - DAY,
            OpeningRow.renews.is_(False),
        )
        if (session.scalar(opened) or 0) >= self._policy.openings.per_day:
            return WebProblem(
                429,
                "You have opened as many households as one person may in a day",
                f"The casework policy permits {self._policy.openings.per_day}.",
                "Go on tomorrow, or ask for cases to be given to others.",
            )
        return None

    def _current(self, session: Session, visitor: Visitor, case_id: str) -> OpeningRow | None:
        return session.scalar(
            select(OpeningRow)
            .where(
                OpeningRow.account == visitor.name,
                OpeningRow.case_id == case_id,
                OpeningRow.ends_at > self._state.clock(),
            )
            .order_by(OpeningRow.ends_at.desc())
            .limit(1)
        )

    def _was_open(self, session: Session, visitor: Visitor, case_id: str) -> bool:
        query = select(OpeningRow.opening_id).where(
            OpeningRow.account == visitor.name, OpeningRow.case_id == case_id
        )
        return session.scalar(query.limit(1)) is not None


def _may_open(visitor: Visitor) -> bool:
    """Residents are answered also after the policy's last day, when nothing else is permitted."""
    return visitor.may(Right.OPEN) or visitor.may(Right.RIGHTS)


def _assigned(case: CaseRow, visitor: Visitor) -> str:
    """Whose case it is, seen from somebody who opens it: kept by the log, since it changes."""
    if case.worker is None:
        return "nobody"
    return "self" if case.worker == visitor.name else "other"


def _case(session: Session, case_id: str) -> CaseRow:
    found = session.get(CaseRow, case_id)
    if found is None:
        raise problem_of_status(404)
    return found
