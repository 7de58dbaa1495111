"""How many households objected, and for how many the council changed its mind."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from folkmoot_node.casework.rights.kinds import ObjectionState
from folkmoot_node.casework.rights.models import ObjectionRow

_OVERTURNED = (ObjectionState.UPHELD, ObjectionState.ENDED)


@dataclass(frozen=True, slots=True)
class Contest:
    """An objection, for numbers.

    Attributes:
        household: Id of the household.
        field: The input in dispute; None for the processing as a whole.
        recorded_at: Seconds since 1970-01-01T00:00:00Z.
        is_overturned: Whether it was upheld.
    """

    household: str
    field: str | None
    recorded_at: int
    is_overturned: bool


def contests(session: Session) -> list[Contest]:
    """All objections that were not withdrawn and are still kept, oldest first."""
    query = (
        select(ObjectionRow)
        .where(ObjectionRow.state != ObjectionState.WITHDRAWN)
        .order_by(ObjectionRow.recorded_at)
    )
    return [
        Contest(row.household_id, row.field, row.recorded_at, row.state in _OVERTURNED)
        for row in session.scalars(query)
    ]


def contested(session: Session) -> frozenset[str]:
    """Ids of households that have objected."""
    return frozenset(one.household for one in contests(session))


def overturned(session: Session) -> frozenset[str]:
    """Ids of households of which an objection was upheld."""
    return frozenset(one.household for one in contests(session) if one.is_overturned)
