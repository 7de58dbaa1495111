"""What addresses and logs call a household: a random id that only the database connects with a
UPRN.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from folkmoot_node.casework.authority.models import HouseholdRow
from folkmoot_node.casework.ids import new_id

_AT_ONCE = 5000
"""UPRNs in one statement; SQLite takes 32,766."""


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


def household_ids(session: Session, uprns: Sequence[int]) -> dict[int, str]:
    """The ids of many households by UPRN; made for those that have none.

    Args:
        session: Of a transaction that writes.
        uprns: Unique property reference numbers.
    """
    found: dict[int, str] = {}
    for first in range(0, len(uprns), _AT_ONCE):
        some = uprns[first : first + _AT_ONCE]
        query = select(HouseholdRow.uprn, HouseholdRow.household_id)
        rows = session.execute(query.where(HouseholdRow.uprn.in_(some)))
        found |= {row.uprn: row.household_id for row in rows}
    made = {uprn: new_id() for uprn in uprns if uprn not in found}
    if made:
        new = [{"household_id": id_, "uprn": uprn} for uprn, id_ in made.items()]
        session.execute(insert(HouseholdRow), new)
    return found | made


def uprns_of(session: Session, households: Collection[str]) -> set[int]:
    """The UPRNs of households by their ids; ids that there are not give none."""
    wanted, found = list(households), set[int]()
    for first in range(0, len(wanted), _AT_ONCE):
        some = HouseholdRow.household_id.in_(wanted[first : first + _AT_ONCE])
        found.update(session.scalars(select(HouseholdRow.uprn).where(some)))
    return found
