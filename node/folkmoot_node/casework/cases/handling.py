"""Who has a case and where it stands: claim, release, assign, review, close, reopen.

Each step says why it cannot be taken, so that a page offers only what can be, and a page about a
conflict says whether the step still makes sense.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from enum import StrEnum
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.cases.cases import Case, Cases, CaseState, case_of, locked_case
from folkmoot_node.casework.cases.models import CaseRow
from folkmoot_node.casework.cases.words import CaseOutcome
from folkmoot_web.errors import WebProblem
from folkmoot_web.site import State
from folkmoot_web.visitors import Visitor


class Step(StrEnum):
    """What somebody does with a case, as the log and addresses call it."""

    CLAIM = "claim"
    RELEASE = "release"
    ASSIGN = "assign"
    REVIEW = "review"
    CLOSE = "close"
    REOPEN = "reopen"


LOGGED = {
    Step.CLAIM: "case claimed",
    Step.RELEASE: "case released",
    Step.ASSIGN: "case assigned",
    Step.REVIEW: "review date set",
    Step.CLOSE: "case closed",
    Step.REOPEN: "case reopened",
}
"""Actions of the log."""
NEEDED = {step: Right.ASSIGN if step is Step.ASSIGN else Right.WORK for step in Step}
"""The right that a step needs."""


def why_not(step: Step, case: Case, visitor: Visitor) -> str:
    """Why somebody cannot take a step with a case as it is; empty if they can."""
    if not visitor.may(NEEDED[step]):
        return "Your role may not do this."
    is_closed = case.state is CaseState.CLOSED
    if is_closed != (step is Step.REOPEN):
        return "The case is closed." if is_closed else "The case is not closed."
    return _OF_STEP.get(step, _nothing)(case, visitor)


def _cannot_claim(case: Case, visitor: Visitor) -> str:
    if case.worker == visitor.name:
        return "You have the case already."
    return "Somebody has the case." if case.worker is not None else ""


def _cannot_release(case: Case, visitor: Visitor) -> str:
    if case.worker is None:
        return "Nobody has the case."
    return _not_theirs(case, visitor)


def _not_theirs(case: Case, visitor: Visitor) -> str:
    if case.worker in (None, visitor.name) or visitor.may(Right.ASSIGN):
        return ""
    return "Somebody else has the case."


def _nothing(case: Case, visitor: Visitor) -> str:
    return ""


_OF_STEP: dict[Step, Callable[[Case, Visitor], str]] = {
    Step.CLAIM: _cannot_claim,
    Step.RELEASE: _cannot_release,
    Step.REVIEW: _not_theirs,
    Step.CLOSE: _not_theirs,
}


class Handling:
    """Takes the steps; each of its methods in a transaction that writes.

    Raises:
        WebProblem: Status 404 if there is no such case; 409 if the step cannot be taken.
        Conflict: If somebody else has changed the case since the version that a page showed.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._cases = Cases(state)

    def claim(self, session: Session, case_id: str, version: int, by: Visitor) -> Case:
        """Gives the case to whoever asks, and begins it."""
        values = {"worker": by.name, "state": CaseState.OPEN}
        return self._take(session, Step.CLAIM, case_id, version, by, values)

    def release(self, session: Session, case_id: str, version: int, by: Visitor) -> Case:
        """Takes the case from whoever has it; its team keeps it."""
        return self._take(session, Step.RELEASE, case_id, version, by, {"worker": None})

    def assign(
        self,
        session: Session,
        case_id: str,
        version: int,
        by: Visitor,
        *,
        worker: str | None,
        team: str | None,
    ) -> Case:
        """Gives the case to a person, a team, both, or nobody."""
        values = {"worker": worker, "team": team}
        return self._take(session, Step.ASSIGN, case_id, version, by, values)

    def review(
        self, session: Session, case_id: str, version: int, by: Visitor, on: datetime.date | None
    ) -> Case:
        """Says when the case is looked at again; None for no day."""
        values = {"review_on": None if on is None else on.isoformat()}
        return self._take(session, Step.REVIEW, case_id, version, by, values)

    def close(
        self, session: Session, case_id: str, version: int, by: Visitor, outcome: CaseOutcome
    ) -> Case:
        """Ends the case."""
        values = {
            "state": CaseState.CLOSED,
            "outcome": outcome,
            "closed_at": self._state.clock(),
            "review_on": None,
        }
        return self._take(session, Step.CLOSE, case_id, version, by, values)

    def reopen(self, session: Session, case_id: str, version: int, by: Visitor) -> Case:
        """Goes on with a case that was closed; status 409 if the household has another by now."""
        case = locked_case(session, case_id)
        other = select(CaseRow.case_id).where(
            CaseRow.household_id == case.household_id,
            CaseRow.purpose == case.purpose,
            CaseRow.state != CaseState.CLOSED,
            CaseRow.case_id != case_id,
        )
        if session.scalar(other) is not None:
            raise cannot(
                "This household has another case for the same purpose, which is not closed.",
                "Work on that case instead.",
            )
        values = {"state": CaseState.OPEN, "outcome": None, "closed_at": None}
        return self._take(session, Step.REOPEN, case_id, version, by, values)

    def _take(
        self,
        session: Session,
        step: Step,
        case_id: str,
        version: int,
        by: Visitor,
        values: dict[str, Any],
    ) -> Case:
        row = locked_case(session, case_id)
        # Who looked at an older version is told what has changed, rather than why it is too late.
        if row.version == version and (reason := why_not(step, case_of(row), by)):
            raise cannot(reason, "Go back to the case to see what you can do with it.")
        return self._cases.change(session, case_id, version, LOGGED[step], by, values)


def cannot(reason: str, remedy: str) -> WebProblem:
    """A step that cannot be taken; nothing was changed."""
    return WebProblem(409, "This cannot be done with the case as it is", reason, remedy)
