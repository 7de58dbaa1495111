"""Councils merge: the new ledger begins with what a household may have lost before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.geography import GssCode
from folkmoot.privacy import Rho
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.evidence.inheritance import Spent, inherit, unexplained
from folkmoot_node.evidence.ledger import BudgetExhausted, Ledger
from folkmoot_operator.hash_chain import Entry
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.node.privacy_half import NOON, RELEASE_POLICY, policy

LOSS = policy().loss
YEAR = 366 * 86_400
ALLERDALE, CARLISLE = GssCode("E07000026"), GssCode("E07000028")
States = Callable[[str], StateDatabase]


@pytest.fixture
def states(tmp_path: Path) -> Iterator[States]:
    made: list[StateDatabase] = []

    def make(name: str) -> StateDatabase:
        made.append(StateDatabase(tmp_path / f"{name}.sqlite", create=True))
        return made[-1]

    yield make
    for one in made:
        one.close()


def spend(state: StateDatabase, *amounts: str, at: int = NOON) -> None:
    for number, rho in enumerate(amounts, start=len(Ledger(state).debits())):
        Ledger(state).debit(f"{number:032x}", b"d" * 32, Rho.of(rho), LOSS, RELEASE_POLICY, at)


def test_it_begins_with_the_larger_of_both(states: States) -> None:
    one, other, new = states("one"), states("other"), states("new")
    spend(one, "0.1", "0.1")
    spend(other, "0.1")
    before = [Spent.of(ALLERDALE, one, NOON + 1), Spent.of(CARLISLE, other, NOON + 1)]
    assert inherit(new, before, NOON + 1) == (Rho.of("0.2"), Rho.of("0.2"))
    balance = Ledger(new).balance(LOSS, NOON + 2)
    assert (balance.spent, balance.lifetime) == (Rho.of("0.2"), Rho.of("0.2"))


def test_what_was_spent_in_a_period_that_is_over_counts_for_all_time_alone(states: States) -> None:
    one, other, new = states("one"), states("other"), states("new")
    spend(one, "0.3", at=NOON)
    spend(other, "0.1", at=NOON + YEAR)
    now = NOON + YEAR + 1
    before = [Spent.of(ALLERDALE, one, now), Spent.of(CARLISLE, other, now)]
    assert inherit(new, before, now) == (Rho.of("0.1"), Rho.of("0.3"))
    balance = Ledger(new).balance(LOSS, now + 1)
    assert (balance.spent, balance.lifetime) == (Rho.of("0.1"), Rho.of("0.3"))
    later = Ledger(new).balance(LOSS, now + YEAR)
    assert (later.spent, later.lifetime) == (Rho.of("0"), Rho.of("0.3"))


def test_what_was_inherited_is_held_against_the_caps(states: States) -> None:
    one, new = states("one"), states("new")
    while True:
        try:
            spend(one, "0.1")
        except BudgetExhausted:
            break
    inherit(new, [Spent.of(ALLERDALE, one, NOON + 1)], NOON + 1)
    with pytest.raises(BudgetExhausted):
        spend(new, "0.1", at=NOON + 2)


def test_a_ledger_that_has_begun_inherits_nothing(states: States) -> None:
    one, new = states("one"), states("new")
    spend(new, "0.1")
    with pytest.raises(Problem) as caught:
        inherit(new, [Spent.of(ALLERDALE, one, NOON + 1)], NOON + 1)
    assert caught.value.exit_code is ExitCode.REFUSED
    assert Ledger(new).head().length == 1
    fresh = states("fresh")
    inherit(fresh, [Spent.of(ALLERDALE, one, NOON + 1)], NOON + 1)
    with pytest.raises(Problem):
        inherit(fresh, [Spent.of(ALLERDALE, one, NOON + 1)], NOON + 1)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.lists(st.integers(1, 9), max_size=3), min_size=1, max_size=3))
def test_no_household_has_more_behind_it_than_is_counted(spent: list[list[int]]) -> None:
    """Whichever council a household was in: what that spent is at most what is inherited."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        found = []
        for number, amounts in enumerate(spent):
            with StateDatabase(Path(folder, f"{number}.sqlite"), create=True) as state:
                spend(state, *(f"0.0{one}" for one in amounts))
                found.append(Spent.of(ALLERDALE, state, NOON + 1))
        with StateDatabase(Path(folder, "new.sqlite"), create=True) as new:
            inherit(new, found, NOON + 1)
            balance = Ledger(new).balance(LOSS, NOON + 2)
        assert all(balance.spent >= one.going_on for one in found)
        assert balance.spent == max(one.going_on for one in found)


def test_entries_that_say_less_than_they_state_are_found(states: States) -> None:
    one, new = states("one"), states("new")
    spend(one, "0.2")
    inherit(new, [Spent.of(ALLERDALE, one, NOON + 1)], NOON + 1)
    entries = list(new.chain("ledger").entries())
    assert unexplained(entries) is None
    first = entries[0]
    less = Entry(
        first.sequence, first.at, {**first.body, "rho_nano": 1}, first.previous, first.digest
    )
    assert unexplained([less, *entries[1:]]) is not None
    assert unexplained(entries[:1]) is not None
    assert unexplained(entries[::-1][:1]) is not None
