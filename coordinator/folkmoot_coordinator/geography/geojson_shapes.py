"""Simplified shapes as GeoJSON geometry, for programs: longitude and latitude (RFC 7946)."""

from __future__ import annotations

from typing import Any

import numpy as np

from folkmoot_coordinator.geography.shapes import Shapes
from folkmoot_coordinator.geography.svg_paths import rings_of

_DECIMALS = 5
"""Of a degree, about a metre; a unit of the grid is more."""


def geometry_of(shapes: Shapes, place: int) -> dict[str, Any] | None:
    """The geometry of an area as it is drawn: Polygon or MultiPolygon.

    Args:
        shapes: All areas.
        place: Place of the area.

    Returns:
        The value of a feature's `geometry`; None if the file of boundaries does not have the area.
    """
    import shapely
    from shapely.geometry import mapping

    if not shapes.paths[place]:
        return None
    # Rings within rings are holes: the paths are filled by the same rule.
    lines = [shapely.LinearRing(ring) for ring in rings_of(shapes.paths[place])]
    drawn = shapely.build_area(shapely.GeometryCollection(lines))
    degrees = shapely.transform(
        drawn, lambda xy: np.round(xy / np.array(shapes.scale) + shapes.origins[place], _DECIMALS)
    )
    found: dict[str, Any] = mapping(shapely.orient_polygons(degrees))
    return found
