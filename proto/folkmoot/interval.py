"""Intervals around estimates whose noise is a sum of many discrete variables."""

from __future__ import annotations

import math
from statistics import NormalDist

CONFIDENCE = 0.95
"""How often, at least, a published interval holds the true count."""
GAUSSIAN_QUANTILE = NormalDist().inv_cdf((1 + CONFIDENCE) / 2)
"""Two-sided quantile of normal noise, in standard errors."""
LAPLACE_QUANTILE = -math.log(1 - CONFIDENCE) / math.sqrt(2)
"""Two-sided quantile of one Laplace variable, in standard errors: larger than that of any
sum of independent ones, which come closer to normal noise."""


def half_width(standard_error: float, step: float, quantile: float = GAUSSIAN_QUANTILE) -> float:
    """Half the width of the interval around an estimate, in households.

    An estimate is a weighted sum of noisy whole numbers. With discrete Gaussian noise the sum
    is close to normal, but it moves in steps: where one term dominates and its scale is small,
    the quantile alone would cover too little. Half the largest step is added, which is the
    usual continuity correction, and vanishes beside the standard error otherwise.

    Args:
        standard_error: Of the estimate, households.
        step: By how much the estimate moves at most when one whole number changes by one.
        quantile: Of the noise, in standard errors.
    """
    return quantile * standard_error + step / 2
