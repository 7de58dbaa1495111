"""Whole numbers that add up: how expected counts become counts of households."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Integers = npt.NDArray[np.int64]


def largest_remainder(weights: npt.ArrayLike, total: int) -> Integers:
    """Shares out `total` in proportion to `weights` (Hamilton's method).

    Args:
        weights: Shape (n,), not negative, not all zero.
        total: What to share out; 0 or more.

    Returns:
        int64 of shape (n,), never missing, summing to `total`; each is the exact share rounded
        up or down. Ties go to the earlier entry.

    Raises:
        ValueError: If the weights are negative or all zero.
    """
    weight = np.asarray(weights, dtype=np.float64)
    if weight.min() < 0 or weight.sum() <= 0:
        raise ValueError("weights are negative or all zero")
    exact = weight * (total / weight.sum())
    counts: Integers = np.floor(exact).astype(np.int64)
    order = np.argsort(-(exact - counts), kind="stable")
    counts[order[: total - int(counts.sum())]] += 1
    return counts


def controlled(expected: Floats) -> Integers:
    """Rounds a two-way table so that rows are exact and columns nearly so.

    Each cell becomes its expectation rounded up or down. A row's spare units go to the
    columns that are owed most so far, so the errors of a column do not add up over rows as
    they would if each row were rounded alone (rare categories would vanish).

    Args:
        expected: Shape (rows, columns), not negative; row sums are whole numbers.

    Returns:
        int64 of the same shape and row sums, never missing.

    Raises:
        ValueError: If a row sum is not a whole number.
    """
    rows = expected.sum(axis=1)
    targets = np.rint(rows).astype(np.int64)
    if np.abs(rows - targets).max(initial=0) > 1e-6:
        raise ValueError("a row sum is not a whole number")
    counts = np.floor(expected + 1e-9).astype(np.int64)
    fraction = np.maximum(expected - counts, 0)
    owed = np.zeros(expected.shape[1])
    for row, target in enumerate(targets):
        owed += fraction[row]
        spare = int(target - counts[row].sum())
        claim = np.where(fraction[row] > 1e-9, owed, -np.inf)
        chosen = np.argsort(-claim, kind="stable")[:spare]
        counts[row, chosen] += 1
        owed[chosen] -= 1
    return counts
