"""Tests of hypotheses about noise, each with its false-alarm rate."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy import stats

FALSE_ALARM = 1e-6
"""How often each single comparison below fails though nothing is wrong."""
Z = float(stats.norm.isf(FALSE_ALARM / 2))
"""Two-sided normal quantile of the false-alarm rate: 4.9."""

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]

_CLASSES = 20
_FEWEST = 10.0
"""Least expected number in a class of the chi-squared test."""


Distribution = tuple[Int64, Float64]
"""Whole numbers, ascending and next to each other, and their probabilities."""


def discrete_gaussian(sigma: float) -> Distribution:
    """Canonne, Kamath and Steinke 2020, definition 1.

    What lies further out than 13 sigma has a probability below 1e-37.
    """
    reach = math.ceil(13 * sigma) + 5
    numbers = np.arange(-reach, reach + 1)
    weights = np.exp(-(numbers.astype(float) ** 2) / (2 * sigma * sigma))
    return numbers, weights / weights.sum()


def discrete_laplace(scale: float) -> Distribution:
    """Ghosh, Roughgarden and Sundararajan 2012; beyond 60 scales lies less than 1e-26."""
    reach = math.ceil(60 * scale) + 5
    numbers = np.arange(-reach, reach + 1)
    weights = np.exp(-np.abs(numbers) / scale)
    return numbers, weights / weights.sum()


def moment(distribution: Distribution, order: int) -> float:
    """A moment of noise around zero."""
    numbers, probabilities = distribution
    return float((numbers.astype(float) ** order * probabilities).sum())


def fits(noise: Int64, distribution: Distribution) -> bool:
    """Chi-squared test of noise against a distribution.

    Classes are runs of whole numbers, about equally likely; where the scale is small, single
    whole numbers.
    """
    numbers, probabilities = distribution
    ends = np.unique(numbers[np.searchsorted(np.cumsum(probabilities), _quantiles())])
    cumulative = np.cumsum(probabilities)[ends - numbers[0]]
    expected = np.diff(np.concatenate([[0.0], cumulative, [1.0]])) * noise.size
    counted = np.bincount(np.searchsorted(ends, noise), minlength=ends.size + 1)
    common = expected >= _FEWEST
    rare = noise.size - expected[common].sum()
    statistic = float(((counted[common] - expected[common]) ** 2 / expected[common]).sum())
    freedom = int(common.sum()) - 1
    if rare > _FEWEST:
        statistic += float((counted[~common].sum() - rare) ** 2 / rare)
        freedom += 1
    return bool(stats.chi2.sf(statistic, freedom) > FALSE_ALARM)


def _quantiles() -> Float64:
    """Ends of the classes, with some in the tails."""
    inner = np.arange(1, _CLASSES) / _CLASSES
    return np.unique(np.concatenate([[0.001, 0.01], inner, [0.99, 0.999]]))


def has_variance(noise: Int64, distribution: Distribution) -> bool:
    """True unless noise has another variance than a distribution around zero.

    It sees a wrong scale sooner than `fits`, and nothing else.
    """
    variance = moment(distribution, 2)
    spread = math.sqrt((moment(distribution, 4) - variance**2) / noise.size)
    return bool(abs(np.mean(noise.astype(float) ** 2) - variance) < Z * spread)


def is_of(noise: Int64, distribution: Distribution) -> bool:
    """Shape and scale together: two comparisons."""
    return fits(noise, distribution) and has_variance(noise, distribution)


def are_uncorrelated(first: NDArray[np.generic], second: NDArray[np.generic]) -> bool:
    """True unless two samples of independent pairs are correlated."""
    correlation = np.corrcoef(first.astype(float), second.astype(float))[0, 1]
    return bool(abs(correlation) < Z / math.sqrt(first.size))


def is_mean_of(sample: NDArray[np.generic], mean: float, variance: float) -> bool:
    """True unless the mean of independent values of known variance is another."""
    return bool(abs(sample.mean() - mean) < Z * math.sqrt(variance / sample.size))
