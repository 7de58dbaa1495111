"""The distribution of households over combinations of levels, from noisy tables of pairs.

Of all distributions with the same tables, the one of largest entropy is taken: it has no
dependence that the tables do not show (Jaynes, "Information theory and statistical mechanics",
1957). Its logarithm is a sum of terms, one for each cell of each table.

Noisy tables may have cells below zero, which no distribution has. So each term pays for its size,
in proportion to the variance of the noise of its cell: a cell is then met up to a part of its noise
(Dudik, Phillips and Schapire, "Maximum entropy density estimation with generalized
regularization", 2007).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Place = tuple[int, ...]
"""Factors of a table, by their places, ascending."""

MAX_COMBINATIONS = 60_000
"""Most combinations of levels; bounds memory and time to some seconds."""
_PART_OF_NOISE = 0.01
"""Of the variance of noise, what a term pays: small, so that cells of some size are met exactly."""
_ITERATIONS = 200
_EXACT = 1e-9
_ROWS = 8192


@dataclass(frozen=True, slots=True, eq=False)
class Joint:
    """A distribution over combinations of levels.

    Attributes:
        levels: Level of each factor in each combination, int64, shape (combinations, factors).
        households: In each combination, float64, above 0, shape (combinations,).
        cells: For each table the cell of each combination, int64, shape (combinations, tables);
            cells of all tables are numbered through.
        penalty: What each cell's term pays, households, float64, shape (cells of all tables,).
    """

    levels: Int64
    households: Float64
    cells: Int64
    penalty: Float64

    def moments(self, weights: Float64) -> Float64:
        """Weighted second moments of the cells' indicators.

        Args:
            weights: Of the combinations, float64, shape (combinations,).

        Returns:
            float64, shape (cells, cells), none missing.
        """
        size = len(self.penalty)
        found = np.zeros((size, size))
        for first in range(0, len(weights), _ROWS):
            block = self._indicators(first)
            found += block.T @ (block * weights[first : first + _ROWS, None])
        return found

    def sums(self, values: Float64) -> Float64:
        """Sums of values over the combinations of each cell.

        Args:
            values: float64, shape (combinations, columns).

        Returns:
            float64, shape (cells, columns), none missing.
        """
        found = np.zeros((len(self.penalty), values.shape[1]))
        for at in range(self.cells.shape[1]):
            np.add.at(found, self.cells[:, at], values)
        return found

    def spread(self, of_cells: Float64) -> Float64:
        """For each combination the sum of what its cells have.

        Args:
            of_cells: float64, shape (cells, columns).

        Returns:
            float64, shape (combinations, columns), none missing.
        """
        found = np.zeros((len(self.cells), of_cells.shape[1]))
        for at in range(self.cells.shape[1]):
            found += of_cells[self.cells[:, at]]
        return found

    def regression(self, values: Float64) -> Float64:
        """How sums over all households follow the tables, to first order.

        The change of `sum over combinations of households * values` is, for a small change of the
        tables, their change times the coefficients of a regression of the values on the cells.

        Args:
            values: float64, shape (combinations, columns).

        Returns:
            Coefficients, float64, shape (cells, columns), none missing.
        """
        normal = self.moments(self.households) + np.diag(self.penalty)
        answer = self.sums(self.households[:, None] * values)
        return np.asarray(np.linalg.solve(normal, answer))

    def _indicators(self, first: int) -> Float64:
        cells = self.cells[first : first + _ROWS]
        block = np.zeros((len(cells), len(self.penalty)))
        block[np.arange(len(cells))[:, None], cells] = 1.0
        return block


def most_even(
    sizes: tuple[int, ...], tables: Mapping[Place, Float64], variances: Mapping[Place, Float64]
) -> Joint:
    """The distribution of largest entropy with some tables.

    Args:
        sizes: Number of levels of each factor.
        tables: Estimates, households, by the factors of a table; each factor is in some table.
            float64, shape (levels of the first factor, of the next, ...).
        variances: Of their noise, households squared, in the same shapes.

    Raises:
        ValueError: If there are too many combinations, or no households.
    """
    combinations = math.prod(sizes)
    if combinations > MAX_COMBINATIONS:
        raise ValueError(
            f"{combinations:,} combinations of levels are too many: {MAX_COMBINATIONS:,} are "
            "possible"
        )
    levels = np.stack(np.unravel_index(np.arange(combinations), sizes), axis=1).astype(np.int64)
    cells, wanted, paid = [], [], []
    first = 0
    for place, table in tables.items():
        shape = tuple(sizes[at] for at in place)
        columns = tuple(levels[:, at] for at in place)
        cells.append(first + np.ravel_multi_index(columns, shape))
        wanted.append(table.ravel())
        paid.append(variances[place].ravel())
        first += table.size
    households = float(np.mean([table.sum() for table in wanted]))
    if not households > 0:
        raise ValueError("the tables hold no households")
    noise = np.concatenate(paid)
    # Cells of a table have one sum, so that terms can be moved from table to table; a small penalty
    # makes them unique where there is no noise.
    penalty = _PART_OF_NOISE * noise + 1e-9 * households
    even = np.full(combinations, households / combinations)
    joint = Joint(levels, even, np.stack(cells, axis=1).astype(np.int64), penalty)
    return _fit(joint, np.concatenate(wanted), households)


def _fit(joint: Joint, wanted: Float64, total: float) -> Joint:
    """Newton's method on the dual problem, which is convex and smooth."""
    terms = np.zeros(len(wanted))
    value, shares = _dual(joint, terms, wanted, total)
    for _ in range(_ITERATIONS):
        households = total * shares
        met = joint.sums(households[:, None])[:, 0]
        gradient = met - wanted + joint.penalty * terms
        if float(np.abs(gradient).max()) <= _EXACT * total:
            break
        curvature = joint.moments(households) - np.outer(met, met) / total
        step = np.linalg.solve(curvature + np.diag(joint.penalty), gradient)
        fall = float(gradient @ step)
        length = 1.0
        while True:
            tried = terms - length * step
            reached, moved = _dual(joint, tried, wanted, total)
            if reached <= value - 1e-4 * length * fall or length < 1e-10:
                break
            length /= 2
        if length < 1e-10:  # no further for floating point
            break
        terms, value, shares = tried, reached, moved
    return Joint(joint.levels, total * shares, joint.cells, joint.penalty)


def _dual(joint: Joint, terms: Float64, wanted: Float64, total: float) -> tuple[float, Float64]:
    energy = joint.spread(terms[:, None])[:, 0]
    top = float(energy.max())
    raised = np.exp(energy - top)
    whole = float(raised.sum())
    paid = 0.5 * float(joint.penalty @ terms**2)
    shares = np.maximum(raised / whole, np.finfo(float).tiny)
    return total * (top + math.log(whole)) - float(terms @ wanted) + paid, shares
