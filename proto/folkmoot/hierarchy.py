"""Public attributes of one council as axes: LSOAs in wards, age groups, tenures.

An axis is one attribute, or a chain of attributes nested in each other. Its cells at each
level form groups: the cells that share the cell above. A marginal over an axis splits into
*contrasts*, one for each level: what is left of each cell when the mean of its group is
taken away. Contrasts of different levels and axes are independent questions, and their
Kronecker products are the residual basis in which a workload is measured (Xiao, He, Zhang
and Kifer, ResidualPlanner, NeurIPS 2023; the nested axis is our extension).

A contrast is asked in whole numbers, so that it can be measured with discrete noise:

- a group of one cell has no contrast, and no row;
- a group of two has one row, the difference of its cells: squared sensitivity 1;
- a group of m > 2 has a row for each cell, m times the cell less the sum of the group:
  one household changes one row by m - 1 and m - 1 rows by 1, so the squared L2 sensitivity
  is (m - 1)^2 + (m - 1) = m (m - 1).
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

PAIR = 2
"""Size of a group whose contrast is a single row."""


@dataclass(frozen=True)
class AxisLevel:
    """One attribute of an axis.

    Attributes:
        attribute: Its name.
        codes: Codes of its cells, in cell order.
        parents: For each cell the index of the cell above; 0 at the coarsest level, which
            lies below the whole council.
    """

    attribute: str
    codes: tuple[str, ...]
    parents: tuple[int, ...]

    @cached_property
    def group_sizes(self) -> tuple[int, ...]:
        """For each cell the number of cells in its group, itself included."""
        sizes = Counter(self.parents)
        return tuple(sizes[parent] for parent in self.parents)

    @cached_property
    def row_cells(self) -> tuple[int, ...]:
        """For each row of the contrast the cell it belongs to, ascending.

        The row of a pair belongs to the first of its two cells.
        """
        seen: set[int] = set()
        rows = []
        for cell, (parent, size) in enumerate(zip(self.parents, self.group_sizes, strict=True)):
            if size > PAIR or (size == PAIR and parent not in seen):
                rows.append(cell)
            seen.add(parent)
        return tuple(rows)

    @cached_property
    def row_sensitivities(self) -> tuple[int, ...]:
        """For each row the squared L2 sensitivity of the contrast of its group."""
        return tuple(squared_sensitivity(self.group_sizes[cell]) for cell in self.row_cells)


def squared_sensitivity(group_size: int) -> int:
    """Squared L2 sensitivity of the whole-number contrast of a group: 0, 1 or m (m - 1)."""
    if group_size <= PAIR:
        return group_size - 1
    return group_size * (group_size - 1)


def contrast_rows(group_size: int) -> int:
    """Number of rows of the whole-number contrast of a group: 0, 1 or m."""
    return group_size if group_size > PAIR else group_size - 1


@dataclass(frozen=True)
class Axis:
    """One attribute, or attributes nested in each other, of one council.

    Attributes:
        levels: Coarsest first. Depth 1 is the first level; depth 0 is the whole council.
    """

    levels: tuple[AxisLevel, ...]

    def depth(self, attribute: str) -> int:
        """Depth of an attribute, from 1; 0 if the axis does not have it."""
        for at, level in enumerate(self.levels, start=1):
            if level.attribute == attribute:
                return at
        return 0

    @cached_property
    def _shares(self) -> dict[tuple[int, int], tuple[float, ...]]:
        """Part of a contrast at depth `above` that each cell at depth `below` inherits."""
        shares: dict[tuple[int, int], tuple[float, ...]] = {(0, 0): (1.0,)}
        for below, level in enumerate(self.levels, start=1):
            shares[below, below] = (1.0,) * len(level.codes)
            for above in range(below):
                upper = shares[above, below - 1]
                shares[above, below] = tuple(
                    upper[parent] / size
                    for parent, size in zip(level.parents, level.group_sizes, strict=True)
                )
        return shares

    @cached_property
    def _ancestors(self) -> dict[tuple[int, int], tuple[int, ...]]:
        """For each cell at depth `below` its cell at depth `above`."""
        found: dict[tuple[int, int], tuple[int, ...]] = {(0, 0): (0,)}
        for below, level in enumerate(self.levels, start=1):
            found[below, below] = tuple(range(len(level.codes)))
            for above in range(below):
                upper = found[above, below - 1]
                found[above, below] = tuple(upper[parent] for parent in level.parents)
        return found

    def ancestors(self, above: int, below: int) -> tuple[int, ...]:
        """For each cell at depth `below` the index of its cell at depth `above`."""
        return self._ancestors[above, below]

    def shares(self, above: int, below: int) -> tuple[float, ...]:
        """For each cell at depth `below`, which part of its cell above is its mean share."""
        return self._shares[above, below]

    @cached_property
    def _factors(self) -> dict[tuple[int, int], tuple[float, ...]]:
        factors: dict[tuple[int, int], tuple[float, ...]] = {}
        for (above, below), shares in self._shares.items():
            if above == 0:
                factors[above, below] = tuple(share * share for share in shares)
                continue
            sizes = self.levels[above - 1].group_sizes
            factors[above, below] = tuple(
                ((1 - 1 / sizes[cell]) * share) ** 2
                for cell, share in zip(self._ancestors[above, below], shares, strict=True)
            )
        return factors

    def variance_factors(self, above: int, below: int) -> tuple[float, ...]:
        """How far a contrast's noise reaches each cell at depth `below`.

        The contrast at depth `above` is measured with noise of scale `tau` times its
        sensitivity. Its estimate then adds `tau^2 * factor` to the variance of a cell:
        the factor is `((1 - 1/m) * share)^2` for a cell of a group of m, and the squared
        share for the whole council (`above` = 0).
        """
        return self._factors[above, below]

    @cached_property
    def _factor_sums(self) -> dict[tuple[int, int], float]:
        return {key: math.fsum(factors) for key, factors in self._factors.items()}

    def variance_factor_sum(self, above: int, below: int) -> float:
        """Sum of `variance_factors` over the cells at depth `below`."""
        return self._factor_sums[above, below]

    @cached_property
    def _steps(self) -> dict[tuple[int, int], tuple[float, ...]]:
        steps = dict(self._shares)
        for above, below in self._shares:
            if above:
                sizes = self.levels[above - 1].group_sizes
                steps[above, below] = tuple(
                    share / sizes[cell]
                    for cell, share in zip(
                        self._ancestors[above, below], self._shares[above, below], strict=True
                    )
                )
        return steps

    def steps(self, above: int, below: int) -> tuple[float, ...]:
        """By how much a cell's estimate moves when one row of noise changes by one."""
        return self._steps[above, below]

    @cached_property
    def _largest_steps(self) -> dict[tuple[int, int], float]:
        return {key: max(steps) for key, steps in self._steps.items()}

    def largest_step(self, above: int, below: int) -> float:
        """The largest of `steps`."""
        return self._largest_steps[above, below]

    def size(self, depth: int) -> int:
        """Number of cells at a depth."""
        return len(self.levels[depth - 1].codes) if depth else 1

    def rows(self, depth: int) -> int:
        """Number of rows of the contrast at a depth; 1 for the whole council."""
        return len(self.levels[depth - 1].row_cells) if depth else 1
