"""Work lists: cases of a person, a team or nobody, those that have waited longest first."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, Result, and_, exists, func, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.cases.cases import Case, CaseState, case_of
from folkmoot_node.casework.cases.models import RIGHTS_PURPOSE, ActionRow, CaseRow, ContactRow
from folkmoot_node.casework.uk_time import uk_day
from folkmoot_web.site import State

DAY = 86_400
"""Seconds."""


class Filter(StrEnum):
    """Which cases of a list are shown."""

    OPEN = "open"
    NEW = "new"
    UNASSIGNED = "unassigned"
    OVERDUE = "overdue"
    REVIEW = "review"
    CLOSED = "closed"


FILTERS = {
    Filter.OPEN: "All that are not closed",
    Filter.NEW: "New: nobody has begun",
    Filter.UNASSIGNED: "With no worker",
    Filter.OVERDUE: "With an overdue action",
    Filter.REVIEW: "Due for review",
    Filter.CLOSED: "Closed",
}
"""As a page says them."""


@dataclass(frozen=True, slots=True)
class WorkItem:
    """A case in a list; nothing about the household.

    Attributes:
        case: The case.
        waiting_days: Since the household was flagged, or else since the case was opened.
        contacts: Contact events.
        overdue: Actions whose day has passed.
        is_review_due: Whether it is to be looked at again today, or was to be earlier.
    """

    case: Case
    waiting_days: int
    contacts: int
    overdue: int
    is_review_due: bool


class WorkLists:
    """The work lists of a council.

    Cases that only answer a resident stand among the requests and objections. Here they are in no
    list but of whoever works on them: nobody claims one to help a household.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def count(self, shown: Filter, *, worker: str | None = None, team: str | None = None) -> int:
        """How many cases a list has; arguments as `page`."""
        query = select(func.count()).select_from(CaseRow)
        with self._state.database.reading() as session:
            return session.scalar(query.where(*self._where(shown, worker, team))) or 0

    def page(
        self,
        shown: Filter,
        *,
        worker: str | None = None,
        team: str | None = None,
        first: int = 0,
        size: int = 25,
    ) -> list[WorkItem]:
        """A page of a list, those that have waited longest first.

        A household waits from when it was flagged, or else from when its case was opened. Neither
        score, team nor worker changes the order. Those that have waited equally long stand in the
        order of their ids, which are random. Of closed cases the one closed last stands first.

        Args:
            shown: Which cases.
            worker: Only those of one person.
            team: Only those of one team.
            first: Place of the first, from 0.
            size: At most so many.
        """
        waiting_since = func.coalesce(CaseRow.flagged_at, CaseRow.opened_at)
        order = CaseRow.closed_at.desc() if shown is Filter.CLOSED else waiting_since
        query = (
            select(CaseRow)
            .where(*self._where(shown, worker, team))
            .order_by(order, CaseRow.case_id)
            .offset(first)
            .limit(size)
        )
        with self._state.database.reading() as session:
            rows = session.scalars(query).all()
            return self._items(session, [case_of(row) for row in rows])

    def _items(self, session: Session, cases: list[Case]) -> list[WorkItem]:
        ids = [one.case_id for one in cases]
        contacts = _counts(
            session.execute(
                select(ContactRow.case_id, func.count())
                .where(ContactRow.case_id.in_(ids), ContactRow.removed_at.is_(None))
                .group_by(ContactRow.case_id)
            )
        )
        overdue = _counts(
            session.execute(
                select(ActionRow.case_id, func.count())
                .where(ActionRow.case_id.in_(ids), *self._is_overdue())
                .group_by(ActionRow.case_id)
            )
        )
        now, today = self._state.clock(), self._today()
        return [
            WorkItem(
                case,
                max(0, (now - (case.flagged_at or case.opened_at)) // DAY),
                contacts.get(case.case_id, 0),
                overdue.get(case.case_id, 0),
                case.review_on is not None and case.review_on <= today,
            )
            for case in cases
        ]

    def _where(
        self, shown: Filter, worker: str | None, team: str | None
    ) -> list[ColumnElement[bool]]:
        is_closed = CaseRow.state == CaseState.CLOSED
        found = [is_closed if shown is Filter.CLOSED else ~is_closed]
        if shown is Filter.NEW:
            found.append(CaseRow.state == CaseState.NEW)
        elif shown is Filter.UNASSIGNED:
            found.append(CaseRow.worker.is_(None))
        elif shown is Filter.OVERDUE:
            found.append(exists().where(ActionRow.case_id == CaseRow.case_id, *self._is_overdue()))
        elif shown is Filter.REVIEW:
            found.append(and_(CaseRow.review_on.isnot(None), CaseRow.review_on <= self._today()))
        if worker is None:
            found.append(CaseRow.purpose != RIGHTS_PURPOSE)
        else:
            found.append(CaseRow.worker == worker)
        if team is not None:
            found.append(CaseRow.team == team)
        return found

    def _is_overdue(self) -> tuple[ColumnElement[bool], ...]:
        return (
            ActionRow.done_at.is_(None),
            ActionRow.removed_at.is_(None),
            ActionRow.due_on < self._today(),
        )

    def _today(self) -> str:
        return uk_day(self._state.clock()).isoformat()


def _counts(found: Result[str, int]) -> dict[str, int]:
    return dict(row for row in found)
