"""Requests of residents for access, rectification and erasure."""

from __future__ import annotations

import datetime
import json
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.households import household_id, known_id
from folkmoot_node.casework.cases.models import RIGHTS_PURPOSE, CaseRow
from folkmoot_node.casework.ids import new_id
from folkmoot_node.casework.opening.openings import REFUSED as NOT_OPENED
from folkmoot_node.casework.opening.restrictions import Restrictions, not_visible
from folkmoot_node.casework.rights.answerers import require_answerer
from folkmoot_node.casework.rights.bench import Bench
from folkmoot_node.casework.rights.kinds import RequestKind, RequestState
from folkmoot_node.casework.rights.models import RequestRow
from folkmoot_node.casework.rights.rights_case import close_when_answered
from folkmoot_operator.problems import Problem
from folkmoot_web.errors import WebProblem, problem_of_status
from folkmoot_web.visitors import Visitor

RECORDED = "request recorded"
REVIEWED = "request reviewed"
ANSWERED = "request answered"
REFUSED = "request refused"
FOUND = "household found for a request"
NOT_FOUND = "household not found for a request"
"""Actions of the log."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request, without who asks: what lists show.

    Attributes:
        request_id: Random.
        household: Id of its household.
        case_id: The case for which the household is opened.
        kind: What is asked for.
        received_on: Day on which the council got it.
        due_on: Last day on which it can be answered in time.
        state: Where it stands.
        recorded_by: Who recorded it.
        reviewed_by: Who reviewed what may be shown; None for nobody yet.
        shown: References of texts that may be shown.
        hidden: References of texts that are kept back.
        answered_by: Who answered it.
        version: Goes up with each change.
    """

    request_id: str
    household: str
    case_id: str
    kind: RequestKind
    received_on: datetime.date
    due_on: datetime.date
    state: RequestState
    recorded_by: str
    reviewed_by: str | None
    shown: frozenset[str]
    hidden: frozenset[str]
    answered_by: str | None
    version: int

    def is_overdue(self, today: datetime.date) -> bool:
        """Whether it should have been answered before today."""
        return self.state is RequestState.OPEN and self.due_on < today


