"""Who may answer what a household asks: somebody who had no part in the cases about it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.cases.models import (
    RIGHTS_PURPOSE,
    ActionRow,
    AssessmentRow,
    CaseRow,
    ChangeRow,
    ContactRow,
    FirstLookRow,
    NoteRow,
    PlanRow,
)
from folkmoot_web.errors import WebProblem
from folkmoot_web.visitors import Visitor

_RECORDED_IN_CASES = (ContactRow, AssessmentRow, NoteRow, PlanRow, ActionRow)
"""What workers record."""


def why_not_answer(database: Any, visitor: Visitor, household: str) -> str:
    """Why somebody may not answer what a household asks; empty if they may."""
    with database.reading() as session:
        return _why_not(session, visitor, household)


def require_answerer(session: Session, visitor: Visitor, household: str) -> None:
    """Checks that somebody may answer what a household asks.

    Raises:
        WebProblem: Status 403, if their role may not, or they have decided about the household.
    """
    why = _why_not(session, visitor, household)
    if why:
        raise WebProblem(403, "You may not answer this", why, "Ask somebody else to answer it.")


def _why_not(session: Session, visitor: Visitor, household: str) -> str:
    if not visitor.may(Right.RIGHTS):
        return "Your role does not answer residents."
    about = select(CaseRow.case_id).where(
        CaseRow.household_id == household, CaseRow.purpose != RIGHTS_PURPOSE
    )
    has_it = (CaseRow.opened_by == visitor.name) | (CaseRow.worker == visitor.name)
    # Whoever gives a case away has worked on it all the same.
    had_a_part = (
        about.where(has_it),
        select(ChangeRow.case_id).where(ChangeRow.by == visitor.name, ChangeRow.case_id.in_(about)),
        select(FirstLookRow.case_id).where(
            FirstLookRow.account == visitor.name, FirstLookRow.case_id.in_(about)
        ),
        *(
            select(one.case_id).where(one.by == visitor.name, one.case_id.in_(about))
            for one in _RECORDED_IN_CASES
        ),
    )
    if any(session.scalar(one.limit(1)) is not None for one in had_a_part):
        return (
            "You have decided about a case of this household, or worked on one. Somebody who has "
            "not answers it."
        )
    return ""
