"""Shapes of areas as the geometries of GeoJSON, in longitude and latitude.

They are those of the map: simplified together, so that neighbours keep the border they share.
Source: RFC 7946.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from folkmoot_coordinator.geography.shapes import Shapes
from folkmoot_coordinator.geography.svg_paths import rings_of

_DECIMALS = 6
"""Of degrees: a tenth of a metre, less than a unit of the grid."""


def geometry_of(shapes: Shapes, place: int) -> dict[str, Any] | None:
    """The geometry of one area.

    Args:
        shapes: As maps have them.
        place: Of the area in `shapes.codes`.

    Returns:
        A `Polygon` or `MultiPolygon` whose outer rings run anticlockwise; None if the file of
        boundaries does not have the area.
    """
    import shapely
    from shapely.geometry import mapping

    if not shapes.paths[place]:
        return None
    origin, scale = shapes.origins[place], np.array(shapes.scale)
    lines = []
    for ring in rings_of(shapes.paths[place]):
        degrees = np.round(origin + ring / scale, _DECIMALS)
        lines.append(shapely.linestrings(np.vstack([degrees, degrees[:1]])))
    # Rings inside others are holes, as the rule `evenodd` draws them. Where simplified rings
    # touch themselves, they are split at that point first.
    area = shapely.build_area(shapely.node(shapely.multilinestrings(lines)))
    area = shapely.orient_polygons(area, exterior_cw=False)
    found = mapping(area)
    return {"type": found["type"], "coordinates": found["coordinates"]}
