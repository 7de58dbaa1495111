"""The noise that is released is that of the planned mechanism and scale.

Each comparison fails once in a million times though nothing is wrong (`fit.FALSE_ALARM`); no
test makes more than ten. Each also shows that it rejects what is wrong, so that passing
means something.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from folkmoot.attributes import Attribute
from folkmoot.hierarchy import Axis
from folkmoot.privacy import Epsilon, Rho
from folkmoot.pure import plan_pure
from folkmoot.strategy import Plan, plan
from folkmoot.workload import Marginal, Workload
from folkmoot_node.release.contrasts import sensitivities
from tests.statistical.fit import (
    are_uncorrelated,
    discrete_gaussian,
    discrete_laplace,
    fits,
    is_mean_of,
    is_of,
    moment,
)
from tests.statistical.questions import TRAFFORD, Int64, areas, exact, full_depths, release
from tests.tables import measured

PAIRS, FIVES, ALONE = 8_000, 1_600, 100
WARDS = PAIRS + FIVES + ALONE
"""Wards with two, five and one LSOA."""
SQUARED = {1, 20, 6 * 1, 6 * 20, WARDS * (WARDS - 1)}
"""Squared sensitivities of what is measured: m (m - 1) for a group of m > 2, 1 for a pair."""
MEASURED = {("lsoa",), ("lsoa", "tenure"), ("lsoa", "age"), ("ward",), ("ward", "tenure")}


def wide_plan(rho: str) -> Plan:
    """Components over a nested axis, a pair and a group of three, each of loss `rho`."""
    asked = Workload(
        (
            *areas({TRAFFORD: [2] * PAIRS + [5] * FIVES + [1] * ALONE}),
            Attribute("tenure", ("own", "rent")),
            Attribute("age", ("y", "m", "o")),
        ),
        (Marginal(("lsoa", "tenure")), Marginal(("ward", "tenure")), Marginal(("lsoa", "age"))),
    )
    planned = plan(asked, TRAFFORD, Rho.of("1"))
    return replace(
        planned,
        measurements=tuple(
            replace(one, rho=Rho.of(rho))
            for one in planned.measurements
            if one.attributes in MEASURED
        ),
    )


def noise_of(planned: Plan, threads: int, table: Int64) -> Int64:
    """The noise of one release of a table over the cross-product."""
    return release(planned, exact(planned, table), threads) - measured(planned, table)


def empty(planned: Plan) -> Int64:
    cells = math.prod(map(Axis.size, planned.axes, full_depths(planned)))
    return np.zeros(cells, dtype=np.int64)


def by_sensitivity(planned: Plan, noise: Int64) -> dict[int, Int64]:
    """Noise by the squared sensitivity of its row."""
    squared = np.concatenate(
        [sensitivities(planned.axes, one.depths) for one in planned.measurements]
    )
    return {int(size): noise[squared == size] for size in np.unique(squared)}


@pytest.mark.slow
@pytest.mark.parametrize("rho, threads", [("0.02", 1), ("0.5", 2), ("4", 3)])
def test_goodness_of_fit(rho: str, threads: int) -> None:
    """Ten comparisons: scales from 0.35 to 48,000; nested groups of 2 and 5 together."""
    planned = wide_plan(rho)
    samples = by_sensitivity(planned, noise_of(planned, threads, empty(planned)))
    assert set(samples) == SQUARED
    for squared, sample in samples.items():
        sigma = math.sqrt(squared / (2 * float(rho)))
        assert sample.size >= 16_000
        assert is_of(sample, discrete_gaussian(sigma)), sigma
        assert not is_of(sample, discrete_gaussian(sigma * 1.06)), sigma
        assert not is_of(sample, discrete_gaussian(sigma / 1.06)), sigma


def test_goodness_of_fit_sees_a_wrong_shape() -> None:
    """Rounded continuous noise of the right variance is not the discrete Gaussian."""
    sigma = 0.6
    wrong = np.random.default_rng(1).normal(
        0, math.sqrt(moment(discrete_gaussian(sigma), 2) - 1 / 12), 100_000
    )
    assert not fits(np.rint(wrong).astype(np.int64), discrete_gaussian(sigma))


@pytest.mark.parametrize("epsilon, threads", [("0.05", 1), ("1", 2), ("4", 3)])
def test_laplace_noise_under_pure_privacy(epsilon: str, threads: int) -> None:
    """A marginal itself, of L1 sensitivity 1: two comparisons.

    15 % of scale is always seen, even where most cells get no noise at all.
    """
    codes = tuple(f"c{at}" for at in range(20_000))
    asked = Workload((Attribute("area", codes),), (Marginal(("area",)),))
    planned = plan_pure(asked, TRAFFORD, Epsilon.of(epsilon))
    table = np.arange(20_000, dtype=np.int64) % 5
    noise = release(planned, exact(planned, table), threads) - table
    scale = 1 / float(epsilon)
    assert is_of(noise, discrete_laplace(scale))
    assert not is_of(noise, discrete_laplace(scale * 1.15))
    assert not is_of(noise, discrete_laplace(scale / 1.15))
    assert not is_of(noise, discrete_gaussian(math.sqrt(moment(discrete_laplace(scale), 2))))


def small_plan(rho: str) -> Plan:
    """One component, of pairs: its noise at 2,000 wards."""
    asked = Workload(areas({TRAFFORD: [2] * 2_000}), (Marginal(("ward",)), Marginal(("lsoa",))))
    planned = plan(asked, TRAFFORD, Rho.of("1"))
    pairs = next(one for one in planned.measurements if one.attributes == ("lsoa",))
    return replace(planned, measurements=(replace(pairs, rho=Rho.of(rho)),))


@pytest.mark.parametrize("level", [0, 1, 1_000, 2**30])
def test_the_noise_does_not_depend_on_the_count(level: int) -> None:
    """Mean and distribution, whatever the counts: three comparisons."""
    planned = small_plan("0.05")
    table = level + np.arange(empty(planned).size) * 7 % (level + 1)
    noise = noise_of(planned, 2, table)
    assert is_mean_of(noise, 0, moment(discrete_gaussian(math.sqrt(10)), 2))
    assert not is_mean_of(noise + 1, 0, moment(discrete_gaussian(math.sqrt(10)), 2))
    assert is_of(noise, discrete_gaussian(math.sqrt(10)))
    assert are_uncorrelated(noise, np.arange(noise.size))


def test_noise_is_independent_from_row_to_row_and_between_threads() -> None:
    """Neighbouring rows, and halves drawn by two threads: two comparisons."""
    planned = small_plan("0.05")
    noise = noise_of(planned, 2, empty(planned))
    half = noise.size // 2
    assert are_uncorrelated(noise[:-1], noise[1:])
    assert are_uncorrelated(noise[:half], noise[half:])
    assert not np.array_equal(noise[:half], noise[half:])
    # A part of the noise in common would be seen.
    common = np.random.default_rng(1).normal(0, 3, half)
    assert not are_uncorrelated(noise[:half] + common, noise[half:] + common)


@pytest.mark.slow
def test_noise_is_independent_between_components_and_releases() -> None:
    """The same cell in two components, and in two releases: seven comparisons."""
    planned = wide_plan("0.5")
    first, second = (noise_of(planned, 2, empty(planned)) for _ in range(2))
    parts = np.split(first, np.cumsum([one.rows for one in planned.measurements])[:-1])
    named = {one.attributes: part for one, part in zip(planned.measurements, parts, strict=True)}
    assert are_uncorrelated(named["lsoa",], named["lsoa", "tenure"])
    assert are_uncorrelated(named["ward",], named["ward", "tenure"])
    assert not are_uncorrelated(named["ward",], named["ward", "tenure"] + named["ward",])
    for one, other in zip(
        by_sensitivity(planned, first).values(),
        by_sensitivity(planned, second).values(),
        strict=True,
    ):
        assert are_uncorrelated(one, other)
