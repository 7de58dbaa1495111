"""Objections: recorded, answered in time by a person who did not decide before, undone if need be.

An upheld objection has its effect through the node's corrections, which scoring reads: this
module is one of the two doors from casework back to scoring.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.households import uprn_of
from folkmoot_node.casework.cases.models import CaseRow
from folkmoot_node.casework.ids import new_id
from folkmoot_node.casework.opening.openings import Opened
from folkmoot_node.casework.opening.sensitive import NO_BAND
from folkmoot_node.casework.rights.answerers import require_answerer, why_not_answer
from folkmoot_node.casework.rights.bench import Bench
from folkmoot_node.casework.rights.kinds import (
    Effect,
    Kind,
    ObjectionState,
)
from folkmoot_node.casework.rights.models import ObjectionRow
from folkmoot_node.casework.rights.rights_case import close_when_answered, open_again
from folkmoot_node.corrections.decisions import Decision, Stated
from folkmoot_node.corrections.sealed_file import Corrections, open_corrections
from folkmoot_sdk.schema import Field
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.visitors import Visitor

RECORDED = "objection recorded"
ASSIGNED = "objection given to somebody"
UPHELD = "objection upheld"
REFUSED = "objection refused"
WITHDRAWN = "objection withdrawn"
ENDED = "effect of an objection ended"
REOPENED = "answer to an objection undone"
"""Actions of the log."""


@dataclass(frozen=True, slots=True)
class Objection:
    """An objection without what was said: what lists show.

    Attributes:
        objection_id: Random.
        household: Id of its household.
        case_id: The case in which it was recorded.
        kind: What it rests on.
        received_on: Day on which the council got it.
        due_on: Last day on which it can be answered in time.
        answerer: Who is to answer it; None for nobody yet.
        state: Where it stands.
        answered_by: Who answered it.
        version: Goes up with each change.
    """

    objection_id: str
    household: str
    case_id: str
    kind: Kind
    received_on: datetime.date
    due_on: datetime.date
    answerer: str | None
    state: ObjectionState
    answered_by: str | None
    version: int

    def is_overdue(self, today: datetime.date) -> bool:
        """Whether it should have been answered before today."""
        return self.state is ObjectionState.OPEN and self.due_on < today


@dataclass(frozen=True, slots=True)
class Said:
    """What an objection says, for who has opened its household.

    Attributes:
        field: The input in dispute; None for the processing as a whole.
        said: In the household's words.
        said_by: Who for the household, and how.
        effect: Of one that was upheld.
        withholds: Whether the household is left out of cohorts and counts.
        answer: What the household was answered.
        answered_at: Seconds since 1970-01-01T00:00:00Z.
        seen: Scores with and without the input, as who answered saw them; empty for who may not
            see all that these rest on.
        ended_why: Why it was withdrawn, or has no effect any more.
    """

    field: str | None
    said: str
    said_by: str
    effect: Effect | None
    withholds: bool
    answer: str | None
    answered_at: int | None
    seen: Mapping[str, Any]
    ended_why: str | None


@dataclass(frozen=True, slots=True)
class Upholding:
    """What somebody decides who upholds an objection.

    Attributes:
        effect: What becomes of the input.
        withholds: Whether the household is left out of cohorts and counts.
        answer: What the household is answered.
        value: The other value, if the input is corrected.
        seen: Scores with and without the input, as they were shown.
    """

    effect: Effect
    withholds: bool
    answer: str
    value: Stated | None
    seen: Mapping[str, Any]


class Objections:
    """The objections of a council's residents."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._state = bench.state

    def record(
        self,
        case_id: str,
        *,
        kind: Kind,
        field: str | None,
        said: str,
        said_by: str,
        received_on: datetime.date,
        by: Visitor,
    ) -> str:
        """Records an objection; says its id.

        Args:
            case_id: A case about the household.
            kind: What it rests on.
            field: The input in dispute; None for the processing as a whole.
            said: In the household's words.
            said_by: Who for the household, and how.
            received_on: Day on which the council got it.
            by: Who records it.

        Raises:
            WebProblem: Status 404, if there is no such case.
        """
        due = self._bench.known.policy.rights.due(received_on)
        with self._state.database.writing() as session:
            case = session.get(CaseRow, case_id)
            if case is None:
                raise problem_of_status(404)
            row = ObjectionRow(
                objection_id=new_id(),
                household_id=case.household_id,
                case_id=case_id,
                kind=kind,
                field=field,
                said=said,
                said_by=said_by,
                received_on=received_on.isoformat(),
                due_on=due.isoformat(),
                recorded_at=self._bench.clock(),
                recorded_by=by.name,
                state=ObjectionState.OPEN,
                version=1,
            )
            session.add(row)
            session.flush()
            self._note(session, RECORDED, by, row, kind=kind, due=row.due_on)
            return row.objection_id

    def get(self, objection_id: str) -> Objection:
        """An objection; WebProblem of status 404 if there is none."""
        with self._state.database.reading() as session:
            return _objection(_row(session, objection_id))

    def said(self, opened: Opened, objection_id: str) -> Said:
        """What an objection says.

        Raises:
            WebProblem: Status 404, if it is none of the household that was opened.
        """
        with self._state.database.reading() as session:
            row = _row(session, objection_id)
            if row.household_id != opened.household:
                raise problem_of_status(404)
            return Said(
                row.field,
                row.said,
                row.said_by,
                None if row.effect is None else Effect(row.effect),
                bool(row.withholds),
                row.answer,
                row.answered_at,
                self._seen(opened, row),
                row.ended_why,
            )

    def _seen(self, opened: Opened, row: ObjectionRow) -> dict[str, Any]:
        """What whoever answered saw; nothing if they may have seen more than who looks now may."""
        seen: dict[str, Any] = json.loads(row.seen or "{}")
        is_whole = seen.get("with", {}).get("band") not in (None, NO_BAND)
        hidden = frozenset(self._bench.known.policy.sensitive_sources) - opened.sources
        return {} if is_whole and hidden else seen

    def listed(
        self, *, state: ObjectionState | None = None, household: str | None = None
    ) -> list[Objection]:
        """Objections, those first that are due first."""
        query = select(ObjectionRow).order_by(ObjectionRow.due_on, ObjectionRow.recorded_at)
        if state is not None:
            query = query.where(ObjectionRow.state == state)
        if household is not None:
            query = query.where(ObjectionRow.household_id == household)
        with self._state.database.reading() as session:
            return [_objection(row) for row in session.scalars(query)]

    def why_not(self, visitor: Visitor, objection: Objection) -> str:
        """Why somebody may not answer an objection; empty if they may."""
        return why_not_answer(self._state.database, visitor, objection.household)

    def assign(self, objection_id: str, version: int, answerer: str, by: Visitor) -> None:
        """Names who is to answer an objection; errors as `uphold`."""
        with self._state.database.writing() as session:
            row = self._open(session, objection_id, version)
            row.answerer = answerer
            row.version += 1
            self._note(session, ASSIGNED, by, row, to=answerer)

    def uphold(
        self,
        opened: Opened,
        objection_id: str,
        version: int,
        what: Upholding,
        by: Visitor,
        fields: Mapping[str, Field],
    ) -> None:
        """Upholds an objection; its effect is durable when this returns.

        An input counts as suppressed or corrected from the next scoring run; the household is left
        out of cohorts and counts at once.

        Args:
            opened: The household.
            objection_id: The objection.
            version: That the page showed.
            what: What was decided.
            by: Who decides.
            fields: The fields that the policy uses, by name.

        Raises:
            WebProblem: Status 403, if they may not answer it; 404 or 409, if it is gone, or not
                as the page showed it.
            Problem: As `Corrections.add`; nothing has changed then.
        """
        with self._state.database.writing() as session:
            row = self._answered(session, opened, objection_id, version, by)
            field = row.field
            suppresses = what.effect is Effect.SUPPRESS and field is not None
            corrects = what.effect is Effect.CORRECT and field is not None
            if corrects and what.value is None:
                raise ValueError("no value to correct the input to")
            decision = Decision(
                objection=objection_id,
                decided_on=self._bench.today(),
                suppress=(field,) if suppresses and field else (),
                correct={field: what.value}
                if corrects and field and what.value is not None
                else {},
                withhold=what.withholds,
            )
            row.state = ObjectionState.UPHELD
            row.effect, row.withholds = what.effect, what.withholds
            row.answer, row.seen = what.answer, json.dumps(dict(what.seen))
            self._note(session, UPHELD, by, row, effect=what.effect, withheld=what.withholds)
            corrections = self._corrections()
            # A crash between file and database leaves the household protected, and the objection
            # open: whoever answers again replaces what the file has.
            withdraw(corrections, objection_id, opened.uprn)
            corrections.add(opened.uprn, decision, fields)

    def refuse(
        self,
        opened: Opened,
        objection_id: str,
        version: int,
        answer: str,
        by: Visitor,
        seen: Mapping[str, Any],
    ) -> None:
        """Refuses an objection, with a reason; arguments and errors of `uphold`."""
        with self._state.database.writing() as session:
            row = self._answered(session, opened, objection_id, version, by)
            row.state = ObjectionState.REFUSED
            row.answer, row.seen = answer, json.dumps(dict(seen))
            self._note(session, REFUSED, by, row)
            close_when_answered(session, row.case_id, self._bench.clock())

    def withdraw(self, objection_id: str, version: int, why: str, by: Visitor) -> None:
        """Notes that a household does not object any more; errors of `uphold`."""
        with self._state.database.writing() as session:
            row = self._open(session, objection_id, version)
            require_answerer(session, by, row.household_id)
            self._end(session, row, ObjectionState.WITHDRAWN, WITHDRAWN, why, by)
            close_when_answered(session, row.case_id, self._bench.clock())

    def end(self, objection_id: str, version: int, why: str, by: Visitor) -> None:
        """Ends the effect of an upheld objection, since the source has been corrected."""
        with self._state.database.writing() as session:
            row = _current(session, objection_id, version)
            if row.state != ObjectionState.UPHELD:
                raise _changed()
            require_answerer(session, by, row.household_id)
            self._end(session, row, ObjectionState.ENDED, ENDED, why, by)
            close_when_answered(session, row.case_id, self._bench.clock())
            uprn = uprn_of(session, row.household_id)
            withdraw(self._corrections(), objection_id, uprn)

    def reopen(self, objection_id: str, version: int, why: str, by: Visitor) -> None:
        """Undoes an answer or a withdrawal: the objection is open again, and due when it was."""
        with self._state.database.writing() as session:
            row = _current(session, objection_id, version)
            if row.state in (ObjectionState.OPEN, ObjectionState.ENDED):
                raise _changed()
            require_answerer(session, by, row.household_id)
            was_upheld = row.state == ObjectionState.UPHELD
            row.state = ObjectionState.OPEN
            row.ended_why = why
            row.ended_at, row.ended_by = None, None
            row.effect, row.withholds = None, None
            row.version += 1
            self._note(session, REOPENED, by, row)
            open_again(session, row.case_id)
            if was_upheld:
                withdraw(self._corrections(), objection_id, uprn_of(session, row.household_id))

    def _corrections(self) -> Corrections:
        return open_corrections(self._bench.config)

    def _open(self, session: Session, objection_id: str, version: int) -> ObjectionRow:
        row = _current(session, objection_id, version)
        if row.state != ObjectionState.OPEN:
            raise _changed()
        return row

    def _answered(
        self, session: Session, opened: Opened, objection_id: str, version: int, by: Visitor
    ) -> ObjectionRow:
        row = self._open(session, objection_id, version)
        if row.household_id != opened.household:
            raise problem_of_status(404)
        require_answerer(session, by, row.household_id)
        row.answered_at, row.answered_by = self._bench.clock(), by.name
        row.version += 1
        return row

    def _end(
        self,
        session: Session,
        row: ObjectionRow,
        state: ObjectionState,
        action: str,
        why: str,
        by: Visitor,
    ) -> None:
        row.state = state
        row.ended_at, row.ended_by, row.ended_why = self._bench.clock(), by.name, why
        row.version += 1
        self._note(session, action, by, row)

    def _note(
        self, session: Session, action: str, by: Visitor, row: ObjectionRow, **detail: Any
    ) -> None:
        named = {
            "objection": row.objection_id,
            "case": row.case_id,
            "household": row.household_id,
        }
        self._state.audit.record(session, action, by.name, {**named, **detail})


