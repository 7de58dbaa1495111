"""Draws places that lie far apart closer together, at the same scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from folkmoot_coordinator.geography.boundaries import Objects

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_CELL_DEGREES = 0.3
_CELLS = 2
"""Up to 0.6 to 0.9 degrees of latitude, 67 to 100 kilometres, are near: Scilly lies 45 kilometres
from Cornwall, and Shetland 80 from Orkney."""
_GAP = 0.06
"""Between places that were moved, as a part of the first one's larger side."""


def bring_together(polygons: Objects) -> tuple[Objects, Float64, Int64]:
    """Moves groups of areas beside the largest group, if they lie far from it.

    Args:
        polygons: On a plane whose unit is a degree of latitude, y downwards, shape (areas,).

    Returns:
        The polygons, shape (areas,), object, never None; how each was moved, float64, shape
        (areas, 2), never NaN; and the number of the group of each, int64, shape (areas,), never
        missing: 0 for the largest, which is not moved.
    """
    import shapely

    boxes = shapely.bounds(polygons)
    group = _groups(boxes)
    moves = np.zeros((len(polygons), 2))
    if not group.any():
        return polygons, moves, group
    extents = [_extent(boxes[group == number]) for number in range(int(group.max()) + 1)]
    first = extents[0]
    gap = _GAP * max(first[2] - first[0], first[3] - first[1])
    left, top, column = first[2] + gap, first[1], 0.0
    for number, extent in enumerate(extents[1:], start=1):
        width, height = extent[2] - extent[0], extent[3] - extent[1]
        if top > first[1] and top + height > max(first[3], first[1] + height):
            left, top, column = left + column + gap, first[1], 0.0
        moves[group == number] = (left - extent[0], top - extent[1])
        top, column = top + height + gap, max(column, width)
    moved = [
        shapely.transform(polygon, lambda xy, by=by: xy + by)
        for polygon, by in zip(polygons, moves, strict=True)
    ]
    found = np.empty(len(polygons), dtype=np.object_)
    found[:] = moved
    return found, moves, group


def _groups(boxes: Float64) -> Int64:
    """Numbers of groups, by number of areas.

    Areas whose boxes lie in cells of a grid that are at most `_CELLS` apart are in one.
    """
    low = np.floor(boxes[:, :2] / _CELL_DEGREES).astype(np.int64).tolist()
    high = np.floor(boxes[:, 2:] / _CELL_DEGREES).astype(np.int64).tolist()
    number_of: dict[tuple[int, int], int] = {
        (column, row): -1
        for (left, top), (right, bottom) in zip(low, high, strict=True)
        for column in range(left, right + 1)
        for row in range(top, bottom + 1)
    }
    near = range(-_CELLS, _CELLS + 1)
    groups = 0
    for start in list(number_of):
        if number_of[start] >= 0:
            continue
        number_of[start] = groups
        waiting = [start]
        while waiting:
            column, row = waiting.pop()
            for cell in ((column + across, row + down) for across in near for down in near):
                if number_of.get(cell) == -1:
                    number_of[cell] = groups
                    waiting.append(cell)
        groups += 1
    label = np.array([number_of[left, top] for left, top in low], dtype=np.int64)
    sizes = np.bincount(label)
    rank = np.empty_like(sizes)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return rank[label]


def _extent(boxes: Float64) -> tuple[float, float, float, float]:
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
