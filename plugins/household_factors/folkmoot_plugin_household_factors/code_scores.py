"""Scores of the codes of a category."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from folkmoot_sdk.factor import FactorArray


def by_code(*scores: float) -> FactorArray:
    """A table to be indexed by a category: the scores of its codes in their order.

    The last entry answers for index -1, unknown, with NaN.
    """
    return np.array([*scores, np.nan], dtype=np.float64)


def check_ascending(what: str, *scores: float) -> None:
    """Checks that no later score is below an earlier one.

    Raises:
        ValueError: If one is, naming `what` the scores are of.
    """
    if any(later < earlier for earlier, later in pairwise(scores)):
        raise ValueError(f"the scores of {what} do not ascend")
