"""Which areas touch: along a border or in one point (queen contiguity)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folkmoot_coordinator.geography.boundaries import Objects

Int64 = NDArray[np.int64]

_TOUCHING_DEGREES = 1e-5
"""About a metre: borders that were drawn apart by rounding touch."""


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The neighbours of each area, as compressed sparse rows.

    Attributes:
        first: Where each area's neighbours begin in `areas`, and where the last's end, int64,
            shape (areas + 1,). An area without neighbours, such as an island, has none there.
        areas: Places of the neighbours, ascending for each area, int64, shape (pairs,). Each pair
            is there twice, and no area is its own neighbour.
    """

    first: Int64
    areas: Int64

    def of(self, place: int) -> Int64:
        """Places of the neighbours of one area: int64, shape (neighbours,); may be empty."""
        return self.areas[self.first[place] : self.first[place + 1]]


def find_neighbours(polygons: Objects) -> Neighbours:
    """The neighbours of each area.

    Args:
        polygons: Longitude and latitude, shape (areas,); None where the shape is missing.
    """
    import shapely

    pairs = shapely.STRtree(polygons).query(
        polygons, predicate="dwithin", distance=_TOUCHING_DEGREES
    )
    one, other = pairs[:, pairs[0] != pairs[1]].astype(np.int64)
    order = np.lexsort((other, one))
    first = np.zeros(len(polygons) + 1, dtype=np.int64)
    np.cumsum(np.bincount(one, minlength=len(polygons)), out=first[1:])
    return Neighbours(first, other[order])
