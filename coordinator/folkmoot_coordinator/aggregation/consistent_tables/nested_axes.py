"""Tables over nested axes: sums to coarser cells, and even spreads back to finer ones.

A table of given depths has one dimension for each axis, of length 1 where the depth is 0,
so that all tables of a council have the same dimensions; the last axis varies fastest.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from folkmoot.hierarchy import Axis
from folkmoot.strategy import Depths

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
_KEPT_CELLS = 65_536  # of larger tables it would take more memory than it saves time
Number = TypeVar("Number", np.float64, np.int64)


class CellGrid:
    """The cells that one council's tables may have.

    Args:
        axes: One for each attribute or chain of nested attributes. A cell above may have no
            cell below it.
    """

    def __init__(self, axes: Sequence[Axis]) -> None:
        self._axes = tuple(axes)
        self._known: dict[tuple[int, int, int], Int64] = {}
        self._places: dict[tuple[Depths, Depths], Int64] = {}
        self._inhabited: dict[tuple[Depths, Depths], NDArray[np.bool_]] = {}

    def shape(self, depths: Depths) -> tuple[int, ...]:
        """Shape of a table: number of cells of each axis at its depth."""
        return tuple(map(Axis.size, self._axes, depths))

    def size(self, depths: Depths) -> int:
        """Number of cells of a table."""
        return math.prod(self.shape(depths))

    def total(self, table: NDArray[Number], below: Depths, above: Depths) -> NDArray[Number]:
        """Sums a table of depths `below` to the coarser depths `above`.

        Returns:
            The type of `table`, shape `self.shape(above)`, none missing.
        """
        for at in self._by_gain(below, above):
            if above[at] == 0:
                table = np.asarray(table.sum(axis=at, keepdims=True, dtype=table.dtype))
            else:
                table = self._total_axis(table, at, below[at], above[at])
        return table

    def spread(self, table: Float64, above: Depths, below: Depths) -> Float64:
        """The table of least squares among those with depths `below` that sum to `table`.

        Returns:
            float64, shape `self.shape(below)`, none missing.
        """
        for at in reversed(self._by_gain(below, above)):
            counts = np.maximum(self._descendants(at, above[at], below[at]), 1)
            shares = table / self._along(counts, at)
            table = shares.take(self._ancestors(at, above[at], below[at]), axis=at)
        return table

    def fill(self, parts: Mapping[Depths, Float64], depths: Depths) -> Float64:
        """The table of least squares among those with the given depths and the given sums.

        If the parts agree with each other, each is met in turn by spreading evenly what is
        missing, which does not disturb the parts before it.

        Returns:
            float64, shape `self.shape(depths)`, never missing.
        """
        found = np.zeros(self.shape(depths))
        for part, wanted in parts.items():
            missing = wanted - self.total(found, depths, part)
            found = found + self.spread(missing, part, depths)
        return found

    def places(self, above: Depths, below: Depths) -> Int64:
        """For each cell of a table of depths `below` its place in the flattened table above.

        Returns:
            int64, shape `self.shape(below)`, never missing. It may be kept: do not write to it.
        """
        known = self._places.get((above, below))
        if known is not None:
            return known
        found = np.zeros((1,) * len(self._axes), dtype=np.int64)
        for at, axis in enumerate(self._axes):
            cells = self._ancestors(at, above[at], below[at])
            found = found * axis.size(above[at]) + self._along(cells, at)
        if found.size <= _KEPT_CELLS:
            self._places[above, below] = found
        return found

    def inhabited(self, depths: Depths, finest: Depths) -> NDArray[np.bool_]:
        """For each cell of a table whether any cell of depths `finest` lies below it.

        Returns:
            bool, shape `self.shape(depths)`, never missing. It may be kept: do not write to it.
        """
        known = self._inhabited.get((depths, finest))
        if known is not None:
            return known
        found = np.ones(self.shape(depths), dtype=bool)
        for at in range(len(self._axes)):
            found &= self._along(self._descendants(at, depths[at], finest[at]) > 0, at)
        if found.size <= _KEPT_CELLS:
            self._inhabited[depths, finest] = found
        return found

    def _total_axis(
        self, table: NDArray[Number], at: int, below: int, above: int
    ) -> NDArray[Number]:
        cells = self._ancestors(at, above, below)
        shape = list(table.shape)
        shape[at] = self._axes[at].size(above)
        summed = np.zeros(shape, dtype=table.dtype)
        if len(cells):
            order = np.argsort(cells, kind="stable")
            starts = np.flatnonzero(np.diff(cells[order], prepend=-1))
            place: list[Any] = [slice(None)] * table.ndim
            place[at] = cells[order[starts]]
            summed[tuple(place)] = np.add.reduceat(table.take(order, axis=at), starts, axis=at)
        return summed

    def _ancestors(self, at: int, above: int, below: int) -> Int64:
        """For each cell of an axis at depth `below` its cell at depth `above`."""
        key = at, above, below
        if key not in self._known:
            self._known[key] = np.array(self._axes[at].ancestors(above, below), dtype=np.int64)
        return self._known[key]

    def _descendants(self, at: int, above: int, below: int) -> Int64:
        """For each cell of an axis at depth `above` the number of its cells at `below`."""
        cells = self._ancestors(at, above, below)
        return np.bincount(cells, minlength=self._axes[at].size(above))

    def _along(self, values: NDArray[Any], at: int) -> NDArray[Any]:
        """Values of the cells of one axis, to be broadcast over a table."""
        shape = [1] * len(self._axes)
        shape[at] = -1
        return values.reshape(shape)

    def _by_gain(self, below: Depths, above: Depths) -> list[int]:
        """Axes that change, in order of how much they shrink a table, most first."""
        changed = [at for at in range(len(self._axes)) if below[at] != above[at]]
        sizes = [max(1, axis.size(depth)) for axis, depth in zip(self._axes, below, strict=True)]
        return sorted(changed, key=lambda at: self._axes[at].size(above[at]) / sizes[at])


def is_within(coarse: Depths, fine: Depths) -> bool:
    """True if a table of depths `coarse` is a sum of one of depths `fine`."""
    return all(one <= other for one, other in zip(coarse, fine, strict=True))
