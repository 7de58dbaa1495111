"""Which areas touch: along a border or in one point (queen contiguity)."""

from __future__ import annotations

from folkmoot_coordinator.geography.boundaries import Objects
from folkmoot_coordinator.inference.neighbours import Neighbours

_TOUCHING_DEGREES = 1e-5
"""About a metre: borders that were drawn apart by rounding touch."""


def find_neighbours(polygons: Objects) -> Neighbours:
    """The neighbours of each area.

    Args:
        polygons: Longitude and latitude, shape (areas,); None where the shape is missing.
    """
    import shapely

    pairs = shapely.STRtree(polygons).query(
        polygons, predicate="dwithin", distance=_TOUCHING_DEGREES
    )
    return Neighbours.of_pairs(pairs[:, pairs[0] != pairs[1]].T, len(polygons))
