"""What areas have where there is no hotspot: a mean, a variance beyond the noise, a skewness.

The estimate of area j is x_j = m + u_j + e_j: a common mean, what is the area's own with variance s
(the model's), and noise with known variance v_j. Let t_j = s + v_j. The mean is estimated with
weights 1 / t_j, and s by restricted maximum likelihood (`small_area`).

Counts of households are skewed: a few areas have much more than most, without being hotspots. Noise
is symmetric, so the third central moment of the estimates is that of the areas' own part. Sums over
a neighbourhood keep some of that skewness, and normal tails would find hotspots in mere chance.
Their probabilities are those of Pearson's type III distribution with that skewness, by the
transformation of Wilson and Hilferty ("The distribution of chi-square", 1931), which leaves normal
sums as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folkmoot_coordinator.inference.small_area import fay_herriot

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

TINY = 1e-100
"""Stands for a variance of nothing, households squared."""
_FLAT = 1e-6
"""A skewness below which the transformation is the identity but for rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Background:
    """What areas have where there is no hotspot; arrays have shape (areas,).

    Attributes:
        mean: Common mean, households.
        model_variance: Of what is an area's own, households squared.
        total: Variance of each estimate around the mean: the model's and the noise's, households
            squared, float64.
        precision: Sum of 1 / `total` over the areas that the mean is from.
        third: Third central moment of what is an area's own, households to the third power.
        areas: Which areas all of this is from, bool.
    """

    mean: float
    model_variance: float
    total: Float64
    precision: float
    third: float
    areas: Mask

    @property
    def weight(self) -> Float64:
        """Weight of each area in the mean: float64 of shape (areas,), never missing."""
        return self.areas / (self.total * self.precision)

    def skewness(self, size: Float64, spread: Float64) -> Float64:
        """Skewness of sums over neighbourhoods.

        Args:
            size: How many areas each neighbourhood has, float64, shape (areas,).
            spread: Variance of the sums, households squared, float64, shape (areas,).

        Returns:
            float64, shape (areas,), never missing.
        """
        return size * self.third / np.maximum(spread, TINY) ** 1.5


def background(value: Float64, variance: Float64, areas: Mask | None = None) -> Background:
    """Fits the background to areas.

    Args:
        value: Estimates, households, float64, shape (areas,).
        variance: Of their noise, households squared, float64, shape (areas,).
        areas: Which areas it is fitted to, bool, shape (areas,); None for all.

    Returns:
        With `total`, float64, shape (areas,), households squared, never missing.

    Raises:
        ValueError: If it is fitted to fewer than two areas, or a number is missing.
    """
    areas = np.ones(len(value), dtype=np.bool_) if areas is None else areas
    model = fay_herriot(value[areas], variance[areas])
    # Equal figures without noise differ by rounding, which is no excess.
    rounding = 1e-20 * float(np.max(value[areas] ** 2)) + TINY
    total = np.maximum(model.model_variance + variance, rounding)
    mean = float(model.coefficients[0])
    weight = (total[areas].min() / total[areas]) ** 3
    return Background(
        mean=mean,
        model_variance=model.model_variance,
        total=total,
        precision=float(np.sum(1 / total[areas])),
        third=float(np.sum(weight * (value[areas] - mean) ** 3) / np.sum(weight)),
        areas=areas,
    )


def as_normal(z: Float64, skewness: Float64) -> Float64:
    """Skewed scores as normal ones with the same tail probability.

    Args:
        z: Scores with mean 0 and variance 1, float64, shape (areas,).
        skewness: Of each, float64, shape (areas,).

    Returns:
        float64, shape (areas,); missing where `z` is.
    """
    bent = np.where(np.abs(skewness) < _FLAT, 1.0, skewness)
    found = 6 / bent * (np.cbrt(np.maximum(bent * z / 2 + 1, 0.0)) - 1) + bent / 6
    return np.where(np.abs(skewness) < _FLAT, z, found)


def as_skewed(normal: float, skewness: Float64) -> Float64:
    """The skewed scores that belong to a normal one: the inverse of `as_normal`.

    Args:
        normal: A normal score.
        skewness: Of each result, float64, shape (areas,).

    Returns:
        float64, shape (areas,), never missing.
    """
    bent = np.where(np.abs(skewness) < _FLAT, 1.0, skewness)
    found = 2 / bent * ((1 + bent * (normal - bent / 6) / 6) ** 3 - 1)
    return np.where(np.abs(skewness) < _FLAT, normal, found)
