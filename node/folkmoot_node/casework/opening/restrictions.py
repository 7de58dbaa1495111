"""Households that not everybody may see: restricted ones, and those of people who work here.

A restricted household opens only for those who hold the right `restrict`. Somebody who is barred
from a household sees nothing of it whatever their roles. Both are asked before any page of a case
(`HouseholdDoor`), when a household is opened, and at each look.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.households import household_id, uprn_of
from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.cases.models import CaseRow
from folkmoot_node.casework.ids import new_id
from folkmoot_node.casework.opening.models import BarRow, RestrictionRow
from folkmoot_operator.moments import day
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.site import State
from folkmoot_web.visitors import Visitor

RESTRICTED = "household restricted"
LIFTED = "restriction lifted"
BARRED = "person barred from household"
BAR_LIFTED = "bar lifted"
"""Actions of the log."""


class RestrictionKind(StrEnum):
    """Why a household is restricted."""

    SAFE_ADDRESS = "safe address"
    """Somebody lives there whom others must not find. It stays restricted after its last day
    until a person lifts it: a date that was forgotten must not show the address."""
    STAFF = "staff"
    """Somebody who works for the council, or who is close to them."""
    CONFLICT = "conflict of interest"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Restriction:
    """A restriction in force.

    Attributes:
        restriction_id: What its address and the log call it.
        household: Id of the household.
        kind: Why.
        reason: In the words of who restricted it.
        ends_on: Last day.
        made_at: Seconds since 1970-01-01T00:00:00Z.
        made_by: Who restricted it.
        is_due: Whether its last day is over: a person has to look at it.
    """

    restriction_id: str
    household: str
    kind: RestrictionKind
    reason: str
    ends_on: datetime.date
    made_at: int
    made_by: str
    is_due: bool


@dataclass(frozen=True, slots=True)
class Bar:
    """A person who may not see a household.

    Attributes:
        bar_id: What its address and the log call it.
        household: Id of the household.
        account: Who may not see it.
        reason: In the words of who recorded it.
        made_at: Seconds since 1970-01-01T00:00:00Z.
        made_by: Who recorded it.
    """

    bar_id: str
    household: str
    account: str
    reason: str
    made_at: int
    made_by: str


class Restrictions:
    """The restrictions of a council."""

    def __init__(self, state: State) -> None:
        self._state = state

    def restrict(
        self,
        visitor: Visitor,
        uprn: int,
        kind: RestrictionKind,
        reason: str,
        ends_on: datetime.date,
    ) -> str:
        """Restricts a household; the id of the restriction.

        Raises:
            WebProblem: Status 403, if they may not.
        """
        with self._state.database.writing() as session:
            household = self._household(session, visitor, uprn)
            row = RestrictionRow(
                restriction_id=new_id(),
                household_id=household,
                kind=kind,
                reason=reason,
                ends_on=ends_on.isoformat(),
                made_at=self._state.clock(),
                made_by=visitor.name,
            )
            session.add(row)
            detail = {
                "restriction": row.restriction_id,
                "household": household,
                "kind": kind.value,
                "reason": reason,
                "until": row.ends_on,
            }
            self._state.audit.record(session, RESTRICTED, visitor.name, detail)
            return row.restriction_id

    def lift(self, visitor: Visitor, restriction_id: str, reason: str) -> None:
        """Ends a restriction.

        Raises:
            WebProblem: Status 403 if they may not; 404 if there is no such restriction now.
        """
        with self._state.database.writing() as session:
            row = session.get(RestrictionRow, restriction_id)
            if row is None or not self._is_in_force(row):
                raise problem_of_status(404)
            self._require_may_change(session, visitor, row.household_id)
            row.lifted_at = self._state.clock()
            detail = {
                "restriction": restriction_id,
                "household": row.household_id,
                "reason": reason,
            }
            self._state.audit.record(session, LIFTED, visitor.name, detail)

    def bar(self, visitor: Visitor, uprn: int, account: str, reason: str) -> str:
        """Records that a person may not see a household; the id of the record.

        Raises:
            WebProblem: Status 403, if they may not.
        """
        with self._state.database.writing() as session:
            household = self._household(session, visitor, uprn)
            row = BarRow(
                bar_id=new_id(),
                household_id=household,
                account=account.strip().lower(),
                reason=reason,
                made_at=self._state.clock(),
                made_by=visitor.name,
            )
            session.add(row)
            detail = {
                "bar": row.bar_id,
                "household": household,
                "person": row.account,
                "reason": reason,
            }
            self._state.audit.record(session, BARRED, visitor.name, detail)
            return row.bar_id

    def lift_bar(self, visitor: Visitor, bar_id: str, reason: str) -> None:
        """Ends a bar; nobody ends one of their own.

        Raises:
            WebProblem: Status 403 if they may not; 404 if there is no such bar now.
        """
        with self._state.database.writing() as session:
            row = session.get(BarRow, bar_id)
            if row is None or row.lifted_at is not None:
                raise problem_of_status(404)
            self._require_may_change(session, visitor, row.household_id)
            row.lifted_at = self._state.clock()
            detail = {
                "bar": bar_id,
                "household": row.household_id,
                "person": row.account,
                "reason": reason,
            }
            self._state.audit.record(session, BAR_LIFTED, visitor.name, detail)

    def listed(self) -> tuple[list[Restriction], list[Bar]]:
        """Restrictions and bars in force, newest first."""
        newest = RestrictionRow.made_at.desc(), RestrictionRow.restriction_id
        bars = select(BarRow).where(BarRow.lifted_at.is_(None))
        with self._state.database.reading() as session:
            rows = session.scalars(
                select(RestrictionRow).where(self._in_force()).order_by(*newest)
            ).all()
            barred = session.scalars(bars.order_by(BarRow.made_at.desc(), BarRow.bar_id)).all()
        return [self._restriction(row) for row in rows], [
            Bar(row.bar_id, row.household_id, row.account, row.reason, row.made_at, row.made_by)
            for row in barred
        ]

    def hidden_from(self, visitor: Visitor, households: Collection[str] = ()) -> frozenset[str]:
        """Households that somebody may not see: lists show them without a link.

        Args:
            visitor: Who asks.
            households: Ids of those that are listed; all if empty.
        """
        with self._state.database.reading() as session:
            found = self._hidden(session, visitor)
        return found & set(households) if households else found

    def restricted(self) -> frozenset[int]:
        """UPRNs of the restricted households, for what makes files of households."""
        query = select(RestrictionRow.household_id).where(self._in_force())
        with self._state.database.reading() as session:
            found = (uprn_of(session, household) for household in session.scalars(query).all())
            return frozenset(uprn for uprn in found if uprn is not None)

    def is_hidden(self, session: Session, visitor: Visitor, household: str) -> bool:
        """Whether somebody may not see a household."""
        return household in self._hidden(session, visitor, household)

    def hidden_household(
        self, visitor: Visitor, household_of: Callable[[Session, str], str | None], value: str
    ) -> str | None:
        """The id of a household if it is hidden from somebody; None if it is not.

        Args:
            visitor: Who asks.
            household_of: Which household something is about; None if there is no such thing.
            value: Id of that thing.
        """
        with self._state.database.reading() as session:
            household = household_of(session, value)
            if household is None or not self.is_hidden(session, visitor, household):
                return None
            return household

    def hidden_cases(self, visitor: Visitor) -> frozenset[str]:
        """Cases whose households somebody may not see."""
        with self._state.database.reading() as session:
            hidden = self._hidden(session, visitor)
            if not hidden:
                return frozenset()
            query = select(CaseRow.case_id).where(CaseRow.household_id.in_(hidden))
            return frozenset(session.scalars(query))

    def may_see_case(self, visitor: Visitor, case_id: str) -> bool:
        """Whether somebody may see a case; True if there is no such case."""
        with self._state.database.reading() as session:
            case = session.get(CaseRow, case_id)
            return case is None or not self.is_hidden(session, visitor, case.household_id)

    def _hidden(
        self, session: Session, visitor: Visitor, household: str | None = None
    ) -> frozenset[str]:
        barred = select(BarRow.household_id).where(
            BarRow.account == visitor.name, BarRow.lifted_at.is_(None)
        )
        restricted = select(RestrictionRow.household_id).where(self._in_force())
        if household is not None:
            barred = barred.where(BarRow.household_id == household)
            restricted = restricted.where(RestrictionRow.household_id == household)
        found = set(session.scalars(barred))
        if not visitor.may(Right.RESTRICT):
            found.update(session.scalars(restricted))
        return frozenset(found)

    def _household(self, session: Session, visitor: Visitor, uprn: int) -> str:
        if not visitor.may(Right.RESTRICT):
            raise problem_of_status(403)
        return household_id(session, uprn)

    def _require_may_change(self, session: Session, visitor: Visitor, household: str) -> None:
        if not visitor.may(Right.RESTRICT):
            raise problem_of_status(403)
        if self.is_hidden(session, visitor, household):
            raise not_visible()

    def _in_force(self) -> ColumnElement[bool]:
        today = day(self._state.clock()).isoformat()
        lasts = or_(
            RestrictionRow.kind == RestrictionKind.SAFE_ADDRESS, RestrictionRow.ends_on >= today
        )
        return RestrictionRow.lifted_at.is_(None) & lasts

    def _is_in_force(self, row: RestrictionRow) -> bool:
        lasts = row.kind == RestrictionKind.SAFE_ADDRESS or not self._is_over(row)
        return row.lifted_at is None and lasts

    def _is_over(self, row: RestrictionRow) -> bool:
        return row.ends_on < day(self._state.clock()).isoformat()

    def _restriction(self, row: RestrictionRow) -> Restriction:
        return Restriction(
            row.restriction_id,
            row.household_id,
            RestrictionKind(row.kind),
            row.reason,
            datetime.date.fromisoformat(row.ends_on),
            row.made_at,
            row.made_by,
            self._is_over(row),
        )


def not_visible() -> WebProblem:
    """The page for somebody who may not see a household; it does not say why."""
    return WebProblem(
        403,
        "You may not see this household",
        "It is restricted, or it is recorded that you have to do with it yourself.",
        "If your work needs it, ask the person who restricts households at the council.",
    )