def withdraw(corrections: Corrections, objection_id: str, uprn: int | None) -> bool:
    """Takes what an objection changes out of the corrections; False if nothing was there."""
    decisions = corrections.read().households
    there = decisions.get(uprn, ()) if uprn is not None else ()
    if not any(one.objection == objection_id for one in there):
        return False
    corrections.withdraw(objection_id)
    return True


def _row(session: Session, objection_id: str) -> ObjectionRow:
    row = session.get(ObjectionRow, objection_id)
    if row is None:
        raise problem_of_status(404)
    return row


def _current(session: Session, objection_id: str, version: int) -> ObjectionRow:
    row = _row(session, objection_id)
    if row.version != version:
        raise _changed()
    return row


def _changed() -> WebProblem:
    return WebProblem(
        409,
        "Somebody else has changed this objection",
        "Their change is kept, and yours is not stored.",
        "Open the objection again, and see what has changed.",
    )


def _objection(row: ObjectionRow) -> Objection:
    return Objection(
        row.objection_id,
        row.household_id,
        row.case_id,
        Kind(row.kind),
        datetime.date.fromisoformat(row.received_on),
        datetime.date.fromisoformat(row.due_on),
        row.answerer,
        ObjectionState(row.state),
        row.answered_by,
        row.version,
    )
