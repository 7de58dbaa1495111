"""The noise that is released is the discrete Gaussian of the planned scale.

Each test states its false-alarm rate; each also shows that it rejects a scale that is
wrong by five per cent, so that passing means something.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from folkmoot.discrete_gaussian import half_width, variance
from folkmoot.privacy import Rho
from folkmoot.strategy import Measurement
from folkmoot.workload import Marginal
from folkmoot_node.counts import ExactCounts
from folkmoot_node.release import _measure

CELLS = 60_000
Z = 4.9
"""Two-sided normal quantile with a false-alarm rate of one in a million."""


def noise(rho: str, threads: int = 2, base: int = 0) -> npt.NDArray[np.int64]:
    plan = [Measurement(Marginal(()), Rho.of(rho))]
    exact = ExactCounts([np.full(CELLS, base, dtype=np.int64)])
    return np.array(_measure(exact, plan, threads).values) - base


def pmf(sigma: float, low: int, high: int) -> npt.NDArray[np.float64]:
    wide = np.arange(-math.ceil(40 * sigma) - 5, math.ceil(40 * sigma) + 6)
    weights = np.exp(-(wide.astype(float) ** 2) / (2 * sigma * sigma))
    weights /= weights.sum()
    inside = weights[(wide >= low) & (wide <= high)]
    return np.append(inside, max(0.0, 1 - inside.sum()))


def chi_squared(sample: npt.NDArray[np.int64], sigma: float) -> tuple[float, int]:
    reach = max(1, math.floor(3 * sigma))
    expected = pmf(sigma, -reach, reach) * sample.size
    counted = np.array(
        [np.count_nonzero(sample == k) for k in range(-reach, reach + 1)]
        + [np.count_nonzero(np.abs(sample) > reach)]
    )
    return float(((counted - expected) ** 2 / expected).sum()), expected.size - 1


def fits(sample: npt.NDArray[np.int64], sigma: float) -> bool:
    """Chi-squared by its normal approximation (Wilson-Hilferty), one in a million."""
    statistic, freedom = chi_squared(sample, sigma)
    spread = 2 / (9 * freedom)
    z = ((statistic / freedom) ** (1 / 3) - (1 - spread)) / math.sqrt(spread)
    return bool(z < Z)


@pytest.mark.parametrize("rho", ["0.005", "0.05", "0.5"])
@pytest.mark.parametrize("threads", [1, 2, 3])
def test_goodness_of_fit(rho: str, threads: int) -> None:
    sigma = Measurement(Marginal(()), Rho.of(rho)).sigma
    sample = noise(rho, threads)
    assert fits(sample, sigma)
    assert not fits(sample, sigma * 1.05)
    assert not fits(sample, sigma / 1.05)


@pytest.mark.parametrize("base", [0, 1, 1000, 2**39])
def test_the_noise_does_not_depend_on_the_count(base: int) -> None:
    assert fits(noise("0.05", base=base), math.sqrt(10))


@pytest.mark.parametrize("rho", ["0.005", "0.05", "0.5"])
def test_mean_and_variance(rho: str) -> None:
    sigma = Measurement(Marginal(()), Rho.of(rho)).sigma
    sample = noise(rho).astype(float)
    expected = variance(sigma)
    assert abs(sample.mean()) < Z * math.sqrt(expected / CELLS)
    # The variance of a sample variance of a (nearly) normal sample is 2 sigma^4 / n.
    assert abs(sample.var() - expected) < Z * expected * math.sqrt(2.1 / CELLS)


@pytest.mark.parametrize("rho", ["0.005", "0.02", "0.05"])
def test_the_published_interval_covers_as_often_as_it_says(rho: str) -> None:
    """Coverage is at least 95 %, and not much more; false alarm one in a million."""
    sigma = Measurement(Marginal(()), Rho.of(rho)).sigma
    width = half_width(sigma**2)
    covered = np.mean(np.abs(noise(rho)) <= width)
    slack = Z * math.sqrt(0.05 * 0.95 / CELLS)
    assert 0.95 - slack <= covered
    narrower = np.mean(np.abs(noise(rho)) <= width - 1)
    assert narrower < 0.95 + slack


def test_cells_are_independent_across_threads() -> None:
    """Correlation between the two halves that two threads drew, one in a million."""
    sample = noise("0.05").astype(float)
    first, second = sample[: CELLS // 2], sample[CELLS // 2 :]
    correlation = np.corrcoef(first, second)[0, 1]
    assert abs(correlation) < Z / math.sqrt(CELLS / 2)
    lagged = np.corrcoef(sample[:-1], sample[1:])[0, 1]
    assert abs(lagged) < Z / math.sqrt(CELLS)
