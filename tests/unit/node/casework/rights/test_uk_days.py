"""What residents are given says days as calendars in the UK show them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest

from folkmoot_node.casework.desk import Desk
from folkmoot_node.casework.holders import RECORDS
from folkmoot_node.casework.rights.dossier import gather
from folkmoot_node.casework.rights.notice import make_notice
from tests.casework_council import CaseworkCouncil
from tests.casework_rights import flag, opened

EARLY = int(datetime.datetime(2027, 6, 30, 23, 30, tzinfo=datetime.UTC).timestamp())
"""Half past midnight on 1 July 2027 in the UK."""


@pytest.fixture
def desk(council: CaseworkCouncil) -> Iterator[Desk]:
    """Casework on a summer night."""
    council.clock.now = EARLY
    council.write_extracts()
    council.score(council.clock)
    desk = council.desk()
    yield desk
    desk.state.database.close()


def test_in_summer_between_midnight_and_one(council: CaseworkCouncil, desk: Desk) -> None:
    seen = opened(council, desk, flag(council, desk, 0))
    assert make_notice(desk, seen).written_on == "1 July 2027"
    held = gather(desk, seen, RECORDS)
    assert held.made_on == datetime.date(2027, 7, 1)
    titles = [item.title for room in held.rooms for item in room.items]
    assert "Opened on 1 July 2027" in titles
    assert not [title for title in titles if "30 June 2027" in title]
