"""Least squares over tables with given sums, no cell negative.

One-way: the cells of each group have a given sum. The closest such table is each cell less
a threshold of its group, or 0 if that is negative (Held, Wolfe and Crowder 1974; Duchi,
Shalev-Shwartz, Singer and Chandra 2008).

Two-way: each cell is in a row and in a column, and both have given sums. The closest table
is each cell less a threshold of its row and one of its column, or 0 if that is negative.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

TOLERANCE = 0.01
"""How far a sum may be off after a two-way projection, households; rounding corrects it."""
MAXIMUM_SWEEPS = 500
"""Limit for a two-way projection; rounding corrects sums that are still off after it."""


@dataclass(frozen=True, slots=True, eq=False)
class OneWay:
    """Groups of cells, and their sums.

    Attributes:
        group: Group of each cell, from 0, shape (cells,).
        totals: Sum of each group, not negative, shape (groups,); 0 for a group of no cells.
    """

    group: Int64
    totals: Int64


@dataclass(frozen=True, slots=True, eq=False)
class TwoWay:
    """Rows and columns of cells, and their sums.

    Rows and columns fall into blocks: in each, every row has one cell with every column,
    and the sums of its rows and of its columns have the same total. So there is always a
    table that has them.

    Attributes:
        rows: The cells by row.
        columns: The cells by column.
        row_block: Block of each row, from 0.
        column_block: Block of each column, from 0.
    """

    rows: OneWay
    columns: OneWay
    row_block: Int64
    column_block: Int64


def project_one_way(target: Float64, sums: OneWay) -> Float64:
    """The non-negative values closest to `target` that have the given sums.

    Returns:
        float64, shape (cells,), like `target`; never missing.
    """
    if not len(target):
        return target.copy()
    order = np.lexsort((-target, sums.group))
    ranked, group = target[order], sums.group[order]
    first = np.flatnonzero(np.diff(group, prepend=-1))
    sizes = np.diff(first, append=len(target))
    starts = np.repeat(first, sizes)
    # From the largest cell of the group: what the threshold is if only these are positive.
    running = np.cumsum(ranked)
    before = np.where(starts > 0, running[starts - 1], 0.0)
    threshold = (running - before - sums.totals[group]) / (np.arange(len(target)) - starts + 1)
    # The last of them that stays positive decides; none does where the sum is 0.
    last = np.maximum.reduceat(np.where(ranked > threshold, np.arange(len(target)), -1), first)
    found = np.repeat(np.where(last >= 0, threshold[last], ranked[first]), sizes)
    values = np.empty_like(target)
    values[order] = np.maximum(ranked - found, 0.0)
    return values


class TwoWayProjection:
    """Projects tables onto the same sums; each projection starts where the last one ended.

    The dual is maximised by turns over the thresholds of the rows and of the columns, each
    by a Newton step; it is concave and piecewise quadratic. Where the start lies has no
    influence on the result beyond the tolerance.

    Args:
        sums: What the tables have to sum to.
        tolerance: How far a sum may be off at most, households; more if
            `MAXIMUM_SWEEPS` are not enough.
    """

    def __init__(self, sums: TwoWay, tolerance: float = TOLERANCE) -> None:
        self._rows = _Thresholds(sums.rows)
        self._columns = _Thresholds(sums.columns)
        self._tolerance = tolerance

    def __call__(self, target: Float64) -> Float64:
        """The non-negative values closest to `target`, shape (cells,), that have the sums."""
        values = np.maximum(target - self._rows.of_cells() - self._columns.of_cells(), 0.0)
        for _ in range(MAXIMUM_SWEEPS):
            rows_off = self._rows.step(target - self._columns.of_cells(), values)
            left = target - self._rows.of_cells()
            values = np.maximum(left - self._columns.of_cells(), 0.0)
            columns_off = self._columns.step(left, values)
            if max(rows_off, columns_off) <= self._tolerance:
                break
            values = np.maximum(left - self._columns.of_cells(), 0.0)
        return values


class _Thresholds:
    """A threshold for each group."""

    def __init__(self, sums: OneWay) -> None:
        self._sums = sums
        self._values = np.zeros(len(sums.totals))

    def of_cells(self) -> Float64:
        return self._values[self._sums.group]

    def step(self, target: Float64, values: Float64) -> float:
        """One Newton step, given the values at present; by how much a sum was off."""
        group, totals = self._sums.group, self._sums.totals
        over = np.bincount(group, weights=values, minlength=len(totals)) - totals
        positive = np.bincount(group, weights=values > 0, minlength=len(totals))
        self._values += over / np.maximum(positive, 1)
        empty = (positive == 0) & (totals > 0)
        if empty.any():  # there the slope is 0; its highest cell alone can hold the total
            highest = np.full(len(totals), -np.inf)
            np.maximum.at(highest, group, target)
            self._values[empty] = (highest - totals)[empty]
        return float(np.abs(over).max(initial=0.0))
