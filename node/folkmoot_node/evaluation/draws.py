"""Numbers drawn from a seed, so that a back-test can be repeated. They are no noise: nothing that
leaves the node may rest on them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Draws = np.random.Generator


def draws(*seed: int | Sequence[int]) -> Draws:
    """The numbers that follow from a seed.

    Args:
        *seed: Whole numbers from 0, or several of them: the same give the same numbers.
    """
    flat = [n for one in seed for n in ([one] if isinstance(one, int) else one)]
    return np.random.default_rng(flat)
