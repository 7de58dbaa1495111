"""What casework knows of households that a cohort may leave out: cases, support, decisions."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from folkmoot_node.casework.authority.models import HouseholdRow
from folkmoot_node.casework.cases.cases import CaseState
from folkmoot_node.casework.cases.models import CaseRow
from folkmoot_node.casework.cohorts.definition import Conditions, Mark
from folkmoot_node.casework.cohorts.models import DecisionRow

_DAY = 86_400


def marked(
    session: Session, conditions: Conditions, purpose: str, cohort_id: str | None, now: int
) -> dict[Mark, Collection[int]]:
    """UPRNs by mark, for the marks that this database knows.

    Args:
        session: Of a transaction.
        conditions: Whose rule says how long ago is lately.
        purpose: Whose cases count.
        cohort_id: Whose decisions count; None for a cohort that is not saved.
        now: The time.
    """
    same = CaseRow.purpose == purpose
    lately = now - conditions.supported_within_days * _DAY
    closed = CaseRow.state == CaseState.CLOSED
    return {
        Mark.IN_CASE: _uprns(session, CaseRow.household_id, same & ~closed),
        Mark.SUPPORTED: _uprns(
            session,
            CaseRow.household_id,
            same & closed & CaseRow.outcome.is_not(None) & (CaseRow.closed_at >= lately),
        ),
        Mark.DECIDED_AGAINST: _uprns(
            session,
            DecisionRow.household_id,
            (DecisionRow.cohort_id == (cohort_id or "")) & ~DecisionRow.opens_case,
        ),
    }


def _uprns(
    session: Session, household: InstrumentedAttribute[str], which: ColumnElement[bool]
) -> set[int]:
    query = select(HouseholdRow.uprn).where(
        HouseholdRow.household_id.in_(select(household).where(which))
    )
    return set(session.scalars(query))
