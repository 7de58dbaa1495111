"""Whole numbers next to the cells of a table, with the same sums.

One-way: largest remainders. Two-way: both the row and the column sums stay, by the
bitwise method of Doerr, Friedrich, Klein and Osbild (Unbiased matrix rounding, 2006): the
lowest bit of a binary fraction is removed by moving half of the cells that have it up and
half down, so that in each row and in each column as many go up as down.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from folkmoot_coordinator.aggregation.consistent_tables.projection import OneWay, TwoWay

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_BITS = 16
_UNIT = 1 << _BITS  # cells are rounded to binary fractions of a household first
_NEAR = 1e-3  # households: a cell so near a whole number is taken to be it


def round_one_way(values: Float64, sums: OneWay) -> Int64:
    """Rounds by largest remainders; of equal ones the first cell is rounded up.

    Args:
        values: Not negative, shape (cells,); they have the sums up to rounding errors.
        sums: What they have to sum to.

    Returns:
        int64, shape (cells,), none missing: whole numbers with exactly these sums, each less
        than 1 away from its value.
    """
    whole = np.floor(values).astype(np.int64)
    left = sums.totals - _summed(whole, sums)
    order = np.lexsort((whole - values, sums.group))
    group = sums.group[order]
    first = np.flatnonzero(np.diff(group, prepend=-1))
    rank = np.arange(len(values)) - np.repeat(first, np.diff(first, append=len(values)))
    whole[order] += rank < left[group]
    return whole


def round_two_way(values: Float64, sums: TwoWay) -> Int64:
    """Rounds each cell up or down so that rows and columns have exactly the given sums.

    Values whose sums are slightly off are corrected first.

    Args:
        values: Not negative, shape (cells,).
        sums: What they have to sum to.

    Returns:
        int64, shape (cells,), none missing.
    """
    units = _corrected(values, sums)
    broken = np.flatnonzero(units & (_UNIT - 1))  # whole ones stay as they are
    broken = broken[np.argsort(sums.columns.group[broken], kind="stable")]
    left = units[broken]
    by_row = np.argsort(sums.rows.group[broken], kind="stable")
    for bit in range(_BITS):
        _clear_bit(left, bit, by_row)
    units[broken] = left
    return units >> _BITS


def _corrected(values: Float64, sums: TwoWay) -> Int64:
    """The values in units, with exact sums: reduced where a sum is too large, then filled.

    Source: Altschuler, Weed and Rigollet 2017, algorithm 2, with the north-west corner rule
    in place of the outer product, so that the sums of whole units are exact.
    """
    nearest = np.rint(values)
    values = np.where(np.abs(values - nearest) < _NEAR, nearest, values)
    values = _reduced(_reduced(values, sums.rows), sums.columns)
    units = np.floor(values * _UNIT).astype(np.int64)

    rows = np.argsort(sums.row_block, kind="stable")
    columns = np.argsort(sums.column_block, kind="stable")
    row_ends = np.cumsum((sums.rows.totals * _UNIT - _summed(units, sums.rows))[rows])
    column_ends = np.cumsum((sums.columns.totals * _UNIT - _summed(units, sums.columns))[columns])
    ends = np.union1d(row_ends, column_ends)
    amounts = np.diff(ends, prepend=0)
    ends, amounts = ends[amounts > 0], amounts[amounts > 0]
    row = rows[np.searchsorted(row_ends, ends)]
    column = columns[np.searchsorted(column_ends, ends)]
    units[_cells(row, column, sums)] += amounts
    return units


def _summed(values: Int64, sums: OneWay) -> Int64:
    """Exact sums of whole numbers over groups."""
    found = np.zeros(len(sums.totals), dtype=np.int64)
    np.add.at(found, sums.group, values)
    return found


def _reduced(values: Float64, sums: OneWay) -> Float64:
    now = np.bincount(sums.group, weights=values, minlength=len(sums.totals))
    over = now > sums.totals
    return values * np.where(over, sums.totals / np.where(over, now, 1.0), 1.0)[sums.group]


def _cells(row: Int64, column: Int64, sums: TwoWay) -> Int64:
    """Where the cells of pairs of a row and a column are."""
    columns = len(sums.columns.totals)
    key = sums.rows.group * columns + sums.columns.group
    order = np.argsort(key)
    return np.asarray(order[np.searchsorted(key[order], row * columns + column)])


def _clear_bit(units: Int64, bit: int, by_row: Int64) -> None:
    """Moves each cell that has the bit up or down by its value, in place.

    A row or column has an even number of such cells, since its sum has the bits up to this
    one clear. Each cell is paired with a neighbour in its row and one in its column; along
    the cycles of pairs, cells go up and down by turns. A step to the row's partner and on
    to the column's stays in one half of a cycle, so each half is an orbit of that step.

    Args:
        units: Cells, those of a column next to each other.
        bit: The lowest that any of them has.
        by_row: The cells in an order in which those of a row are next to each other.
    """
    has = (units & (1 << bit)) != 0
    cells = np.flatnonzero(has)
    if not len(cells):
        return
    place = np.cumsum(has) - 1
    along = place.take(by_row.take(np.flatnonzero(has.take(by_row))))
    row_partner = np.empty(len(cells), dtype=np.int64)
    row_partner[along[0::2]] = along[1::2]
    row_partner[along[1::2]] = along[0::2]
    half = _orbits(row_partner ^ 1)  # partners in a column are next to each other
    # The half that is nearer to the whole numbers above goes up.
    moved = units.take(cells)
    weight = np.bincount(half, weights=moved & (_UNIT - 1), minlength=len(cells))
    other = half.take(row_partner)
    mine, theirs = weight.take(half), weight.take(other)
    up = (mine > theirs) | ((mine == theirs) & (half < other))
    units[cells] = moved + np.where(up, 1 << bit, -(1 << bit))


def _orbits(step: Int64) -> Int64:
    """For each element the least element of its orbit under a permutation."""
    least = np.arange(len(step))
    while True:
        further = least[step]
        if np.array_equal(further, least):
            return least
        least = np.minimum(least, further)
        step = step[step]
