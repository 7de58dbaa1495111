"""What stands beside the members of a page: cases, and what was decided, as of now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from folkmoot_node.casework.cases.cases import CaseState
from folkmoot_node.casework.cases.models import CaseRow
from folkmoot_node.casework.cohorts.cohorts import Cohorts
from folkmoot_node.casework.cohorts.models import DecisionRow
from folkmoot_node.casework.cohorts.runs import Run, find_run
from folkmoot_web.visitors import Visitor


@dataclass(frozen=True, slots=True)
class KnownNow:
    """What is known of a member now, besides the run.

    Attributes:
        case_id: Its case for the same purpose that is not closed; None for none.
        was_closed: Whether it had a case for the same purpose that is closed.
        against: When somebody last decided to open no case; None if nobody did, or it was
            decided otherwise later.
    """

    case_id: str | None = None
    was_closed: bool = False
    against: int | None = None


def beside(session: Session, run: Run, households: Sequence[str]) -> dict[str, KnownNow]:
    """What is known now of some households of a run, by household.

    Args:
        session: Of a transaction.
        run: The run.
        households: Ids.
    """
    open_, closed = {}, set()
    cases = select(CaseRow).where(
        CaseRow.household_id.in_(households), CaseRow.purpose == run.definition.purpose
    )
    for case in session.scalars(cases):
        if case.state == CaseState.CLOSED:
            closed.add(case.household_id)
        else:
            open_[case.household_id] = case.case_id
    last: dict[str, DecisionRow] = {}
    decisions = select(DecisionRow).where(
        DecisionRow.household_id.in_(households), DecisionRow.cohort_id == run.cohort_id
    )
    for decision in session.scalars(decisions.order_by(DecisionRow.decided_at)):
        last[decision.household_id] = decision
    found = {}
    for one in households:
        decided = last.get(one)
        against = None if decided is None or decided.opens_case else decided.decided_at
        found[one] = KnownNow(open_.get(one), one in closed, against)
    return found


def cohort_of_case(cohorts: Cohorts, case_id: str, by: Visitor) -> Run | None:
    """The run that a case was opened from, for somebody who may know who is in its cohort.

    Args:
        cohorts: The cohorts.
        case_id: The case.
        by: Who asks.

    Returns:
        None if the case is from no cohort, if the run is not kept any more, or if a condition is
        about a sensitive source that they may not see: the cohort would tell of it.
    """
    with cohorts.state.database.reading() as session:
        query = select(DecisionRow.run_id).where(DecisionRow.case_id == case_id)
        run_id = session.scalar(query.limit(1))
        run = None if run_id is None else find_run(session, run_id)
    return None if run is None or run.tells_of(cohorts.unseen_sources(by)) else run
