"""Polygons as the data of SVG paths: whole numbers, each position relative to the last."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

Int64 = NDArray[np.int64]

_FEWEST_CORNERS = 3
_NUMBER = re.compile("-?[0-9]+")


def path_of(polygon: Any) -> str:
    """Path data of a shapely Polygon or MultiPolygon, to be filled by the rule `evenodd`.

    Rings that have no area on the grid are left out; but something is left of each polygon.
    """
    import shapely

    drawn: list[str] = []
    largest, most = "", -1.0
    for part in shapely.get_parts(polygon):
        for ring in shapely.get_rings(part):
            corners = _corners(np.rint(shapely.get_coordinates(ring)).astype(np.int64))
            if len(corners) >= _FEWEST_CORNERS:
                drawn.append(_written(corners))
            elif not drawn and part.area > most:
                x, y = corners[0]
                largest, most = f"M{x} {y}h1v1h-1z", part.area
    return "".join(drawn) or largest


def rings_of(path: str) -> list[Int64]:
    """The rings of path data that `path_of` has written.

    Returns:
        For each ring its corners, int64, shape (corners, 2), never missing; the first is not
        repeated at the end.
    """
    found = []
    for ring in path.split("M")[1:]:
        if "h" in ring:
            x, y = map(int, _NUMBER.findall(ring)[:2])
            found.append(np.array([[x, y], [x + 1, y], [x + 1, y + 1], [x, y + 1]], dtype=np.int64))
        else:
            steps = np.array([int(one) for one in _NUMBER.findall(ring)], dtype=np.int64)
            found.append(np.cumsum(steps.reshape(-1, 2), axis=0))
    return found


def _corners(positions: Int64) -> Int64:
    """Positions without those that repeat the one before, and without the closing one."""
    changed = np.any(positions != np.roll(positions, 1, axis=0), axis=1)
    kept = positions[changed]
    return kept if len(kept) else positions[:1]


def _written(corners: Int64) -> str:
    steps = np.diff(corners, axis=0).ravel().tolist()
    # A minus sign separates numbers as well as a blank does.
    moves = "".join(f"{step}" if step < 0 else f" {step}" for step in steps).lstrip()
    return f"M{corners[0][0]} {corners[0][1]}l{moves}z"
