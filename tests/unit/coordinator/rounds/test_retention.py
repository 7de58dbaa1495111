"""Deletion of old counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from folkmoot.geography import GssCode
from folkmoot_coordinator.clock import DAY
from folkmoot_coordinator.publication.round_result import released_counts, round_result
from folkmoot_coordinator.rounds.closing import close_round
from folkmoot_coordinator.rounds.retention import delete_old_counts
from folkmoot_operator.problems import ExitCode, Problem

if TYPE_CHECKING:
    from tests.unit.coordinator.conftest import Office

BOLTON, BURY = GssCode("E08000001"), GssCode("E08000002")


def test_counts_go_and_receipts_stay(office: Office) -> None:
    old, newer, still_open = office.open(), office.open(), office.open()
    first = office.release(old, BOLTON)
    for stored in (newer, still_open):
        office.release(stored, BOLTON)
    closed = office.clock()
    close_round(office.database, old.round_.round_id, closed)
    close_round(office.database, newer.round_.round_id, closed + 1)

    assert delete_old_counts(office.database, 30, closed + 30 * DAY - 1) == 0
    assert delete_old_counts(office.database, 30, closed + 30 * DAY) == 1
    assert delete_old_counts(office.database, 30, closed + 30 * DAY) == 0

    kept = [released_counts(office.database, one) for one in (old, newer, still_open)]
    assert [len(counts) for counts in kept] == [0, 1, 1]
    again = office.release(old, BOLTON)
    assert (again.repeated, again.receipt) == (True, first.receipt)
    with pytest.raises(Problem, match="no longer kept") as caught:
        round_result(office.database, "R", old.round_.round_id)
    assert caught.value.exit_code is ExitCode.REFUSED
