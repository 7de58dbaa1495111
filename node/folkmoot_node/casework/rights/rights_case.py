"""The case that was opened to answer a resident: closed when that is done, and opened again."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from folkmoot_node.casework.cases.cases import CaseState
from folkmoot_node.casework.cases.models import RIGHTS_PURPOSE, CaseRow
from folkmoot_node.casework.rights.kinds import ObjectionState, RequestState
from folkmoot_node.casework.rights.models import ObjectionRow, RequestRow


def close_when_answered(session: Session, case_id: str, now: int) -> None:
    """Closes a case that was opened to answer a resident, once nothing is left to do in it.

    While an upheld objection is in force, somebody has to be able to look at it.
    """
    session.flush()
    lasting = (ObjectionState.OPEN, ObjectionState.UPHELD)
    open_objections = select(ObjectionRow.objection_id).where(
        ObjectionRow.case_id == case_id, ObjectionRow.state.in_(lasting)
    )
    open_requests = select(RequestRow.request_id).where(
        RequestRow.case_id == case_id, RequestRow.state == RequestState.OPEN
    )
    case = session.get(CaseRow, case_id)
    if case is None or case.purpose != RIGHTS_PURPOSE:
        return
    if any(session.scalar(one.limit(1)) for one in (open_objections, open_requests)):
        return
    case.state, case.closed_at, case.outcome = CaseState.CLOSED, now, "answered"
    case.version += 1


def open_again(session: Session, case_id: str) -> None:
    """Opens such a case again."""
    case = session.get(CaseRow, case_id)
    if case is not None and case.purpose == RIGHTS_PURPOSE:
        case.state, case.closed_at, case.outcome = CaseState.OPEN, None, None
        case.version += 1
