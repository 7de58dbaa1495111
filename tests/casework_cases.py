"""Cases for tests of what people do with them."""

from __future__ import annotations

import json

from folkmoot_node.casework.authority.rights import Right
from folkmoot_node.casework.desk import Desk
from folkmoot_node.scoring.explain import explain_household, policy_of
from folkmoot_web.visitors import Visitor
from tests.casework_council import CaseworkCouncil

WORKER, MANAGER, OTHER = (
    "caseworker@example.gov.uk",
    "manager@example.gov.uk",
    "second@example.gov.uk",
)
"""Accounts; the last one has to be added, with the role of the first."""


def open_case(
    council: CaseworkCouncil,
    desk: Desk,
    at: int,
    *,
    flagged_days_ago: int | None = None,
    cohort: bool = False,
    purpose: str = "winter_support",
) -> str:
    """Opens a case about a household by its place, with its score kept; the case's id."""
    uprn = council.uprn(at)
    with desk.store() as store:
        explained = explain_household(
            store,
            desk.config,
            desk.plugins,
            policy_of(store.run, desk.risk_policy()),
            uprn,
            today=desk.today(),
        )
    with desk.state.database.writing() as session:
        return desk.cases.open(
            session,
            uprn,
            purpose=purpose,
            why="A decision",
            by=council.visitor(desk, "manager"),
            assessment=json.dumps(explained.as_json()),
            cohort_id="cohort" if cohort else None,
            flagged_at=None
            if flagged_days_ago is None
            else desk.clock() - flagged_days_ago * 86_400,
            band=explained.band,
        )


def worker(name: str, *rights: Right) -> Visitor:
    """Somebody who may do some things; by default a caseworker's."""
    held = rights or (Right.LISTS, Right.OPEN, Right.WORK)
    return Visitor(9, name, name.partition("@")[0].title(), ("caseworker",), frozenset(held), "s")
