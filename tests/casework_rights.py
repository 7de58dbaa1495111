"""Households that somebody opened, for tests of residents' rights."""

from __future__ import annotations

import datetime

from folkmoot_node.casework.desk import Desk
from folkmoot_node.casework.opening.openings import Opened
from folkmoot_node.casework.rights.kinds import Kind
from folkmoot_node.casework.rights.objections import Objections
from tests.casework_council import CaseworkCouncil

OFFICER = "protection_officer"


def flag(council: CaseworkCouncil, desk: Desk, at: int, why: str = "A person decided") -> str:
    """A case that the manager has opened."""
    with desk.state.database.writing() as session:
        return desk.cases.open(
            session,
            council.uprn(at),
            purpose="winter_support",
            why=why,
            by=council.visitor(desk, "manager"),
        )


def opened(council: CaseworkCouncil, desk: Desk, case_id: str, role: str = OFFICER) -> Opened:
    """The household of a case, opened by somebody with a role."""
    visitor = council.visitor(desk, role)
    desk.openings.open(visitor, case_id, "A resident asks")
    return desk.openings.look(visitor, case_id, "test")


def object_to(
    council: CaseworkCouncil,
    desk: Desk,
    case_id: str,
    field: str | None = "council_tax_arrears",
    received_on: datetime.date | None = None,
) -> str:
    """An objection that the caseworker has recorded."""
    return Objections(desk).record(
        case_id,
        kind=Kind.CONTEST if field else Kind.OBJECTION,
        field=field,
        said="We paid this in March",
        said_by="The tenant, by telephone",
        received_on=received_on or desk.today(),
        by=council.visitor(desk, "caseworker"),
    )
