"""Shares: a count of each area by its total, both with noise.

The standard error is by the delta method. The interval is Fieller's ("Some problems in interval
estimation", 1954), which holds for a small total too. Where the total is not significantly
different from zero, a share could be anything: it then has neither value nor interval.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folkmoot.interval import GAUSSIAN_QUANTILE

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Proportions:
    """Shares of areas; every array has shape (areas,).

    Attributes:
        value: Count by total, float64; NaN where the total is too uncertain.
        standard_error: By the delta method, float64; NaN where the value is.
        lower: Lower end of the 95 % interval, float64; NaN where the value is.
        upper: Upper end of it.
        total_is_certain: Whether the total differs significantly from zero and is above it, bool.
    """

    value: Float64
    standard_error: Float64
    lower: Float64
    upper: Float64
    total_is_certain: Mask


def proportions(
    count: Float64,
    total: Float64,
    variance_count: Float64,
    variance_total: Float64,
    *,
    covariance: Float64 | float = 0.0,
    quantile: float = GAUSSIAN_QUANTILE,
) -> Proportions:
    """Divides counts by totals.

    Args:
        count: Estimates of the part, households, float64, shape (areas,).
        total: Estimates of the whole, households, float64, shape (areas,).
        variance_count: Variance of the noise of the part, households squared.
        variance_total: Variance of the noise of the whole; 0 for a published total.
        covariance: Of both noises of an area.
        quantile: How many standard errors an interval reaches, the larger of both statistics'.

    Returns:
        The shares: float64, shape (areas,), NaN where the total is too uncertain. Values are
        unbiased to first order and not limited to 0 to 1.

    Raises:
        ValueError: If a variance is negative.
    """
    if np.any(np.asarray(variance_count) < 0) or np.any(np.asarray(variance_total) < 0):
        raise ValueError("variances are not negative")
    squared = quantile**2
    leading = total**2 - squared * variance_total
    certain = (leading > 0) & (total > 0)
    ratio = count / np.where(certain, total, np.nan)
    spread = variance_count - 2 * ratio * covariance + ratio**2 * variance_total
    middle = count * total - squared * covariance
    root = middle**2 - leading * (count**2 - squared * variance_count)
    reach = np.sqrt(np.maximum(root, 0.0))  # not negative, but for rounding
    safe = np.where(certain, leading, np.nan)
    return Proportions(
        value=ratio,
        standard_error=np.sqrt(np.maximum(spread, 0.0)) / total,
        lower=(middle - reach) / safe,
        upper=(middle + reach) / safe,
        total_is_certain=certain,
    )
