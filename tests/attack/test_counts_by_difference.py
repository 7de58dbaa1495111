"""Who may build cohorts tries to find out by counts what a hidden household has."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from folkmoot_node.casework.cohorts.cohorts import COUNTED, RAN
from folkmoot_node.casework.cohorts.runs import Standing, get_run, members, run_cohort
from folkmoot_node.casework.cohorts.seen import rough, seen_run
from folkmoot_node.casework.desk import Desk
from folkmoot_node.casework.opening.unusual import unusual_reading
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_web.visitors import Visitor
from tests.casework_council import CaseworkCouncil, Household, make_council
from tests.casework_opening import change_policy, restrict
from tests.night import by_night
from tests.unit.node.casework.test_cohorts import PURPOSE, definition

OWED = 3_217.0
"""By the household that is attacked, whose arrears nobody else has."""
AT = 4


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> CaseworkCouncil:
    others = [Household(100.0 * (at % 12), 30 + at, 2) for at in range(40)]
    others[AT] = Household(OWED, 97, 1)
    return make_council(tmp_path_factory.mktemp("council"), households=others)


@pytest.fixture
def council(made: CaseworkCouncil, tmp_path: Path) -> CaseworkCouncil:
    """A copy of the council that was made."""
    home = tmp_path / "home"
    shutil.copytree(made.home, home)
    return CaseworkCouncil(home, list(made.households))


def _hide_by_restriction(council: CaseworkCouncil, desk: Desk) -> None:
    restrict(council, desk, AT)


def _hide_by_bar(council: CaseworkCouncil, desk: Desk) -> None:
    officer = council.visitor(desk, "protection_officer")
    name = council.visitor(desk, "manager").name
    desk.restrictions.bar(officer, council.uprn(AT), name, "It is their mother's")


HIDES = pytest.mark.parametrize("hide", [_hide_by_restriction, _hide_by_bar])
HIDES_BY_DAY = pytest.mark.parametrize("hide", by_night([_hide_by_bar, _hide_by_restriction]))


def _bisected(desk: Desk, by: Visitor) -> float | None:
    """What a household of 97 owes, by counts of those that owe so much; None if none is found."""

    def there(least: float) -> bool:
        conditions = [
            {"field": "oldest_age", "at_least": 97},
            {"field": "council_tax_arrears", "at_least": least},
        ]
        # Shown roughly, the count of one household is still told from none.
        return rough(desk.cohorts.count(definition(conditions), by, PURPOSE))["members"] != 0

    if not there(0):
        return None
    low, high = 0, 8_192
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if there(middle) else (low, middle)
    return low


@HIDES
def test_bisection_finds_nothing_of_a_hidden_household(
    hide: Callable[[CaseworkCouncil, Desk], None], council: CaseworkCouncil
) -> None:
    desk = council.desk()
    manager = council.visitor(desk, "manager")
    assert _bisected(desk, manager) == OWED, "the attack itself works"
    hide(council, desk)
    assert _bisected(desk, manager) is None


@HIDES_BY_DAY
def test_no_part_of_a_count_changes_with_a_hidden_household(
    hide: Callable[[CaseworkCouncil, Desk], None], council: CaseworkCouncil
) -> None:
    desk = council.desk()
    manager = council.visitor(desk, "manager")
    hide(council, desk)
    wanted = definition([{"field": "council_tax_arrears", "at_least": 0}])
    before = desk.cohorts.count(wanted, manager, PURPOSE)
    for changed in (Household(0.0, 20, 5), Household(None, None, None), Household(9_000.0, 90, 1)):
        council.households[AT] = changed
        council.clock.now += 86_400
        council.write_extracts()
        council.score()
        counted = desk.cohorts.count(wanted, manager, PURPOSE)
        assert counted.as_json() | {"scored_at": 0} == before.as_json() | {"scored_at": 0}


@HIDES
def test_a_run_neither_lists_nor_counts_a_hidden_household(
    hide: Callable[[CaseworkCouncil, Desk], None], council: CaseworkCouncil
) -> None:
    desk = council.desk()
    manager = council.visitor(desk, "manager")
    wanted = definition([{"field": "council_tax_arrears", "at_least": 1_000}])
    cohort_id = desk.cohorts.save(wanted, manager)
    old = run_cohort(desk.cohorts, cohort_id, manager)
    with desk.state.database.reading() as session:
        there = members(session, old, standing=tuple(Standing), first=0, size=100)[0]
    hide(council, desk)
    new = run_cohort(desk.cohorts, cohort_id, manager)
    hidden = desk.cohorts.hidden(manager)
    with desk.state.database.reading() as session:
        for run_id in (old, new):
            seen = seen_run(desk.cohorts, session, get_run(session, run_id), manager)
            assert seen.run.counted.members == there - 1
            assert sum(seen.run.standing.values()) == there - 1, "it is not gone either"
            listed = members(
                session, run_id, standing=tuple(Standing), first=0, size=100, without=hidden
            )
            assert listed[0] == there - 1
            assert not hidden.intersection(row.household_id for row in listed[1])
        whole = [
            seen_run(desk.cohorts, session, get_run(session, one), manager).is_whole
            for one in (old, new)
        ]
        assert whole == [False, True], "the bands of the old run would tell its own"


def test_only_so_many_counts_a_day_and_many_in_an_hour_are_reported(
    council: CaseworkCouncil,
) -> None:
    change_policy(
        council,
        ("counts_per_day = 100", "counts_per_day = 5"),
        ("counts_per_hour = 30", "counts_per_hour = 3"),
    )
    desk = council.desk()
    manager = council.visitor(desk, "manager")
    wanted = definition([{"field": "council_tax_arrears", "at_least": 1_000}])
    cohort_id = desk.cohorts.save(wanted, manager)
    run_cohort(desk.cohorts, cohort_id, manager)
    for _ in range(4):
        desk.cohorts.count(wanted, manager, PURPOSE)
    for act in (
        lambda: desk.cohorts.count(wanted, manager, PURPOSE),
        lambda: run_cohort(desk.cohorts, cohort_id, manager),
    ):
        with pytest.raises(Problem, match="as often as one person may in a day, 5 times") as full:
            act()
        assert full.value.exit_code is ExitCode.REFUSED
    assert len(list(desk.state.audit.entries((COUNTED, RAN)))) == 5
    found = unusual_reading(desk.log, desk.known.policy.unusual, council.clock())
    assert [(one.rule, one.by) for one in found] == [("Many counts in an hour", manager.name)]
    colleague = Visitor(2, "other@example.gov.uk", "Other", ("manager",), frozenset(), "session")
    assert desk.cohorts.count(wanted, colleague, PURPOSE)
    council.clock.now += 86_400
    assert desk.cohorts.count(wanted, manager, PURPOSE)
