"""Hotspots: areas whose neighbourhood has more than chance and noise explain.

Getis-Ord G* of area i sums x_j - m over a neighbourhood of W areas, itself among them
(`background` says what x, m and t are). Its variance is the sum of t_j over them, and for the
estimated mean (W squared - 2 W k) / P, where P is the sum of 1 / t_j over the areas that the mean
is from, and k counts those in the neighbourhood. Without noise t_j is the sample variance, and G*
by its root is the usual score (Ord and Getis, "Local spatial autocorrelation statistics", 1995).
With noise, a noisy council's areas need a larger excess, and those of a precise one a smaller.

Hotspots raise the mean and the variance that they are judged by, and so hide each other. The
background is therefore fitted again without them, until no more are left out. Left out are areas
up to two steps from one that is unusual even after Bonferroni's correction. If all discoveries were
left out, with the areas that made them such and no more, chance would be left out with them: what
remains would be too even, and in simulations 11 % of discoveries were false.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from folkmoot_coordinator.inference.background import (
    Background,
    as_normal,
    as_skewed,
    background,
)
from folkmoot_coordinator.inference.comparisons import standardised
from folkmoot_coordinator.inference.discoveries import RATE, Discoveries, discoveries
from folkmoot_coordinator.inference.neighbours import Neighbours
from folkmoot_coordinator.inference.tails import Tails

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

POWER = 0.8
"""How often an excess of the size that is printed would have been found."""
MAX_FITS = 8
"""The background is fitted at most so often; two or three times suffice as a rule."""


@dataclass(frozen=True, slots=True, eq=False)
class LocalSums:
    """Getis-Ord G* of each area; arrays have shape (areas,), float64.

    Attributes:
        excess: Mean of the neighbourhood, itself included, less the common mean, households for
            each area.
        error: Standard error of the excess: the model's and the noise's; 0 where the neighbourhood
            is all that there is to compare with.
        z: G* in standard errors; 0 where `error` is.
        skewness: Of `z` without hotspots.
    """

    excess: Float64
    error: Float64
    z: Float64
    skewness: Float64


@dataclass(frozen=True, slots=True, eq=False)
class Hotspots:
    """Which areas are hotspots; arrays have shape (areas,).

    Attributes:
        sums: G* of each area.
        probability: Of such a G* or a larger one without a hotspot, float64.
        hot: Which areas are hotspots at the false discovery rate.
        probability_cold: Of such a G* or a smaller one, float64.
        cold: Which areas are cold spots at the false discovery rate; a list of its own.
        detectable: Smallest excess of every area of the neighbourhood that would have been found
            four times of five at the cut-off that applied, households for each area, float64;
            infinite where the neighbourhood has nothing to be compared with.
        background: What was compared with.
    """

    sums: LocalSums
    probability: Float64
    hot: Discoveries
    probability_cold: Float64
    cold: Discoveries
    detectable: Float64
    background: Background


def local_sums(
    value: Float64,
    variance: Float64,
    neighbours: Neighbours,
    found: Background,
    covariance: Float64 | None = None,
) -> LocalSums:
    """Getis-Ord G* against a background.

    Args:
        value: Estimates, households, float64, shape (areas,).
        variance: Of their noise, households squared, float64, shape (areas,).
        neighbours: Which areas touch; an area is always in its own neighbourhood.
        found: The background.
        covariance: Of the noise of each two areas, float64, shape (areas, areas); None if it is
            independent. Its diagonal is not read.

    Returns:
        float64, shape (areas,), none missing.
    """
    size = neighbours.counts.astype(np.float64) + 1
    above = value - found.mean
    numerator = neighbours.sums(above) + above
    inside = found.areas.astype(np.float64)
    inside = neighbours.sums(inside) + inside
    own = neighbours.sums(found.total) + found.total
    spread = own + (size**2 - 2 * size * inside) / found.precision
    if covariance is not None:
        spread = spread + _of_shared_noise(covariance, found, neighbours, size)
    spread = np.where(spread > 1e-9 * own, spread, 0.0)
    error = np.sqrt(spread)
    return LocalSums(
        excess=numerator / size,
        error=error / size,
        z=np.where(error > 0, standardised(numerator, error), 0.0),
        skewness=np.where(error > 0, found.skewness(size, spread), 0.0),
    )


def hotspots(
    value: Float64,
    variance: Float64,
    neighbours: Neighbours,
    *,
    covariance: Float64 | None = None,
    rate: float = RATE,
    tails: Tails = Tails.NORMAL,
    fits: int = MAX_FITS,
) -> Hotspots:
    """Finds hotspots with a variance that holds the known noise of each area.

    Args:
        value: Estimates, households, float64, shape (areas,).
        variance: Of their noise, households squared, float64, shape (areas,).
        neighbours: Which areas touch; an area is always in its own neighbourhood.
        covariance: Of the noise of each two areas, float64, shape (areas, areas); None if it is
            independent. Its diagonal is not read.
        rate: False discovery rate of each list, hot and cold.
        tails: Shape of the noise.
        fits: How often the background may be fitted; 1 for all areas alone.

    Returns:
        The statistics: float64, shape (areas,), none missing.

    Raises:
        ValueError: If there are fewer than two areas, sizes differ, or a number is missing.
    """
    if len(value) != len(neighbours):
        raise ValueError("estimates and neighbours are about the same areas")
    areas: Mask = np.ones(len(value), dtype=np.bool_)
    for left in range(fits - 1, -1, -1):
        found = background(value, variance, areas)
        sums = local_sums(value, variance, neighbours, found, covariance)
        score = as_normal(sums.z, sums.skewness)
        probability, probability_cold = tails.beyond(score), tails.beyond(-score)
        hot = discoveries(probability, rate=rate)
        cold = discoveries(probability_cold, rate=rate)
        unusual = np.minimum(probability, probability_cold) <= rate / len(value)
        others = ~_within_two_steps(unusual, neighbours)
        # With less than half of the areas left it would no longer be the background.
        if not left or np.array_equal(others, areas) or others.sum() < max(2, len(value) / 2):
            break
        areas = others
    return Hotspots(
        sums=sums,
        probability=probability,
        hot=hot,
        probability_cold=probability_cold,
        cold=cold,
        detectable=detectable(sums, hot.cut_off, tails),
        background=found,
    )


def detectable(sums: LocalSums, cut_off: float, tails: Tails = Tails.NORMAL) -> Float64:
    """Smallest excess of every area of a neighbourhood that is found as often as `POWER` says.

    Args:
        sums: G* of each area.
        cut_off: Up to this probability areas are hotspots.
        tails: Shape of the noise.

    Returns:
        float64, shape (areas,), households for each area, never missing; infinite where the
        neighbourhood has nothing to be compared with.
    """
    needed = as_skewed(tails.quantile(min(0.5, cut_off)), sums.skewness)
    reach = (needed + NormalDist().inv_cdf(POWER)) * sums.error
    return np.where(sums.error > 0, reach, np.inf)


def _within_two_steps(unusual: Mask, neighbours: Neighbours) -> Mask:
    found = unusual.astype(np.float64)
    for _ in range(2):
        found += neighbours.sums(found)
    return found > 0


def _of_shared_noise(
    covariance: Float64, found: Background, neighbours: Neighbours, size: Float64
) -> Float64:
    """What noise that areas share adds to the variance of G*."""
    # The diagonal is taken off the results: an array without it would be copied for each fit.
    own = np.diag(covariance)
    of_mean = covariance @ found.weight - own * found.weight
    with_mean = neighbours.sums(of_mean) + of_mean
    of_sums = neighbours.quadratic(covariance, itself=True) - (neighbours.sums(own) + own)
    return of_sums - 2 * size * with_mean + size**2 * float(found.weight @ of_mean)
