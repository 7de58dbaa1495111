"""Local Moran: whether the neighbours of an area are high or low, given its own estimate.

Anselin's statistic ("Local indicators of spatial association", 1995) is the area's deviation from
the mean times that of its neighbours. The question is put to the neighbours alone: their sum, with
mean and variance from all other areas (the conditional moments of Sokal, Oden and Thomson, "Local
spatial autocorrelation in a biological model", 1998) and the known noise of each neighbour. Noise
that areas share moves the neighbours with the area itself: it is counted among what its own
estimate lets expect.

Areas unlike their neighbours are looked for apart. Picked from those with unusual neighbours, they
would be false far more often than the rate says: a cluster makes many true discoveries, of which
few are unlike, while of the false ones half are. So the rate is kept among areas that are surely
high or low themselves, each tested for neighbours on the other side alone; how high an area is says
nothing of its neighbours where there is no cluster.

Tests look both ways, for which the rate of Benjamini and Hochberg is not proved where
neighbourhoods overlap; in simulations it holds.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folkmoot_coordinator.inference.background import TINY, Background, as_normal, background
from folkmoot_coordinator.inference.classes import CERTAIN_FROM
from folkmoot_coordinator.inference.comparisons import standardised
from folkmoot_coordinator.inference.discoveries import RATE, Discoveries, discoveries
from folkmoot_coordinator.inference.neighbours import Neighbours
from folkmoot_coordinator.inference.tails import Tails

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class LocalMoran:
    """Local Moran of each area; arrays have shape (areas,).

    Attributes:
        value: Anselin's statistic around the common mean, with neighbours weighted equally,
            float64; below 0 where neighbours are on the other side; 0 for an area without any.
        lag: Mean of the neighbours less the common mean, households, float64; 0 likewise.
        z: Neighbours' sum less its expectation without clusters, in standard errors, float64: above
            0 where neighbours are high; NaN for an area without neighbours.
        probability: Of neighbours as different from the mean as these, either way, float64; NaN
            without neighbours.
        clustered: Which areas have unusual neighbours at the false discovery rate.
        own_high: Probability that the area itself truly is above the common mean, given its own
            noise and how much areas differ beyond noise, float64. Whether an area is like its
            neighbours is open where it is near 0.5.
        unlike: Which areas are high with low neighbours or low with high ones, at the false
            discovery rate; `adjusted` is NaN for an area that may be either (`CERTAIN_FROM`).
    """

    value: Float64
    lag: Float64
    z: Float64
    probability: Float64
    clustered: Discoveries
    own_high: Float64
    unlike: Discoveries


def local_moran(
    value: Float64,
    variance: Float64,
    neighbours: Neighbours,
    *,
    covariance: Float64 | None = None,
    rate: float = RATE,
    tails: Tails = Tails.NORMAL,
) -> LocalMoran:
    """Local Moran whose variance holds the known noise of each area.

    Args:
        value: Estimates, households, float64, shape (areas,).
        variance: Of their noise, households squared, float64, shape (areas,).
        neighbours: Which areas touch.
        covariance: Of the noise of each two areas, float64, shape (areas, areas); None if it is
            independent. Its diagonal is not read.
        rate: False discovery rate.
        tails: Shape of the noise.

    Returns:
        The statistics: float64, shape (areas,); NaN for an area without neighbours.

    Raises:
        ValueError: If there are fewer than three areas, sizes differ, or a number is missing.
    """
    if len(value) != len(neighbours):
        raise ValueError("estimates and neighbours are about the same areas")
    if len(value) < 3:
        raise ValueError("local Moran needs three areas")
    found = background(value, variance)
    size = neighbours.counts.astype(np.float64)
    above = value - found.mean
    mean = -above / found.total / (found.precision - 1 / found.total)
    model = _model_variance_without(above, found)
    precision = _precision_without(model, variance)
    own = size * model + neighbours.sums(variance)
    spread = own - size**2 / precision
    expected = size * mean
    if covariance is not None:
        among, with_area = _of_shared_noise(covariance, found, neighbours)
        spread = spread + among - with_area**2 / found.total
        expected = expected + with_area / found.total * above
    spread = np.where(spread > 1e-9 * own, spread, 0.0)
    error = np.sqrt(spread)
    z = standardised(neighbours.sums(above) - expected, error)
    z = np.where((size > 0) & (error > 0), z, np.nan)
    score = as_normal(z, np.where(error > 0, found.skewness(size, spread), 0.0))
    probability = np.minimum(1.0, 2 * tails.beyond(np.abs(score)))
    lag = neighbours.sums(above) / np.maximum(size, 1)
    anselin = (len(value) - 1) * above * lag / (float(above @ above) or 1.0)
    # Of estimates far out, those with the luckiest noise are many: the model pulls them in.
    shrunken = above * np.sqrt(found.model_variance / found.total)
    own_high = 1 - tails.beyond(standardised(shrunken, np.sqrt(variance)))
    # Noise that areas share may leave neighbours lower than expected, and yet above the mean.
    opposite = np.where(anselin < 0, tails.beyond(-np.sign(above) * score), 1.0)
    sure = (np.maximum(own_high, 1 - own_high) >= CERTAIN_FROM) & ~np.isnan(z)
    return LocalMoran(
        value=anselin,
        lag=lag,
        z=z,
        probability=probability,
        clustered=discoveries(probability, rate=rate),
        own_high=own_high,
        unlike=discoveries(np.where(sure, opposite, np.nan), rate=rate),
    )


def _of_shared_noise(
    covariance: Float64, found: Background, neighbours: Neighbours
) -> tuple[Float64, Float64]:
    """Of neighbours' sums less the mean of all other areas, what noise that areas share adds.

    Returns:
        To their variance, and to their covariance with the area's own estimate: float64, shape
        (areas,), households squared, never missing.
    """
    size = neighbours.counts.astype(np.float64)
    own, weight, rest = np.diag(covariance), found.weight, 1 - found.weight
    of_mean = covariance @ weight - own * weight
    pairs = covariance[neighbours.owners, neighbours.others]
    of_area = np.bincount(neighbours.owners, pairs, len(neighbours))
    of_sums = neighbours.quadratic(covariance, itself=False) - neighbours.sums(own)
    with_mean = (neighbours.sums(of_mean) - weight * of_area) / rest
    between_others = (float(weight @ of_mean) - 2 * weight * of_mean) / rest**2
    return (
        of_sums - 2 * size * with_mean + size**2 * between_others,
        of_area - size * of_mean / rest,
    )


def _model_variance_without(above: Float64, found: Background) -> Float64:
    """The model variance without each area, by one step from that of all; exact without noise."""
    if found.model_variance == 0:
        return np.zeros(len(above))
    weight = found.total**-2.0
    rest = 1 - 1 / (found.total * found.precision)
    left = float(np.sum(weight * rest)) - weight
    step = weight * (above**2 / rest - found.total) / left
    return np.maximum(found.model_variance - step, 0.0)


def _precision_without(model: Float64, variance: Float64) -> Float64:
    """For each area the sum over all others of 1 / (its model variance + their noise)."""
    noise, areas = np.unique(variance, return_counts=True)
    found = np.zeros(len(model))
    for one, count in zip(noise, areas, strict=True):
        found += count / np.maximum(model + one, TINY)
    return found - 1 / np.maximum(model + variance, TINY)
