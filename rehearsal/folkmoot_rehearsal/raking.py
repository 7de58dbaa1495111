"""Iterative proportional fitting of a table to given margins."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from folkmoot_rehearsal.rounding import Floats


def rake(
    seed: Floats,
    margins: Sequence[tuple[tuple[int, ...], Floats]],
    *,
    tolerance: float = 1e-9,
    iterations: int = 500,
) -> Floats:
    """Scales a table until its margins are those given (Deming and Stephan 1940).

    The result keeps the odds ratios, and the zeros, of `seed`. If the margins cannot be
    met at once (zeros in the way, totals that differ), the last one given is met exactly
    and the others as nearly as the iteration comes.

    Args:
        seed: Table to start from, not negative.
        margins: For each: the axes it is over, ascending, and its values, of the shape of
            these axes.
        tolerance: Largest relative change at which the iteration stops.
        iterations: Most rounds over all margins.

    Returns:
        A float64 table in the shape of `seed`, never missing.
    """
    table = seed.astype(np.float64, copy=True)
    for _ in range(iterations):
        before = table.copy()
        for axes, target in margins:
            others = tuple(axis for axis in range(table.ndim) if axis not in axes)
            sums = table.sum(axis=others, keepdims=True)
            wanted = np.expand_dims(target, others)
            table *= np.divide(wanted, sums, out=np.zeros_like(sums), where=sums > 0)
        if np.abs(table - before).max(initial=0) <= tolerance * max(table.max(initial=0), 1):
            break
    return table
