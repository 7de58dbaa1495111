"""How long runs are kept, what they hold about a household, and how that is erased."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.cohorts.models import (
    CohortRow,
    DecisionRow,
    LookRow,
    MemberRow,
    RunRow,
)
from folkmoot_node.casework.cohorts.runs import get_run

_DAY = 86_400


def purge_runs(session: Session, days: int, now: int) -> int:
    """Deletes runs whose scores are kept no longer, with their members and looks.

    Decisions stay: they are the record of who decided what.

    Args:
        session: Of a transaction that writes.
        days: For which scores are kept after their run (`Retention.scores_days`).
        now: The time.

    Returns:
        How many runs were deleted.
    """
    old = list(session.scalars(select(RunRow.run_id).where(RunRow.scored_at < now - days * _DAY)))
    for run_id in old:
        for table in (MemberRow, LookRow, RunRow):
            session.execute(delete(table).where(table.run_id == run_id))
    return len(old)


def held_about(session: Session, household: str) -> dict[str, Any]:
    """What cohorts hold about a household, for a subject access request: plain values.

    Args:
        session: Of a transaction.
        household: Id of the household.

    Returns:
        `memberships` (cohort, run, standing, information), `decisions` and `looks`. Times are
        seconds since 1970-01-01T00:00:00Z.
    """
    titles = {row.cohort_id: row.title for row in session.scalars(select(CohortRow))}
    memberships = []
    for row in session.scalars(select(MemberRow).where(MemberRow.household_id == household)):
        run = get_run(session, row.run_id)
        values = json.loads(row.information)
        memberships.append(
            {
                "cohort": titles.get(run.cohort_id, run.cohort_id),
                "purpose": run.definition.purpose,
                "lawful_basis": run.definition.lawful_basis,
                "run_at": run.ran_at,
                "standing": row.standing,
                "band": row.band,
                "information": {
                    asked.text: value for asked, value in zip(run.asked, values, strict=False)
                },
            }
        )
    decisions = [
        {
            "cohort": titles.get(row.cohort_id, row.cohort_id),
            "decided_at": row.decided_at,
            "decided_by": row.decided_by,
            "opens_case": row.opens_case,
            "why": row.why,
            "case": row.case_id,
            "band": row.band,
            "information": dict(json.loads(row.information)),
            "in_bulk": row.in_bulk is not None,
        }
        for row in session.scalars(select(DecisionRow).where(DecisionRow.household_id == household))
    ]
    looks = [
        {"by": row.account, "at": row.looked_at, "run": row.run_id}
        for row in session.scalars(select(LookRow).where(LookRow.household_id == household))
    ]
    return {"memberships": memberships, "decisions": decisions, "looks": looks}


def forget(session: Session, household: str) -> int:
    """Deletes what cohorts hold about a household; the log keeps that there was a decision.

    Args:
        session: Of a transaction that writes.
        household: Id of the household.

    Returns:
        How many rows were deleted.
    """
    deleted = 0
    for table in (MemberRow, LookRow, DecisionRow):
        found = select(table).where(table.household_id == household)
        for row in session.scalars(found):
            session.delete(row)
            deleted += 1
    return deleted
