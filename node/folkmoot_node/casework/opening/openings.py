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
from folkmoot_node.casework.cases.models import CaseRow
from folkmoot_node.casework.ids import new_id
from folkmoot_node.casework.opening.models import OpeningRow
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.site import State
from folkmoot_web.visitors import Visitor

OPENED = "household opened"
SHOWN = "household shown"
REFUSED = "household not opened"
"""Actions of the log."""
_DAY = int(timedelta(days=1).total_seconds())


@dataclass(frozen=True, slots=True)
class Opened:
    """A household that may be shown now: the entry of the log is durable.

    Attributes:
        uprn: Unique property reference number.
        household: Its id in addresses and logs.
        case_id: The case for which it was opened.
        reason: As it was stated.
        ends_at: When the reason has to be stated again, seconds since 1970-01-01T00:00:00Z.
        sources: Sensitive sources that may be shown.
    """

    uprn: int
    household: str
    case_id: str
    reason: str
    ends_at: int
    sources: frozenset[str]


class Openings:
    """Opens households."""

    def __init__(self, state: State, policy: CaseworkPolicy) -> None:
        self._state = state
        self._policy = policy

    def open(self, visitor: Visitor, case_id: str, reason: str) -> None:
        """Opens the household of a case for whoever asks.

        Args:
            visitor: Who asks.
            case_id: The case for which they ask.
            reason: In their words.

        Raises:
            WebProblem: Status 403 if they may not; 404 if there is no such case; 429 if they have
                opened too many today.
        """
        now = self._state.clock()
        why_not: WebProblem | None = None
        with self._state.database.writing() as session:
            case = _case(session, case_id)
            why_not = self._why_not(session, visitor, now)
            detail = {"case": case_id, "household": case.household_id, "reason": reason}
            if why_not is not None:
                detail["why_not"] = why_not.title
                self._state.audit.record(session, REFUSED, visitor.name, detail)
            else:
                ends_at = now + self._policy.openings.minutes * 60
                self._state.audit.record(
                    session, OPENED, visitor.name, {**detail, "until": ends_at}
                )
                session.add(
                    OpeningRow(
                        opening_id=new_id(),
                        account=visitor.name,
                        case_id=case_id,
                        reason=reason,
                        opened_at=now,
                        ends_at=ends_at,
                    )
                )
        if why_not is not None:
            raise why_not

    def is_open(self, visitor: Visitor, case_id: str) -> bool:
        """Whether somebody has opened the household of a case, and the time is not over."""
        with self._state.database.reading() as session:
            return self._current(session, visitor, case_id) is not None

    def look(self, visitor: Visitor, case_id: str, what: str) -> Opened:
        """Notes a look at a household; the entry is durable when this returns.

        Args:
            visitor: Who looks.
            case_id: The case.
            what: What they are shown: `score`, `contacts`.

        Raises:
            WebProblem: Status 403 if the household is not open for them; 404 if there is no such
                case.
        """
        with self._state.database.writing() as session:
            case = _case(session, case_id)
            opening = self._current(session, visitor, case_id)
            if opening is None or not visitor.may(Right.OPEN):
                raise WebProblem(
                    403,
                    "This household is not open",
                    "A household is opened for a case, with a reason, for a limited time.",
                    "Go back to the case, and state why you open it.",
                )
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

    def _why_not(self, session: Session, visitor: Visitor, now: int) -> WebProblem | None:
        if not visitor.may(Right.OPEN):
            return problem_of_status(403)
        day = select(func.count()).where(
            OpeningRow.account == visitor.name, OpeningRow.opened_at > now - _DAY
        )
        if (session.scalar(day) or 0) >= self._policy.openings.per_day:
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


def _case(session: Session, case_id: str) -> CaseRow:
    found = session.get(CaseRow, case_id)
    if found is None:
        raise problem_of_status(404)
    return found
