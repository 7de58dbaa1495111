"""Whether one estimate is really larger than another, given the noise of both.

A reader who may compare any two of n areas will look at the most striking pair. So the answer is
corrected for all comparisons on offer, n (n - 1) / 2 where any pair may be chosen, by Sidak's
inequality ("Rectangular confidence regions", 1967), which holds for normal noise with any
correlation. All pairs together are decided in `ranks`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from folkmoot.interval import CONFIDENCE
from folkmoot_coordinator.inference.tails import Tails

Float64 = NDArray[np.float64]
Text = NDArray[np.object_]


class CovarianceRows(Protocol):
    """Covariances of the noise of areas, a few rows at a time: an array of all may be large."""

    def __getitem__(self, rows: slice, /) -> Float64:
        """Covariance of some areas with all: float64, shape (rows, areas), never missing."""


class Verdict(StrEnum):
    """What the noise allows to say of two estimates A and B, in this order."""

    FIRST_LARGER = "A is larger"
    SECOND_LARGER = "B is larger"
    UNDECIDED = "cannot tell apart"


VERDICTS: Text = np.array(
    [Verdict.SECOND_LARGER, Verdict.UNDECIDED, Verdict.FIRST_LARGER], dtype=object
)
"""The verdicts in the order of signs -1, 0 and 1."""


def pairs(areas: int) -> int:
    """How many comparisons a page offers on which any two of so many areas can be chosen."""
    return areas * (areas - 1) // 2


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """Estimates A beside estimates B, pair by pair; every array has shape (pairs,).

    Attributes:
        difference: A less B, households, float64.
        standard_error: Of the difference, households, float64.
        lower: Lower end of the interval of the difference, households, float64. All pairs on
            offer are in their intervals together at least 95 % of the time.
        upper: Upper end of it.
        probability: That A is larger than B, from this pair alone, with nothing known of either
            beforehand, float64. Right for a pair that was chosen before the figures were seen.
        corrected: That the one with the larger estimate is larger, corrected for all pairs on
            offer, float64, 0.5 to 1.
        verdict: A `Verdict` each: decided where the interval does not hold 0.
        offered: How many comparisons were on offer.
    """

    difference: Float64
    standard_error: Float64
    lower: Float64
    upper: Float64
    probability: Float64
    corrected: Float64
    verdict: Text
    offered: int


def compare(
    first: Float64,
    second: Float64,
    variance_first: Float64,
    variance_second: Float64,
    *,
    offered: int,
    covariance: Float64 | float = 0.0,
    tails: Tails = Tails.NORMAL,
    step: float = 0.0,
) -> Comparison:
    """Compares estimates A with estimates B, pair by pair.

    Args:
        first: Estimates A, households, float64, shape (pairs,) or a single number.
        second: Estimates B, in the same shape.
        variance_first: Variance of the noise of A, households squared.
        variance_second: Variance of the noise of B.
        offered: How many comparisons the page offers, at least as many as there are pairs here;
            see `pairs`.
        covariance: Covariance of the noise of each pair; 0 for areas of different councils.
        tails: Shape of the noise.
        step: The larger step of both statistics, households; see `interval.half_width`.

    Returns:
        The comparison: float64 arrays of shape (pairs,), none missing.

    Raises:
        ValueError: If `offered` is less than the pairs, or a variance is not possible.
    """
    difference = np.atleast_1d(np.asarray(first - second, dtype=np.float64))
    if offered < max(1, len(difference)):
        raise ValueError("fewer comparisons on offer than are made")
    error = standard_errors_of_differences(variance_first, variance_second, covariance)
    error = np.broadcast_to(error, difference.shape).copy()
    z = standardised(difference, error)
    reach = tails.quantile(sidak(1 - CONFIDENCE, offered) / 2) * error + step / 2
    tail = np.minimum(1.0, 2 * tails.beyond(np.abs(z)))
    sure = np.where(np.abs(difference) > reach, np.sign(difference), 0)
    # 1 - (1 - p)^m without losing the digits of small p.
    adjusted = -np.expm1(offered * np.log1p(-np.minimum(tail, 1 - 1e-16)))
    return Comparison(
        difference=difference,
        standard_error=error,
        lower=difference - reach,
        upper=difference + reach,
        probability=1 - tails.beyond(z),
        corrected=1 - adjusted / 2,
        verdict=VERDICTS[sure.astype(int) + 1],
        offered=offered,
    )


def sidak(error: float, comparisons: int) -> float:
    """The two-sided level of one comparison at which some of them are wrong with chance `error`."""
    return -math.expm1(math.log1p(-error) / comparisons)


def standard_errors_of_differences(
    variance_first: Float64, variance_second: Float64, covariance: Float64 | float = 0.0
) -> Float64:
    """Standard errors of differences of estimates.

    Returns:
        float64, households, in the shape that the arguments have together; never missing.

    Raises:
        ValueError: If a variance is negative or missing, or a covariance larger than possible.
    """
    first, second, both = map(np.asarray, (variance_first, variance_second, covariance))
    if not (np.all(first >= 0) and np.all(second >= 0) and np.all(np.isfinite(both))):
        raise ValueError("variances are numbers that are not negative")
    found = first + second - 2 * both
    if np.any(found < -1e-9 * (first + second)):
        raise ValueError("a covariance is larger than the variances allow")
    root: Float64 = np.sqrt(np.maximum(found, 0.0))
    return root


def standardised(difference: Float64, error: Float64) -> Float64:
    """Differences in standard errors.

    Returns:
        float64, in the shape of both; infinite where numbers without noise differ, 0 where such
        numbers agree, never missing.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(difference == 0, 0.0, difference / error)
