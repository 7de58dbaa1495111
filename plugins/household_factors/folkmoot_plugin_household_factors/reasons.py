"""How the several reasons of one factor become one score."""

from __future__ import annotations

import numpy as np

from folkmoot_sdk.factor import FactorArray


def strongest(required: FactorArray, *optional: FactorArray) -> FactorArray:
    """The largest of several reasons, of which all but the first may do no more than raise.

    That an optional reason is absent does not settle a required one that is unknown; that
    it is present does, since the household then has at least that need.

    Args:
        required: Scores in [0, 1] of shape (households,), NaN where unknown.
        optional: More of them.

    Returns:
        A new float64 array, shape (households,); NaN where the required one is unknown and no
        other is above 0.
    """
    result: FactorArray = np.array(required)
    for reason in optional:
        np.fmax(result, reason, out=result)
    result[np.isnan(required) & (result == 0)] = np.nan
    return result
