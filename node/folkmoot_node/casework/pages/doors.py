"""Which parameters of addresses are about a household, for the door before its pages."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from folkmoot_node.casework.cases.models import CaseRow
from folkmoot_node.casework.opening.door import HouseholdOf
from folkmoot_node.casework.rights.erasure import require_not_erased
from folkmoot_node.casework.rights.models import ObjectionRow, RequestRow


def _of_case(session: Session, case_id: str) -> str | None:
    row = session.get(CaseRow, case_id)
    if row is None:
        require_not_erased(session, case_id)
        return None
    return row.household_id


def _of_objection(session: Session, objection_id: str) -> str | None:
    row = session.get(ObjectionRow, objection_id)
    return None if row is None else row.household_id


def _of_request(session: Session, request_id: str) -> str | None:
    row = session.get(RequestRow, request_id)
    return None if row is None else row.household_id


HOUSEHOLD_OF: Mapping[str, HouseholdOf] = {
    "case_id": _of_case,
    "household": lambda _, household: household,
    "objection_id": _of_objection,
    "request_id": _of_request,
}
"""By the parameter's name."""
