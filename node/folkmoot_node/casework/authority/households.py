"""What addresses and logs call a household: a random id that only the database connects with a
UPRN.
"""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.models import HouseholdRow
from folkmoot_node.casework.ids import new_id


def household_id(session: Session, uprn: int) -> str:
    """The id of a household; made if it has none.

    Args:
        session: Of a transaction that writes.
        uprn: Unique property reference number.
    """
    found = known_id(session, uprn)
    if found is None:
        found = new_id()
        session.add(HouseholdRow(household_id=found, uprn=uprn))
        session.flush()
    return found


def known_id(session: Session, uprn: int) -> str | None:
    """The id of a household; None if it has none."""
    return session.scalar(select(HouseholdRow.household_id).where(HouseholdRow.uprn == uprn))


def uprn_of(session: Session, household: str) -> int | None:
    """The UPRN of a household by its id; None if there is no such id."""
    return session.scalar(select(HouseholdRow.uprn).where(HouseholdRow.household_id == household))
