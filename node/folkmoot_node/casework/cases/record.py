"""The record of a case: contact events, notes, assessments, the plan and its actions.

What people add never conflicts with what others add at the same time, so only the plan, which
replaces an earlier one, asks for the version of the case.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.cases.cases import Case, Cases, CaseState, locked_case
from folkmoot_node.casework.cases.models import (
    ActionRow,
    AssessmentRow,
    CaseRow,
    ContactRow,
    EntryRow,
    NoteRow,
    PlanRow,
)
from folkmoot_node.casework.cases.words import Channel, ContactOutcome
from folkmoot_node.casework.ids import new_id
from folkmoot_node.casework.opened import Opened
from folkmoot_node.casework.uk_time import uk_day
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.site import State
from folkmoot_web.visitors import Visitor

E = TypeVar("E", ContactRow, NoteRow, AssessmentRow, PlanRow, ActionRow)
KINDS: dict[str, type[EntryRow]] = {
    "contact": ContactRow,
    "note": NoteRow,
    "assessment": AssessmentRow,
    "plan": PlanRow,
    "action": ActionRow,
}
"""Tables of entries by what the log and addresses call them."""
ADDED = {kind: f"{kind} recorded" for kind in KINDS}
REMOVED = {kind: f"{kind} taken out" for kind in KINDS}
ACTION_DONE = "action done"
ACTION_NOT_DONE = "action not done"
"""Actions of the log."""


@dataclass(frozen=True, slots=True)
class Shown:
    """The record of a case, for who has opened its household; entries newest first.

    Attributes:
        contacts: Contact events, the latest first.
        notes: Notes.
        assessments: Whether a need was found; the first that was not taken out counts.
        plans: Plans; the first that was not taken out is the case's.
        actions: Those that are not done, then those that are, by the day on which they are due.
    """

    contacts: list[ContactRow]
    notes: list[NoteRow]
    assessments: list[AssessmentRow]
    plans: list[PlanRow]
    actions: list[ActionRow]

    @property
    def assessment(self) -> AssessmentRow | None:
        """The assessment that counts."""
        return next((one for one in self.assessments if one.removed_at is None), None)

    @property
    def plan(self) -> PlanRow | None:
        """The plan that counts."""
        return next((one for one in self.plans if one.removed_at is None), None)


@dataclass(frozen=True, slots=True)
class Counts:
    """How much is in the record of a case; nothing about the household.

    Attributes:
        contacts: Contact events.
        reached: Those in which somebody was reached.
        notes: Notes.
        is_assessed: Whether somebody has said whether there is a need.
        open_actions: Actions that are not done.
        overdue: Those of them whose day has passed.
    """

    contacts: int
    reached: int
    notes: int
    is_assessed: bool
    open_actions: int
    overdue: int


class CaseRecord:
    """What people record in cases."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._cases = Cases(state)

    def add_contact(
        self,
        session: Session,
        case_id: str,
        by: Visitor,
        *,
        happened_at: int,
        channel: Channel,
        outcome: ContactOutcome,
        text: str,
    ) -> str:
        """Records a contact event, in a transaction that writes; its id.

        Raises:
            WebProblem: Status 404 if there is no such case; 409 if it is closed.
        """
        return self._add(
            session,
            "contact",
            ContactRow(happened_at=happened_at, channel=channel, outcome=outcome, text=text),
            case_id,
            by,
        )

    def add_note(self, session: Session, case_id: str, by: Visitor, text: str) -> str:
        """Records a note; as `add_contact`."""
        return self._add(session, "note", NoteRow(text=text), case_id, by)

    def assess(
        self, session: Session, case_id: str, by: Visitor, needs: Sequence[str], text: str
    ) -> str:
        """Records an assessment; as `add_contact`.

        Args:
            session: Of the transaction.
            case_id: The case.
            by: Who assessed.
            needs: Names of the needs that were found; empty if none was.
            text: What they found.
        """
        row = AssessmentRow(is_need_found=bool(needs), needs=list(needs), text=text)
        return self._add(session, "assessment", row, case_id, by)

    def add_action(
        self, session: Session, case_id: str, by: Visitor, text: str, due_on: datetime.date
    ) -> str:
        """Records an action of the plan; as `add_contact`."""
        row = ActionRow(text=text, due_on=due_on.isoformat())
        return self._add(session, "action", row, case_id, by)

    def write_plan(
        self, session: Session, case_id: str, version: int, by: Visitor, text: str
    ) -> Case:
        """Replaces the plan.

        Raises:
            WebProblem: As `add_contact`.
            Conflict: If somebody else has changed the case, perhaps its plan.
        """
        changed = self._cases.change(session, case_id, version, ADDED["plan"], by, {})
        self._add(session, "plan", PlanRow(text=text), case_id, by, is_logged=False)
        return changed

    def mark(
        self, session: Session, case_id: str, entry_id: str, by: Visitor, *, is_done: bool
    ) -> None:
        """Marks an action as done, or as not done after all; nothing if it is marked so already.

        Raises:
            WebProblem: Status 404, if the case has no such action.
        """
        locked_case(session, case_id)
        row = session.get(ActionRow, entry_id)
        if row is None or row.case_id != case_id or row.removed_at is not None:
            raise problem_of_status(404)
        if (row.done_at is not None) == is_done:
            return
        row.done_at = self._state.clock() if is_done else None
        row.done_by = by.name if is_done else None
        session.flush()
        what = ACTION_DONE if is_done else ACTION_NOT_DONE
        self._state.audit.record(session, what, by.name, {"case": case_id, "entry": entry_id})

    def remove(self, session: Session, kind: str, case_id: str, entry_id: str, by: Visitor) -> None:
        """Takes out what was entered by mistake: its text is deleted, that it was there stays.

        Raises:
            WebProblem: Status 404 if the case has no such entry; 403 if neither did they enter it
                nor may they assign cases.
        """
        if kind not in KINDS:
            raise problem_of_status(404)
        locked_case(session, case_id)
        row = session.get(KINDS[kind], entry_id)
        if row is None or row.case_id != case_id:
            raise problem_of_status(404)
        if row.removed_at is not None:
            return
        if row.by != by.name and not by.may(Right.ASSIGN):
            raise WebProblem(
                403,
                "Only who entered this, or who gives out cases, can take it out",
                "Nothing was changed.",
                "Ask one of them.",
            )
        row.text = ""
        if isinstance(row, AssessmentRow):
            row.needs = []
        row.removed_at, row.removed_by = self._state.clock(), by.name
        session.flush()
        self._state.audit.record(
            session, REMOVED[kind], by.name, {"case": case_id, "entry": entry_id}
        )

    def of(self, opened: Opened) -> Shown:
        """The record of the case for which somebody has opened a household."""
        case_id = opened.case_id
        with self._state.database.reading() as session:
            contacts = session.scalars(
                select(ContactRow)
                .where(ContactRow.case_id == case_id)
                .order_by(ContactRow.happened_at.desc(), ContactRow.at.desc())
            ).all()
            actions = session.scalars(
                select(ActionRow)
                .where(ActionRow.case_id == case_id)
                .order_by(ActionRow.done_at.isnot(None), ActionRow.due_on, ActionRow.at)
            ).all()
            return Shown(
                list(contacts),
                _newest(session, NoteRow, case_id),
                _newest(session, AssessmentRow, case_id),
                _newest(session, PlanRow, case_id),
                list(actions),
            )

    def counts(self, case_id: str) -> Counts:
        """How much there is in the record of a case."""
        today = uk_day(self._state.clock()).isoformat()
        with self._state.database.reading() as session:

            def count(table: type[EntryRow], *where: object) -> int:
                query = (
                    select(func.count())
                    .select_from(table)
                    .where(table.case_id == case_id, table.removed_at.is_(None))
                )
                return session.scalar(query.where(*where)) or 0  # type: ignore[arg-type]

            waits = ActionRow.done_at.is_(None)
            return Counts(
                count(ContactRow),
                count(ContactRow, ContactRow.outcome == ContactOutcome.REACHED),
                count(NoteRow),
                bool(count(AssessmentRow)),
                count(ActionRow, waits),
                count(ActionRow, waits, ActionRow.due_on < today),
            )

    def _add(
        self,
        session: Session,
        kind: str,
        row: EntryRow,
        case_id: str,
        by: Visitor,
        *,
        is_logged: bool = True,
    ) -> str:
        case = locked_case(session, case_id)
        _require_open(case)
        # Work has begun. No other change can contradict that, so the version stays.
        case.state = CaseState.OPEN
        row.entry_id, row.case_id = new_id(), case_id
        row.by, row.at = by.name, self._state.clock()
        session.add(row)
        session.flush()
        if is_logged:
            detail = {"case": case_id, "entry": row.entry_id}
            self._state.audit.record(session, ADDED[kind], by.name, detail)
        return row.entry_id


def _require_open(case: CaseRow) -> None:
    if case.state == CaseState.CLOSED:
        raise WebProblem(
            409,
            "This case is closed",
            "Nothing can be added to it.",
            "Reopen the case first. Your browser's back button shows what you typed.",
        )


def _newest(session: Session, table: type[E], case_id: str) -> list[E]:
    query = select(table).where(table.case_id == case_id)
    return list(session.scalars(query.order_by(table.at.desc(), table.entry_id)))