class Requests:
    """The requests of a council's residents."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._state = bench.state

    def case_for(self, uprn: int, why: str, by: Visitor) -> str | None:
        """A case for answering a resident; None if nothing is held about the household.

        Which it is, the log says before anybody is told.

        Args:
            uprn: The household.
            why: Why a person opens it: no resident is named in it.
            by: Who asks.

        Raises:
            WebProblem: Status 403, if the household is hidden from them: nothing is recorded but
                that they asked.
        """
        scored = self._is_scored(uprn)
        with self._state.database.writing() as session:
            known = known_id(session, uprn)
            if not scored and known is None:
                self._state.audit.record(session, NOT_FOUND, by.name)
                return None
            is_hidden = known is not None and Restrictions(self._state).is_hidden(
                session, by, known
            )
            if is_hidden:
                detail = {"household": known, "page": "/rights", "why_not": not_visible().title}
                self._state.audit.record(session, NOT_OPENED, by.name, detail)
                case_id = None
            else:
                case_id = self._case(session, uprn, why, by)
        if is_hidden:
            raise not_visible()
        return case_id

    def _case(self, session: Session, uprn: int, why: str, by: Visitor) -> str:
        household = household_id(session, uprn)
        there = session.scalar(
            select(CaseRow.case_id)
            .where(
                CaseRow.household_id == household,
                CaseRow.purpose == RIGHTS_PURPOSE,
                CaseRow.closed_at.is_(None),
            )
            .limit(1)
        )
        if there is None:
            return self._bench.cases.open(session, uprn, purpose=RIGHTS_PURPOSE, why=why, by=by)
        detail = {"case": there, "household": household}
        self._state.audit.record(session, FOUND, by.name, detail)
        return there

    def record(
        self,
        case_id: str,
        *,
        kind: RequestKind,
        asked_by: str,
        received_on: datetime.date,
        by: Visitor,
    ) -> str:
        """Records a request; says its id.

        Args:
            case_id: A case about the household.
            kind: What is asked for.
            asked_by: Who asks, about whom, and how their identity was checked.
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
            row = RequestRow(
                request_id=new_id(),
                household_id=case.household_id,
                case_id=case_id,
                kind=kind,
                asked_by=asked_by,
                received_on=received_on.isoformat(),
                due_on=due.isoformat(),
                recorded_at=self._bench.clock(),
                recorded_by=by.name,
                state=RequestState.OPEN,
                version=1,
            )
            session.add(row)
            session.flush()
            self._note(session, RECORDED, by, row, kind=kind, due=row.due_on)
            return row.request_id

    def get(self, request_id: str) -> Request:
        """A request; WebProblem of status 404 if there is none."""
        with self._state.database.reading() as session:
            return _request(_row(session, request_id))

    def listed(
        self, *, state: RequestState | None = None, household: str | None = None
    ) -> list[Request]:
        """Requests, those first that are due first."""
        query = select(RequestRow).order_by(RequestRow.due_on, RequestRow.recorded_at)
        if state is not None:
            query = query.where(RequestRow.state == state)
        if household is not None:
            query = query.where(RequestRow.household_id == household)
        with self._state.database.reading() as session:
            return [_request(row) for row in session.scalars(query)]

    def review(
        self,
        request_id: str,
        version: int,
        shown: Collection[str],
        hidden: Collection[str],
        by: Visitor,
    ) -> None:
        """Keeps what a worker decided about texts that may name somebody else.

        Args:
            request_id: The request.
            version: That the page showed.
            shown: References of the texts that may be shown.
            hidden: References of those that are kept back.
            by: Who reviewed them.

        Raises:
            WebProblem: Status 403, if they may not answer it; 409 if it has changed.
        """
        with self._state.database.writing() as session:
            row = self._open(session, request_id, version, by)
            row.shown, row.hidden = json.dumps(sorted(shown)), json.dumps(sorted(hidden))
            row.reviewed_at, row.reviewed_by = self._bench.clock(), by.name
            row.version += 1
            self._note(session, REVIEWED, by, row, shown=len(shown), hidden=len(hidden))

    def answer(
        self,
        request_id: str,
        version: int,
        by: Visitor,
        *,
        text: str = "",
        refused: bool = False,
        session: Session | None = None,
        **detail: Any,
    ) -> None:
        """Notes that a request was answered; arguments and errors of `review`.

        Args:
            request_id: The request.
            version: That the page showed.
            by: Who answers.
            text: What the resident is told, if more than the log has to say.
            refused: Whether it was refused.
            session: Of the caller's transaction that writes, if it has one.
            detail: For the log: no text about anybody.
        """
        if session is not None:
            self._answer(session, request_id, version, by, text, refused, detail)
            return
        with self._state.database.writing() as own:
            self._answer(own, request_id, version, by, text, refused, detail)

    def _answer(
        self,
        session: Session,
        request_id: str,
        version: int,
        by: Visitor,
        text: str,
        refused: bool,
        detail: dict[str, Any],
    ) -> None:
        row = self._open(session, request_id, version, by)
        row.state = RequestState.REFUSED if refused else RequestState.ANSWERED
        row.answer = text or None
        row.answered_at, row.answered_by = self._bench.clock(), by.name
        row.version += 1
        self._note(session, REFUSED if refused else ANSWERED, by, row, **detail)
        close_when_answered(session, row.case_id, self._bench.clock())

    def _open(self, session: Session, request_id: str, version: int, by: Visitor) -> RequestRow:
        row = _row(session, request_id)
        if row.version != version or row.state != RequestState.OPEN:
            raise WebProblem(
                409,
                "Somebody else has changed this request",
                "Their change is kept, and yours is not stored.",
                "Open the request again, and see what has changed.",
            )
        require_answerer(session, by, row.household_id)
        return row

    def _note(
        self, session: Session, action: str, by: Visitor, row: RequestRow, **detail: Any
    ) -> None:
        named = {"request": row.request_id, "case": row.case_id, "household": row.household_id}
        self._state.audit.record(session, action, by.name, {**named, **detail})

    def _is_scored(self, uprn: int) -> bool:
        try:
            with self._bench.store() as store:
                return store.household(uprn) is not None
        except Problem:
            return False


def _row(session: Session, request_id: str) -> RequestRow:
    row = session.get(RequestRow, request_id)
    if row is None:
        raise problem_of_status(404)
    return row


def _request(row: RequestRow) -> Request:
    return Request(
        row.request_id,
        row.household_id,
        row.case_id,
        RequestKind(row.kind),
        datetime.date.fromisoformat(row.received_on),
        datetime.date.fromisoformat(row.due_on),
        RequestState(row.state),
        row.recorded_by,
        row.reviewed_by,
        frozenset(json.loads(row.shown or "[]")),
        frozenset(json.loads(row.hidden or "[]")),
        row.answered_by,
        row.version,
    )
