"""Cases: opened by a person's decision, given to people, changed by one of them at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.households import household_id
from folkmoot_node.casework.cases.models import CaseRow, ChangeRow
from folkmoot_node.casework.ids import new_id
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.site import State
from folkmoot_web.visitors import Visitor

CASE_OPENED = "case opened"
"""Action of the log; those of changes are named by whoever makes them."""


class CaseState(StrEnum):
    """Where a case stands."""

    NEW = "new"
    """Nobody has begun."""
    OPEN = "open"
    """Somebody works on it."""
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Case:
    """A case, without what is known of its household.

    Attributes:
        case_id: What addresses and logs call it.
        household: Id of its household.
        purpose: What the case is for.
        state: Where it stands.
        cohort_id: The cohort whose member the household was; None for another reason.
        why: Why somebody decided to open it.
        team: Which team has it; None for none.
        worker: Who has it, by the name with which they sign in; None for nobody.
        opened_at: Seconds since 1970-01-01T00:00:00Z, as `flagged_at` and `closed_at`.
        opened_by: Who decided.
        flagged_at: When the run finished by which the household was in the cohort.
        band: Of the household in that run.
        review_on: Date as ISO 8601.
        closed_at: When it was closed; None while it is not.
        outcome: With which it was closed.
        version: Goes up with each change.
    """

    case_id: str
    household: str
    purpose: str
    state: CaseState
    cohort_id: str | None
    why: str
    team: str | None
    worker: str | None
    opened_at: int
    opened_by: str
    flagged_at: int | None
    band: str | None
    review_on: str | None
    closed_at: int | None
    outcome: str | None
    version: int


@dataclass(frozen=True, slots=True)
class Change:
    """A change of a case.

    Attributes:
        version: Of the case after it.
        action: As the log has it.
        by: Who made it, by the name with which they sign in.
        at: Seconds since 1970-01-01T00:00:00Z.
        changed: Values before and after, by column of `CaseRow`.
    """

    version: int
    action: str
    by: str
    at: int
    changed: Mapping[str, tuple[Any, Any]]


class Conflict(WebProblem):
    """Somebody else has changed a case since a page showed it.

    Attributes:
        case: As it is now.
        changes: Since then, oldest first.
    """

    def __init__(self, case: Case, changes: list[Change]) -> None:
        super().__init__(
            409,
            "Somebody else has changed this case",
            "Their change is kept, and yours is not stored yet.",
            "Open the case again, see what has changed, and enter yours once more.",
        )
        self.case = case
        self.changes = changes


class Cases:
    """The cases of a council."""

    def __init__(self, state: State) -> None:
        self._state = state

    def open(
        self,
        session: Session,
        uprn: int,
        *,
        purpose: str,
        why: str,
        by: Visitor,
        assessment: str = "{}",
        cohort_id: str | None = None,
        flagged_at: int | None = None,
        band: str | None = None,
        team: str | None = None,
    ) -> str:
        """Opens a case, in a transaction that writes; its id, or that of the one there is.

        A household has one case at a time for a purpose.

        Args:
            session: Of the transaction.
            uprn: The household.
            purpose: What the case is for.
            why: Why a person decided so.
            by: Who decided.
            assessment: The risk assessment as JSON.
            cohort_id: The cohort whose member the household is.
            flagged_at: When the run of the cohort finished.
            band: Of the household in that run.
            team: Which team gets it.
        """
        household = household_id(session, uprn)
        there = session.scalar(
            select(CaseRow.case_id).where(
                CaseRow.household_id == household,
                CaseRow.purpose == purpose,
                CaseRow.state != CaseState.CLOSED,
            )
        )
        if there is not None:
            return there
        row = CaseRow(
            case_id=new_id(),
            household_id=household,
            purpose=purpose,
            state=CaseState.NEW,
            cohort_id=cohort_id,
            why=why,
            team=team,
            opened_at=self._state.clock(),
            opened_by=by.name,
            flagged_at=flagged_at,
            band=band,
            assessment=assessment,
            version=1,
        )
        session.add(row)
        session.flush()
        self._state.audit.record(
            session,
            CASE_OPENED,
            by.name,
            # Not why: the log cannot be corrected or erased, and the case says it.
            {"case": row.case_id, "household": household, "cohort": cohort_id},
        )
        return row.case_id

    def get(self, case_id: str) -> Case:
        """A case.

        Raises:
            WebProblem: Status 404, if there is none.
        """
        with self._state.database.reading() as session:
            row = session.get(CaseRow, case_id)
            if row is None:
                raise problem_of_status(404)
            return case_of(row)

    def change(
        self,
        session: Session,
        case_id: str,
        version: int,
        action: str,
        by: Visitor,
        values: Mapping[str, Any],
        detail: Mapping[str, Any] | None = None,
    ) -> Case:
        """Changes a case that nobody has changed meanwhile, in a transaction that writes.

        Args:
            session: Of the transaction.
            case_id: The case.
            version: That the page showed on which somebody decided about the change.
            action: For the log.
            by: Who changes it.
            values: Columns of `CaseRow` and their new values.
            detail: More for the log: no free text about the household.

        Raises:
            WebProblem: Status 404 if there is no such case.
            Conflict: If somebody else has changed it.
        """
        row = locked_case(session, case_id)
        if row.version != version:
            raise Conflict(case_of(row), changes_since(session, case_id, version))
        changed = {
            name: [getattr(row, name), value]
            for name, value in values.items()
            if getattr(row, name) != value
        }
        for name, value in values.items():
            setattr(row, name, value)
        row.version = version + 1
        session.add(
            ChangeRow(
                case_id=case_id,
                version=row.version,
                action=action,
                by=by.name,
                at=self._state.clock(),
                changed=changed,
            )
        )
        session.flush()
        self._state.audit.record(session, action, by.name, {"case": case_id, **(detail or {})})
        return case_of(row)

    def history(self, case_id: str) -> list[Change]:
        """The changes of a case, oldest first; its opening is not among them."""
        with self._state.database.reading() as session:
            return changes_since(session, case_id, 0)

    def listed(
        self, *, worker: str | None = None, team: str | None = None, closed: bool = False
    ) -> list[Case]:
        """Cases, those that have waited longest first.

        Args:
            worker: Only those of one person.
            team: Only those of one team.
            closed: Those that are closed, instead of those that are not.
        """
        query = select(CaseRow).order_by(CaseRow.opened_at, CaseRow.case_id)
        is_closed = CaseRow.state == CaseState.CLOSED
        query = query.where(is_closed if closed else ~is_closed)
        if worker is not None:
            query = query.where(CaseRow.worker == worker)
        if team is not None:
            query = query.where(CaseRow.team == team)
        with self._state.database.reading() as session:
            return [case_of(row) for row in session.scalars(query)]


def locked_case(session: Session, case_id: str) -> CaseRow:
    """The row of a case, which nobody else changes until the transaction ends.

    Raises:
        WebProblem: Status 404, if there is none.
    """
    row = session.get(CaseRow, case_id, with_for_update=True)
    if row is None:
        raise problem_of_status(404)
    return row


def changes_since(session: Session, case_id: str, version: int) -> list[Change]:
    """The changes after a version of a case, oldest first."""
    found = session.scalars(
        select(ChangeRow)
        .where(ChangeRow.case_id == case_id, ChangeRow.version > version)
        .order_by(ChangeRow.version)
    )
    return [
        Change(
            row.version,
            row.action,
            row.by,
            row.at,
            {name: (before, after) for name, (before, after) in row.changed.items()},
        )
        for row in found
    ]


def case_of(row: CaseRow) -> Case:
    """A case as its row has it."""
    return Case(
        row.case_id,
        row.household_id,
        row.purpose,
        CaseState(row.state),
        row.cohort_id,
        row.why,
        row.team,
        row.worker,
        row.opened_at,
        row.opened_by,
        row.flagged_at,
        row.band,
        row.review_on,
        row.closed_at,
        row.outcome,
        row.version,
    )
