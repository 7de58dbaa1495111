"""Scores of the codes of a category."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from folkmoot_sdk.factor import FactorArray


def by_code(*scores: float) -> FactorArray:
    """Makes a table that a category indexes: float64, shape (codes + 1,).

    It holds the scores of the codes in order. The last entry, which index -1 (unknown) finds,
    is NaN.
    """
    return np.array([*scores, np.nan], dtype=np.float64)


def check_ascending(what: str, *scores: float) -> None:
    """Checks that no later score is below an earlier one.

    Raises:
        ValueError: If one is, naming `what` the scores are of.
    """
    if any(later < earlier for earlier, later in pairwise(scores)):
        raise ValueError(f"the scores of {what} do not ascend")
