"""From an exact table to the whole-number contrasts of one component.

Linear maps over int64 columns; nothing here is random, and nothing is released.
`folkmoot.hierarchy` says what a contrast is, and why its sensitivity is what it is.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from folkmoot.hierarchy import Axis, AxisLevel
from folkmoot.strategy import Depths

Int64 = npt.NDArray[np.int64]


def contrasts(table: Int64, axes: Sequence[Axis], held: Depths, asked: Depths) -> Int64:
    """The contrasts of a component.

    Args:
        table: Exact counts over the cells of the axes at depths `held`, flat, the last axis
            fastest.
        axes: Axes of the round.
        held: Depth of each axis in the table.
        asked: Depth of each axis in the component; at most `held`.

    Returns:
        Flat int64 array of the component's rows, the last axis fastest; none is missing.
    """
    values = _summed(table, axes, held, asked)
    for at, (axis, depth) in enumerate(zip(axes, asked, strict=True)):
        if depth:
            values = _contrast(values, at, axis.levels[depth - 1])
    return np.ascontiguousarray(values).ravel()


def marginal(table: Int64, axes: Sequence[Axis], held: Depths, asked: Depths) -> Int64:
    """The counts of a marginal, from a table that it is below; arguments as for `contrasts`.

    Returns:
        Flat int64 array of households, one value for each cell, the last axis fastest; 0 where
        a cell is empty.
    """
    return np.ascontiguousarray(_summed(table, axes, held, asked)).ravel()


def sensitivities(axes: Sequence[Axis], asked: Depths) -> Int64:
    """Squared L2 sensitivity of each row of a component: flat int64, as `contrasts`, never 0."""
    found = np.ones(1, dtype=np.int64)
    for axis, depth in zip(axes, asked, strict=True):
        if depth:
            rows = np.array(axis.levels[depth - 1].row_sensitivities, dtype=np.int64)
            found = np.multiply.outer(found, rows).ravel()
    return found


def _summed(table: Int64, axes: Sequence[Axis], held: Depths, asked: Depths) -> Int64:
    values = table.reshape([axis.size(depth) for axis, depth in zip(axes, held, strict=True)])
    for at, (axis, here, there) in enumerate(zip(axes, held, asked, strict=True)):
        if there < here:
            values = _sum_up(values, at, axis, here, there)
    return values


def _sum_up(values: Int64, at: int, axis: Axis, here: int, there: int) -> Int64:
    """Sums an axis from a finer depth to a coarser one."""
    if there == 0:
        return np.asarray(values.sum(axis=at, keepdims=True), dtype=np.int64)
    return _group_sums(values, at, axis.ancestors(there, here), axis.size(there))


def _group_sums(values: Int64, at: int, groups: Sequence[int], count: int) -> Int64:
    moved = np.moveaxis(values, at, 0)
    sums = np.zeros((count, *moved.shape[1:]), dtype=np.int64)
    np.add.at(sums, np.array(groups), moved)
    return np.moveaxis(sums, 0, at)


def _contrast(values: Int64, at: int, level: AxisLevel) -> Int64:
    """One axis from cells to rows: m x - sum of the group, or x - y for a pair."""
    rows = np.array(level.row_cells, dtype=np.intp)
    sizes, parents = np.array(level.group_sizes), np.array(level.parents)
    sums = _group_sums(values, at, level.parents, int(parents.max(initial=0)) + 1)
    shape = [1] * values.ndim
    shape[at] = rows.size
    # 2x - (x + y) is x - y already, so that a pair is a group like the others.
    factors = sizes[rows].astype(np.int64).reshape(shape)
    return factors * values.take(rows, axis=at) - sums.take(parents[rows], axis=at)
