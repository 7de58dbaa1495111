"""Finding a household by its UPRN: with a reason, noted first, and only so many a day.

A search says whether there is a case that the person may see, or whether the household was scored.
It shows nothing of the household, and where a household is hidden from somebody it finds nothing:
that an address is restricted is what must not be found out.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.households import household_id, known_id, uprn_of
from folkmoot_node.casework.authority.policy import CaseworkPolicy
from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.cases.cases import Cases, CaseState
from folkmoot_node.casework.cases.models import CaseRow
from folkmoot_node.casework.ids import new_id
from folkmoot_node.casework.opening.models import SearchRow
from folkmoot_node.casework.opening.openings import DAY
from folkmoot_node.casework.opening.restrictions import Restrictions
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.site import State
from folkmoot_web.visitors import Visitor

SEARCHED = "household searched for"
"""Action of the log."""


@dataclass(frozen=True, slots=True)
class FoundCase:
    """A case of the household that was found.

    Attributes:
        case_id: What its address calls it.
        purpose: What it is for.
        is_closed: Whether it is closed.
    """

    case_id: str
    purpose: str
    is_closed: bool


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found.

    Attributes:
        search_id: What its address calls it.
        is_known: Whether there is a household that the person may see: scored, or with a case.
        cases: Its cases, newest first.
    """

    search_id: str
    is_known: bool
    cases: tuple[FoundCase, ...]


class Searches:
    """The searches of a council."""

    def __init__(self, state: State, policy: CaseworkPolicy) -> None:
        self._state = state
        self._policy = policy
        self._restrictions = Restrictions(state)

    def search(self, visitor: Visitor, uprn: int, reason: str, *, is_scored: bool) -> str:
        """Notes a search; what it found is shown by `found` only after that is durable.

        Args:
            visitor: Who searches.
            uprn: Unique property reference number.
            reason: As they stated it.
            is_scored: Whether the last run scored a household with this UPRN.

        Returns:
            The id of the search.

        Raises:
            WebProblem: Status 403 if they may not; 429 if they have searched too often today.
        """
        now = self._state.clock()
        with self._state.database.writing() as session:
            if not visitor.may(Right.LISTS):
                raise problem_of_status(403)
            searched = select(func.count()).where(
                SearchRow.account == visitor.name, SearchRow.searched_at > now - DAY
            )
            if (session.scalar(searched) or 0) >= self._policy.openings.searches_per_day:
                raise WebProblem(
                    429,
                    "You have searched as often as one person may in a day",
                    f"The casework policy permits {self._policy.openings.searches_per_day}.",
                    "Go on tomorrow, or ask a colleague who works on the case.",
                )
            household = self._known(session, uprn, is_scored=is_scored)
            is_hidden = household is not None and self._restrictions.is_hidden(
                session, visitor, household
            )
            row = SearchRow(
                search_id=new_id(),
                account=visitor.name,
                searched_at=now,
                household_id=None if is_hidden else household,
            )
            session.add(row)
            detail = {
                "search": row.search_id,
                "household": household,
                "reason": reason,
                "hidden": "yes" if is_hidden else "no",
            }
            self._state.audit.record(session, SEARCHED, visitor.name, detail)
            return row.search_id

    def found(self, visitor: Visitor, search_id: str) -> Found:
        """What a search of one's own found, as long as an opening lasts.

        Raises:
            WebProblem: Status 404, if they made no such search, or its time is over.
        """
        with self._state.database.reading() as session:
            row = self._own(session, visitor, search_id)
            household = row.household_id
            if household is None or self._restrictions.is_hidden(session, visitor, household):
                return Found(search_id, is_known=False, cases=())
            rows = session.scalars(
                select(CaseRow)
                .where(CaseRow.household_id == household)
                .order_by(CaseRow.opened_at.desc(), CaseRow.case_id)
            )
            cases = tuple(
                FoundCase(one.case_id, one.purpose, one.state == CaseState.CLOSED) for one in rows
            )
            return Found(search_id, is_known=True, cases=cases)

    def open_case(
        self, cases: Cases, visitor: Visitor, search_id: str, purpose: str, why: str
    ) -> str:
        """Opens a case for a household that was found: help that no score has asked for.

        The case keeps no risk assessment: the decision was not taken on one.

        Returns:
            The id of the case, or of the one there is for that purpose.

        Raises:
            WebProblem: Status 403 if they may not decide; 404 as `found`, or if nothing was found.
        """
        with self._state.database.writing() as session:
            if not visitor.may(Right.DECIDE):
                raise problem_of_status(403)
            household = self._own(session, visitor, search_id).household_id
            if household is None or self._restrictions.is_hidden(session, visitor, household):
                raise problem_of_status(404)
            uprn = uprn_of(session, household)
            assert uprn is not None
            return cases.open(session, uprn, purpose=purpose, why=why, by=visitor)

    def _own(self, session: Session, visitor: Visitor, search_id: str) -> SearchRow:
        row = session.get(SearchRow, search_id)
        ends = self._policy.openings.minutes * 60
        if (
            row is None
            or row.account != visitor.name
            or row.searched_at + ends <= self._state.clock()
        ):
            raise problem_of_status(404)
        return row

    def _known(self, session: Session, uprn: int, *, is_scored: bool) -> str | None:
        """The id of a household that was scored, or that has had a case."""
        household = household_id(session, uprn) if is_scored else known_id(session, uprn)
        if household is None or is_scored:
            return household
        has_case = select(CaseRow.case_id).where(CaseRow.household_id == household).limit(1)
        return household if session.scalar(has_case) is not None else None
