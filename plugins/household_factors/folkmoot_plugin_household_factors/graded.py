"""Scores of what is there or not and, where it is there, has a size."""

from __future__ import annotations

import numpy as np

from folkmoot_plugin_household_factors.ramp import ramp
from folkmoot_sdk.factor import FactorArray


def rising(base: float, share: FactorArray) -> FactorArray:
    """`base` where the share is 0 or unknown, rising in a straight line to 1 where it is 1.

    Returns:
        float64 in the shape of the share, never NaN.
    """
    result: FactorArray = np.fmax(share, 0.0)
    result *= 1 - base
    result += base
    return result


def graded(present: FactorArray, size: FactorArray, base: float, full: float) -> FactorArray:
    """Scores something by whether it is present, and by its size.

    Args:
        present: 0, 1, or NaN where unknown: then a size that is known says whether it is.
        size: 0 or more, NaN where unknown.
        base: Score of the smallest size, and of one that is not known.
        full: Size from which the score is 1.

    Returns:
        float64 in [0, 1], shape (households,); NaN where neither is known.
    """
    by_size = np.where(np.isnan(size), np.nan, size > 0)
    result: FactorArray = np.where(np.isnan(present), by_size, present)
    result *= rising(base, ramp(size, 0.0, full))
    return result
