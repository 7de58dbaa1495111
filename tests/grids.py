"""Areas on a grid, in councils of unequal width and noise: regions for tests of hotspots."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folkmoot_coordinator.inference.neighbours import Neighbours

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Mask = NDArray[np.bool_]

_STEPS = ((0, 1), (1, -1), (1, 0), (1, 1))


def touching(rows: int, columns: int) -> Neighbours:
    """Areas that touch, at corners too."""
    return Neighbours.of_pairs(
        [
            (row * columns + column, (row + down) * columns + column + right)
            for row in range(rows)
            for column in range(columns)
            for down, right in _STEPS
            if row + down < rows and 0 <= column + right < columns
        ],
        rows * columns,
    )


@dataclass(frozen=True)
class Region:
    """A grid whose councils are bands of columns.

    Attributes:
        rows: Of areas.
        widths: Columns of each council.
        errors: Standard error of the noise of each council, households.
    """

    rows: int
    widths: tuple[int, ...]
    errors: tuple[float, ...]

    @property
    def columns(self) -> int:
        return sum(self.widths)

    @property
    def areas(self) -> int:
        return self.rows * self.columns

    @property
    def council(self) -> Int64:
        return np.tile(np.repeat(np.arange(len(self.widths)), self.widths), self.rows)

    @property
    def error(self) -> Float64:
        return np.array(self.errors, dtype=np.float64)[self.council]

    def block(self, row: int, column: int, size: int) -> Int64:
        """Areas of a square."""
        inside = np.arange(size)
        return ((row + inside[:, None]) * self.columns + column + inside).ravel()


def places(region: Region, number: int, size: int, rng: np.random.Generator) -> Mask:
    """Areas of some squares at random."""
    found = np.zeros(region.areas, dtype=np.bool_)
    for _ in range(number):
        row = int(rng.integers(0, region.rows - size + 1))
        column = int(rng.integers(0, region.columns - size + 1))
        found[region.block(row, column, size)] = True
    return found


def reached(neighbours: Neighbours, areas: Mask) -> Mask:
    """Areas whose neighbourhood holds one of these."""
    inside = areas.astype(np.float64)
    return np.asarray(neighbours.sums(inside) + inside > 0)
