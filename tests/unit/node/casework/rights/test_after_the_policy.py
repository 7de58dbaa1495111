"""Residents are answered also after the last day of the casework policy, when nothing else is."""

from __future__ import annotations

import datetime

import pytest

from folkmoot_node.casework.desk import Desk
from folkmoot_node.casework.holders import RECORDS
from folkmoot_node.casework.rights.dossier import gather
from folkmoot_node.casework.rights.objections import Objections
from folkmoot_web.errors import WebProblem
from tests.casework_council import CaseworkCouncil
from tests.casework_opening import restrict
from tests.casework_rights import OFFICER, flag, object_to, opened

DAY = 86_400


def test_whoever_answers_residents_still_opens_households_and_nobody_else(
    council: CaseworkCouncil, desk: Desk
) -> None:
    case_id = flag(council, desk, 0)
    made = object_to(council, desk, case_id)
    sunset = desk.known.policy.sunset
    council.clock.now += ((sunset - desk.today()).days + 1) * DAY
    assert desk.today() > sunset
    with pytest.raises(WebProblem) as refused:
        opened(council, desk, case_id, "caseworker")
    assert refused.value.status == 403
    shown = opened(council, desk, case_id)
    officer = council.visitor(desk, OFFICER)
    Objections(desk).refuse(shown, made, 1, "The arrears are right", officer, {})
    rooms = {room.name for room in gather(desk, shown, RECORDS).rooms}
    assert {"scores", "cases", "rights", "log"} <= rooms


def test_a_restricted_household_is_still_answered_and_another_one_restricted(
    council: CaseworkCouncil, desk: Desk
) -> None:
    case_id = flag(council, desk, 0)
    restrict(council, desk, 0)
    over = desk.known.policy.sunset + datetime.timedelta(days=1)
    council.clock.now += (over - desk.today()).days * DAY
    assert opened(council, desk, case_id).uprn == council.uprn(0)
    assert restrict(council, desk, 1)
