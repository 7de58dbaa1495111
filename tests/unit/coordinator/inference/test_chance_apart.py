"""Tails of a difference of two shares: beside exact sums of binomial counts, and the normal one."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from scipy import stats

from folkmoot_coordinator.inference.chance_apart import reach
from folkmoot_coordinator.inference.comparisons import Verdict
from folkmoot_coordinator.inference.validation import Counts, Figure, agreements, of_councils


@pytest.mark.parametrize("tail", [0.025, 0.001, 0.00005])
@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize(
    ("rate", "first", "second", "deviation"),
    [
        (0.01, 20, 8000, 1.0),
        (0.01, 20, 8000, 0.5),
        (0.0005, 2000, 18_000, 1.0),
        (0.1, 50, 100, 1.0),
        (0.97, 60, 3000, 0.7),
        (0.3, 500, 5000, 3.0),
    ],
)
def test_the_tail_is_no_more_than_that_of_both_counts_and_the_noise(
    tail, turned, rate, first, second, deviation
) -> None:
    noise = (deviation / first) ** 2 + (deviation / second) ** 2
    sizes = (second, first) if turned else (first, second)
    found = reach(rate, *sizes, noise, tail)
    ones, others = (np.arange(size + 1) for size in sizes)
    others = others[stats.binom.pmf(others, sizes[1], rate) > 1e-12]
    apart = ones[:, None] / sizes[0] - others / sizes[1]
    chance = stats.binom.pmf(ones, sizes[0], rate)[:, None] * stats.binom.pmf(
        others, sizes[1], rate
    )
    exact = float((chance * stats.norm.sf((found - apart) / noise**0.5)).sum())
    assert exact < 1.25 * tail
    normal = NormalDist().inv_cdf(1 - tail)
    assert exact > 0.75 * tail or found == pytest.approx(
        normal * (noise + rate * (1 - rate) * (1 / first + 1 / second)) ** 0.5
    )


def test_many_events_reach_as_far_as_normal_noise() -> None:
    found = reach(0.4, 1e6, 2e6, 1e-7, 0.001)
    spread = (1e-7 + 0.24 * (1e-6 + 5e-7)) ** 0.5
    assert found == pytest.approx(spread * NormalDist().inv_cdf(0.999), rel=0.01)
    assert reach(0.0, 10, 20, 4.0, 0.001) == pytest.approx(2 * NormalDist().inv_cdf(0.999))
    assert reach(0.0, 10, 20, 0.0, 0.001) == 0.0


@pytest.mark.parametrize("rate", [0.001, 0.5])
def test_where_no_difference_is_so_rare_none_exceeds_it(rate) -> None:
    for noise in (0.0, 1e-12):
        assert 1.0 <= reach(rate, 1.0, 2.0, noise, 1e-7) < 5.0


def test_few_events_in_a_small_band_accuse_nobody() -> None:
    """Three events of twenty households, where one in a hundred has one, come once in a thousand
    times; a normal tail would say once in a billion.
    """
    usual, few = [[1980.0, 20.0], [990.0, 10.0]], [[1980.0, 20.0], [17.0, 3.0]]
    noise = 0.25 * np.eye(4)
    places = {f"c{at}": Counts(np.array(usual), noise) for at in range(9)}
    found = agreements(("low", "high"), of_councils(places | {"x": Counts(np.array(few), noise)}))
    one = next(
        one for one in found if (one.place, one.band, one.about) == ("x", "high", Figure.PRECISION)
    )
    assert one.verdict is Verdict.UNDECIDED
    assert one.lower < 0 < one.difference < one.upper
    more = [[1980.0, 20.0], [14.0, 6.0]]
    found = agreements(("low", "high"), of_councils(places | {"x": Counts(np.array(more), noise)}))
    assert Verdict.FIRST_LARGER in {one.verdict for one in found if one.place == "x"}
