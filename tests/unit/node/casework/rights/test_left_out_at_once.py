"""Whoever objected is left out of cohorts at once, and comes back when the effect ends."""

from __future__ import annotations

from folkmoot_node.casework.desk import Desk
from folkmoot_node.casework.rights.comparison import disputable
from folkmoot_node.casework.rights.kinds import Effect
from folkmoot_node.casework.rights.objections import Objections, Upholding
from tests.casework_council import CaseworkCouncil
from tests.casework_rights import OFFICER, flag, object_to, opened
from tests.unit.node.casework.test_cohorts import PURPOSE, definition


def members(council: CaseworkCouncil, desk: Desk) -> int:
    counted = desk.cohorts.count(definition(), council.visitor(desk, "manager"), PURPOSE)
    return counted.members


def test_no_scoring_run_is_needed(council: CaseworkCouncil, desk: Desk) -> None:
    assert members(council, desk) == 2  # the table is kept in memory from here on
    case_id = flag(council, desk, 0)
    made = object_to(council, desk, case_id, field=None)
    shown, officer = opened(council, desk, case_id), council.visitor(desk, OFFICER)
    objections = Objections(desk)
    what = Upholding(Effect.LEAVE_OUT, True, "You are left out", None, {})
    objections.uphold(shown, made, 1, what, officer, disputable(desk))
    assert members(council, desk) == 1
    assert desk.explanation(shown).withheld
    objections.end(made, 2, "The household asks to be found again", officer)
    assert members(council, desk) == 2
    assert not desk.explanation(shown).withheld
