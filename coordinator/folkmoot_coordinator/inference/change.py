"""What changed between two rounds, area by area, given the noise of both.

Rounds have independent noise. Cumulative figures of one series share releases; their covariance is
then needed, else an interval is wider than it has to be.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from folkmoot.interval import CONFIDENCE, GAUSSIAN_QUANTILE
from folkmoot_coordinator.inference.comparisons import sidak, standard_errors_of_differences
from folkmoot_coordinator.inference.tails import Tails

Float64 = NDArray[np.float64]
Text = NDArray[np.object_]


class Direction(StrEnum):
    """What the noise allows to say of a change."""

    HIGHER = "higher"
    LOWER = "lower"
    UNDECIDED = "cannot tell apart"


DIRECTIONS: Text = np.array([Direction.LOWER, Direction.UNDECIDED, Direction.HIGHER], dtype=object)
"""The directions in the order of signs -1, 0 and 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """Differences between two rounds; every array has shape (areas,).

    Attributes:
        difference: The later estimate less the earlier one, households, float64.
        standard_error: Of the difference, households, float64.
        lower: Lower end of its 95 % interval, households, float64; each is right by itself.
        upper: Upper end of it.
        direction: A `Direction` each, corrected for all areas on the page: with a probability of
            at least 95 % none of those that are decided is wrong.
    """

    difference: Float64
    standard_error: Float64
    lower: Float64
    upper: Float64
    direction: Text


def change(
    later: Float64,
    earlier: Float64,
    variance_later: Float64,
    variance_earlier: Float64,
    *,
    covariance: Float64 | float = 0.0,
    quantile: float = GAUSSIAN_QUANTILE,
    step: float = 0.0,
    offered: int | None = None,
) -> Change:
    """Compares the areas of a round with themselves in an earlier one.

    Args:
        later: Estimates of the later round, households, float64, shape (areas,).
        earlier: Of the earlier round, in the same order of areas.
        variance_later: Variance of the noise, households squared, float64, shape (areas,).
        variance_earlier: The same of the earlier round.
        covariance: Of the noise of each area in both rounds; 0 unless they share releases.
        quantile: How many standard errors a 95 % interval reaches, the larger of both rounds'.
        step: The larger of both rounds' steps, households; see `interval.half_width`.
        offered: How many comparisons the page offers; None for one for each area.

    Returns:
        The changes: float64 arrays of shape (areas,), none missing.

    Raises:
        ValueError: If a variance or covariance is not possible.
    """
    difference = later - earlier
    error = standard_errors_of_differences(variance_later, variance_earlier, covariance)
    error = np.broadcast_to(error, difference.shape).copy()
    reach = quantile * error + step / 2
    tails = Tails.of_quantile(quantile)
    offered = max(1, len(difference)) if offered is None else offered
    critical = tails.quantile(sidak(1 - CONFIDENCE, offered) / 2) * error + step / 2
    sure = np.where(np.abs(difference) > critical, np.sign(difference), 0).astype(int)
    return Change(
        difference=difference,
        standard_error=error,
        lower=difference - reach,
        upper=difference + reach,
        direction=DIRECTIONS[sure + 1],
    )
