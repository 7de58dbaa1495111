"""Numbers drawn from a seed, so that a back-test can be repeated. They are no noise: nothing that
leaves the node may rest on them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def draws(seed: int | Sequence[int]) -> np.random.Generator:
    """The numbers that follow from a seed.

    Args:
        seed: A whole number from 0, or several of them: the same give the same numbers.
    """
    return np.random.default_rng(seed)
