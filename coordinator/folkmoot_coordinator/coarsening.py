"""Tables over nested axes: sums to coarser cells, and even spreads back to finer ones.

An axis is one attribute (depth 1), or attributes nested in each other (depth 1 is the
coarsest); at depth 0 it is summed over. A table of given depths has one dimension for each
axis, of length 1 where the depth is 0, so that all tables of a council have the same
dimensions and the last axis varies fastest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Depths = tuple[int, ...]
"""One depth for each axis; 0 where the axis is summed over."""
Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Number = TypeVar("Number", np.float64, np.int64)


@dataclass(frozen=True, eq=False)
class NestedAxis:
    """An attribute, or a chain of attributes nested in each other, of one council.

    Attributes:
        parents: For each depth from 1 an int64 array: the cell above of each of its cells;
            all 0 at depth 1. A cell above may have no cell below it.

    Raises:
        ValueError: If a parent does not exist.
    """

    parents: tuple[Int64, ...]

    def __post_init__(self) -> None:
        above = 1
        for depth, parents in enumerate(self.parents, start=1):
            if len(parents) and not 0 <= parents.min() <= parents.max() < above:
                raise ValueError(f"depth {depth}: a parent is not among the {above} cells above")
            above = len(parents)

    @cached_property
    def sizes(self) -> tuple[int, ...]:
        """Number of cells at each depth, from depth 0."""
        return (1, *(len(parents) for parents in self.parents))

    @cached_property
    def _ancestors(self) -> dict[tuple[int, int], Int64]:
        found = {}
        for below, size in enumerate(self.sizes):
            cells = np.arange(size)
            found[below, below] = cells
            for above in range(below - 1, -1, -1):
                cells = self.parents[above][cells]
                found[above, below] = cells
        return found

    def ancestors(self, above: int, below: int) -> Int64:
        """For each cell at depth `below` its cell at depth `above`, int64."""
        return self._ancestors[above, below]

    def descendants(self, above: int, below: int) -> Int64:
        """For each cell at depth `above` the number of its cells at depth `below`, int64."""
        return np.bincount(self.ancestors(above, below), minlength=self.sizes[above])

    def total(self, table: NDArray[Number], at: int, above: int, below: int) -> NDArray[Number]:
        """Sums a table's dimension `at` from depth `below` to depth `above`."""
        if above == below:
            return table
        if above == 0:
            return np.asarray(table.sum(axis=at, keepdims=True, dtype=table.dtype))
        cells = self.ancestors(above, below)
        shape = list(table.shape)
        shape[at] = self.sizes[above]
        summed = np.zeros(shape, dtype=table.dtype)
        if len(cells):
            order = np.argsort(cells, kind="stable")
            starts = np.flatnonzero(np.diff(cells[order], prepend=-1))
            place: list[Any] = [slice(None)] * table.ndim
            place[at] = cells[order[starts]]
            summed[tuple(place)] = np.add.reduceat(table.take(order, axis=at), starts, axis=at)
        return summed

    def spread(self, table: Float64, at: int, above: int, below: int) -> Float64:
        """Divides each cell of dimension `at` evenly among its cells at depth `below`."""
        if above == below:
            return table
        sizes = self.descendants(above, below)
        shape = [1] * table.ndim
        shape[at] = -1
        return np.asarray(
            (table / np.maximum(sizes, 1).reshape(shape)).take(
                self.ancestors(above, below), axis=at
            )
        )


@dataclass(frozen=True, eq=False)
class Domain:
    """The cells that one council's tables may have.

    Attributes:
        axes: One for each attribute or chain of nested attributes.
    """

    axes: tuple[NestedAxis, ...]

    def shape(self, depths: Depths) -> tuple[int, ...]:
        """Shape of a table: number of cells of each axis at its depth."""
        return tuple(axis.sizes[depth] for axis, depth in zip(self.axes, depths, strict=True))

    def size(self, depths: Depths) -> int:
        """Number of cells of a table."""
        return math.prod(self.shape(depths))

    def total(self, table: NDArray[Number], below: Depths, above: Depths) -> NDArray[Number]:
        """Sums a table of depths `below` to the coarser depths `above`."""
        for at in self._by_gain(below, above):
            table = self.axes[at].total(table, at, above[at], below[at])
        return table

    def spread(self, table: Float64, above: Depths, below: Depths) -> Float64:
        """The table of least squares among those of depths `below` that sum to `table`."""
        for at in reversed(self._by_gain(below, above)):
            table = self.axes[at].spread(table, at, above[at], below[at])
        return table

    def fill(self, parts: Mapping[Depths, Float64], depths: Depths) -> Float64:
        """The table of least squares among those of given depths that have the given sums.

        Parts that agree with each other are met one after the other, by spreading evenly
        what is missing; the next does not disturb the ones before.
        """
        found = np.zeros(self.shape(depths))
        for part, wanted in parts.items():
            missing = wanted - self.total(found, depths, part)
            found = found + self.spread(missing, part, depths)
        return found

    def places(self, above: Depths, below: Depths) -> Int64:
        """For each cell of a table of depths `below` its place, as if flat, in the table above."""
        found = np.zeros((1,) * len(self.axes), dtype=np.int64)
        for at, axis in enumerate(self.axes):
            cells = axis.ancestors(above[at], below[at])
            along = [1] * len(self.axes)
            along[at] = -1
            found = found * axis.sizes[above[at]] + cells.reshape(along)
        return found

    def inhabited(self, depths: Depths, finest: Depths) -> NDArray[np.bool_]:
        """For each cell of a table whether any cell of depths `finest` lies below it."""
        found = np.ones(self.shape(depths), dtype=bool)
        for at, axis in enumerate(self.axes):
            along = [1] * len(self.axes)
            along[at] = -1
            found &= (axis.descendants(depths[at], finest[at]) > 0).reshape(along)
        return found

    def _by_gain(self, below: Depths, above: Depths) -> list[int]:
        """Axes that change, those first that make a table smallest."""
        changed = [at for at in range(len(self.axes)) if below[at] != above[at]]
        sizes = [axis.sizes for axis in self.axes]
        return sorted(changed, key=lambda at: sizes[at][above[at]] / max(1, sizes[at][below[at]]))


def is_within(coarse: Depths, fine: Depths) -> bool:
    """True if a table of depths `coarse` is a sum of one of depths `fine`."""
    return all(one <= other for one, other in zip(coarse, fine, strict=True))
