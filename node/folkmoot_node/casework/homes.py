"""The home that a case is about: its score when the case was opened, and changes of its UPRN."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.households import household_id, known_id
from folkmoot_node.casework.cases.cases import Case, Cases, CaseState
from folkmoot_node.casework.cases.handling import cannot
from folkmoot_node.casework.cases.models import CaseRow, MoveRow
from folkmoot_node.casework.desk import Desk
from folkmoot_node.casework.opened import Opened
from folkmoot_node.casework.opening.models import OpeningRow
from folkmoot_node.casework.opening.sensitive import NO_BAND, NOT_SHOWN
from folkmoot_node.store.schema import BAND_COLUMN
from folkmoot_operator.problems import Problem
from folkmoot_web.site import State
from folkmoot_web.visitors import Visitor

CONNECTED = "case connected with another household"
"""Action of the log."""


def score_at_opening(
    state: State, opened: Opened, sensitive: Iterable[str]
) -> dict[str, Any] | None:
    """The risk assessment when a case was opened, as `Explanation.as_json`; None if none is kept.

    Args:
        state: Of the site.
        opened: The household, for who has opened it.
        sensitive: Sources of which only those are shown that `opened` permits. If any of them is
            not, score and completeness are those of the other factors, and the band is not shown:
            together with the others' points they would give it away.
    """
    with state.database.reading() as session:
        kept = session.scalar(select(CaseRow.assessment).where(CaseRow.case_id == opened.case_id))
    found = json.loads(kept or "{}")
    if not isinstance(found, dict) or not found:
        return None
    hidden = set(sensitive) - opened.sources
    fields = {one["field"] for one in found["inputs"] if one.get("source") in hidden}
    if not fields:
        return found
    factors = [dict(one) for one in found["contributions"]]
    shown = [one for one in factors if not fields.intersection(one["inputs"])]
    known = [one for one in shown if one["points"] is not None]
    for one in factors:
        if one not in shown:
            one.update(points=None, words=NOT_SHOWN, unexplained="")
    highest = sum(one["weight"] for one in shown)
    return {
        **found,
        "score": sum(one["points"] for one in known),
        "highest": highest,
        "completeness": sum(one["weight"] for one in known) / highest if highest else 0.0,
        "band": NO_BAND,
        "action": NOT_SHOWN,
        "contributions": factors,
        "inputs": [one for one in found["inputs"] if one["field"] not in fields],
    }


def band_now(desk: Desk, opened: Opened) -> tuple[str | None, bool | None]:
    """The band of a household, and whether it is in the upper half of the bands.

    Returns:
        None for both if it has no score, or scores cannot be read now.
    """
    try:
        with desk.store() as store:
            row = store.household(opened.uprn)
            names = store.run.band_names
    except Problem:
        return None, None
    if row is None:
        return None, None
    at = row[BAND_COLUMN]
    return names[at], 2 * at >= len(names)


def why_not_connect(desk: Desk, visitor: Visitor, opened: Opened, uprn: int) -> str:
    """Why a case cannot be about another home; empty if it can."""
    none = "No home in the council's list has this UPRN"
    with desk.store() as store:
        if not store.holds(uprn):
            return none
    with desk.state.database.reading() as session:
        other = known_id(session, uprn)
        if other is not None and desk.restrictions.is_hidden(session, visitor, other):
            return none  # who may not see a household does not learn that it is restricted
    restricted = desk.restrictions.restricted()
    if opened.uprn in restricted and uprn not in restricted:
        return "This household is restricted: let somebody restrict the other UPRN first"
    return ""


def connect(
    state: State,
    session: Session,
    opened: Opened,
    version: int,
    by: Visitor,
    *,
    uprn: int,
    reason: str,
) -> Case:
    """Lets a case be about another UPRN, since its household's has changed.

    Everybody who has opened the household has to state a reason again: it was for another home.

    Args:
        state: Of the site.
        session: Of a transaction that writes.
        opened: The household that the case is about now, for who has opened it.
        version: Of the case on the page.
        by: Who decided.
        uprn: The other one; whoever calls has seen that there is such a home.
        reason: Why.

    Raises:
        WebProblem: Status 409, if that household has another case for the same purpose.
        Conflict: If somebody else has changed the case.
    """
    household = household_id(session, uprn)
    row = session.get_one(CaseRow, opened.case_id)
    if household == row.household_id:
        raise cannot("The case is about this UPRN already.", "Check the UPRN.")
    other = select(CaseRow.case_id).where(
        CaseRow.household_id == household,
        CaseRow.purpose == row.purpose,
        CaseRow.state != CaseState.CLOSED,
    )
    if session.scalar(other) is not None and row.state != CaseState.CLOSED:
        raise cannot(
            "The household with that UPRN has another case for the same purpose.",
            "Close one of the two cases first.",
        )
    left = row.household_id
    case = Cases(state).change(
        session,
        opened.case_id,
        version,
        CONNECTED,
        by,
        {"household_id": household},
        {"left": left, "household": household},
    )
    session.add(MoveRow(case_id=case.case_id, version=case.version, left=left, reason=reason))
    session.execute(
        update(OpeningRow)
        .where(OpeningRow.case_id == case.case_id, OpeningRow.ends_at > state.clock())
        .values(ends_at=state.clock())
    )
    return case


def moves(state: State, opened: Opened) -> list[MoveRow]:
    """Changes of the UPRN of a case, with their reasons, the first one first."""
    query = select(MoveRow).where(MoveRow.case_id == opened.case_id).order_by(MoveRow.version)
    with state.database.reading() as session:
        return list(session.scalars(query))
