"""A council whose households are opened, restricted, searched for and exported, for tests."""

from __future__ import annotations

import datetime

from folkmoot_node.casework.cases.cases import CaseState
from folkmoot_node.casework.cases.models import CaseRow
from folkmoot_node.casework.desk import Desk
from folkmoot_node.casework.opening.restrictions import RestrictionKind
from folkmoot_node.casework.settings import policy_path
from folkmoot_operator.moments import day
from tests.casework_council import CaseworkCouncil

PURPOSE = "winter_support"
REASON = "Preparing the first call"
"""Of whoever opens something in a test."""


def open_case(council: CaseworkCouncil, desk: Desk, at: int, *, uprn: int | None = None) -> str:
    """Opens a case for a household by its place; its id."""
    with desk.state.database.writing() as session:
        return desk.cases.open(
            session,
            council.uprn(at) if uprn is None else uprn,
            purpose=PURPOSE,
            why="A person decided",
            by=council.visitor(desk, "manager"),
        )


def close_case(desk: Desk, case_id: str) -> None:
    """Closes a case, as the pages of cases do."""
    with desk.state.database.writing() as session:
        row = session.get(CaseRow, case_id)
        assert row is not None
        row.state = CaseState.CLOSED
        row.closed_at = desk.clock()


def restrict(
    council: CaseworkCouncil,
    desk: Desk,
    at: int,
    kind: RestrictionKind = RestrictionKind.STAFF,
    days: int = 30,
) -> str:
    """Restricts a household by its place; the id of the restriction."""
    return desk.restrictions.restrict(
        council.visitor(desk, "protection_officer"),
        council.uprn(at),
        kind,
        "Somebody asked for it",
        day(desk.clock()) + datetime.timedelta(days=days),
    )


def change_policy(council: CaseworkCouncil, *changes: tuple[str, str]) -> None:
    """Changes texts of the casework policy, and signs it."""
    path = policy_path(council.config)
    text = path.read_text()
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text)
    council.sign()


SEES_SENSITIVE = (
    "[roles.protection_officer]\n",
    '[roles.protection_officer]\nsources = ["childrens_services"]\n',
)
"""A change of the policy: the protection officer may see the sensitive source."""
MANAGER_SEES = (
    'may = ["cohorts",',
    'sources = ["childrens_services"]\nmay = ["cohorts",',
)
"""A change of the policy: the manager may see the sensitive source, and so bands."""
BLIND = ("[openings]", "[openings]\nblind_first_look = true")
"""A change of the policy: workers have a view of a household before its score is shown."""
EXPORTS_UPRNS = (
    "[exports.work]",
    "[exports.visits]\n"
    'title = "Visits of the week"\n'
    'columns = ["case", "uprn", "team"]\n\n'
    "[exports.work]",
)
"""A change of the policy: there is an export with UPRNs."""
