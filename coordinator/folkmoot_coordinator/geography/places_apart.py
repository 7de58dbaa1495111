"""Draws places that lie far apart closer together, at the same scale."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from folkmoot_coordinator.geography.boundaries import Objects

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

_FAR_DEGREES = 0.6
"""Of latitude, 67 kilometres: Scilly lies 45 from Cornwall, Fair Isle 40 from Shetland."""
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
    """Numbers of groups, by number of areas; boxes closer than `_FAR_DEGREES` are in one."""
    import shapely

    centres = shapely.points((boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 1] + boxes[:, 3]) / 2)
    rectangles = shapely.box(*boxes.T)
    tree = shapely.STRtree(rectangles)
    label = np.full(len(boxes), -1, dtype=np.int64)
    number = 0
    for start in range(len(boxes)):
        if label[start] >= 0:
            continue
        label[start] = number
        waiting = [start]
        while waiting:
            near = tree.query(centres[waiting], predicate="dwithin", distance=_FAR_DEGREES)[1]
            fresh = np.unique(near[label[near] < 0])
            label[fresh] = number
            waiting = fresh.tolist()
        number += 1
    sizes = np.bincount(label)
    rank = np.empty_like(sizes)
    rank[np.argsort(-sizes, kind="stable")] = np.arange(len(sizes))
    return rank[label]


def _extent(boxes: Float64) -> tuple[float, float, float, float]:
    low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])
