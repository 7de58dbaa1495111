"""Intervals around estimates whose noise is a sum of many discrete Gaussians."""

from __future__ import annotations

from statistics import NormalDist

CONFIDENCE = 0.95
"""How often, at least, a published interval holds the true count."""
QUANTILE = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
"""Two-sided quantile of the standard normal distribution."""


def half_width(standard_error: float, step: float) -> float:
    """Half the width of the interval around an estimate, in households.

    An estimate is a weighted sum of whole numbers with discrete Gaussian noise. The sum is
    close to normal, but it moves in steps: where one term dominates and its scale is small,
    the normal quantile alone would cover too little. Half the largest step is added, which
    is the usual continuity correction, and vanishes beside the standard error otherwise.

    Args:
        standard_error: Of the estimate, households.
        step: By how much the estimate moves at most when one whole number changes by one.
    """
    return QUANTILE * standard_error + step / 2
