"""Waiting for a round to end."""

from __future__ import annotations

import pytest

from folkmoot.rounds import RoundState
from folkmoot_coordinator.rounds import waiting
from folkmoot_coordinator.rounds.closing import close_round
from folkmoot_coordinator.rounds.waiting import Answers, wait_until_ended
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.coordinator.conftest import BOLTON, BURY, Office


@pytest.fixture(autouse=True)
def eager(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "LOOK_SECONDS", 0.0)


def test_it_reports_each_answer_and_ends_with_the_last(office: Office) -> None:
    stored = office.open()
    seen: list[Answers] = []

    def report(answers: Answers) -> None:
        seen.append(answers)
        if len(seen) == 1:
            office.refuse(stored, BOLTON)
        elif len(seen) == 2:
            office.release(stored, BURY)

    wait_until_ended(office.database, stored.round_, office.clock, report)
    assert seen == [Answers(2, 0, 0), Answers(2, 0, 1), Answers(2, 1, 1)]
    assert [str(one) for one in seen[1:]] == [
        "1 of 2 councils have answered, 1 refused",
        "2 of 2 councils have answered, 1 refused",
    ]
    assert office.again(stored).state is RoundState.PARTIAL


def test_it_ends_when_somebody_closes_the_round(office: Office) -> None:
    stored = office.open()

    def close(_: Answers) -> None:
        close_round(office.database, stored.round_.round_id, office.clock())

    wait_until_ended(office.database, stored.round_, office.clock, close)
    assert office.again(stored).state is RoundState.VOID


def test_a_round_that_nobody_closes_is_not_waited_for_for_ever(office: Office) -> None:
    stored = office.open()
    office.clock.now = stored.round_.deadline + waiting.OVERDUE_SECONDS

    def later(_: Answers) -> None:
        office.clock.now += 1

    with pytest.raises(Problem) as caught:
        wait_until_ended(office.database, stored.round_, office.clock, later)
    assert caught.value.exit_code is ExitCode.UNREACHABLE
    assert "folkmoot-coordinator serve" in caught.value.remedy
    assert office.again(stored).state is RoundState.OPEN
