"""Waits double up to a longest, and are spread where many wait for the same server."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_operator.backoff import Backoff

SECONDS = st.floats(min_value=1e-3, max_value=1e6)
DOUBLINGS = st.integers(min_value=0, max_value=10_000)


def test_waits_double_up_to_the_longest() -> None:
    waits = Backoff(30, 300)
    assert [waits.seconds(number) for number in range(6)] == [30, 60, 120, 240, 300, 300]


@given(SECONDS, SECONDS, DOUBLINGS)
def test_a_wait_never_shrinks_and_stays_within_its_bounds(
    first: float, longest: float, doublings: int
) -> None:
    waits = Backoff(first, longest)
    wait = waits.seconds(doublings)
    assert first <= wait <= max(first, longest)
    assert waits.seconds(doublings + 1) >= wait


@given(SECONDS, SECONDS, DOUBLINGS)
def test_a_spread_wait_is_from_half_the_first_to_the_full_one(
    first: float, longest: float, doublings: int
) -> None:
    waits = Backoff(first, longest)
    assert first / 2 <= waits.spread(doublings) <= waits.seconds(doublings)


def test_spread_waits_use_the_whole_range() -> None:
    found = [Backoff(10, 1000).spread(5) for _ in range(2_000)]  # from 5 to 320 s
    assert min(found) < 25
    assert max(found) > 300
    assert statistics.mean(found) == pytest.approx(162.5, rel=0.1)


def test_a_longest_below_the_first_does_not_shorten_it() -> None:
    """A node that visits once a day is not to visit more often because a visit failed."""
    waits = Backoff(86_400, 300)
    assert waits.seconds(3) == 86_400
    assert waits.spread(3) >= 43_200


@pytest.mark.parametrize("first", [0, -1, float("nan")])
def test_a_wait_of_nothing_is_refused(first: float) -> None:
    with pytest.raises(ValueError, match="must be above zero"):
        Backoff(first, 10)


def test_before_the_first_wait_there_is_none() -> None:
    with pytest.raises(ValueError, match="before the first wait"):
        Backoff(1, 10).seconds(-1)
