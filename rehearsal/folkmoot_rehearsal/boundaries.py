"""Made-up boundaries of a rehearsal's areas: each a square, those of a council in one block.

Only the codes are real, and of the councils the names. Where a square lies says nothing about where
the area of that code is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence

from folkmoot_rehearsal.councils import Council

BOUNDARIES_FILE = "made-up-areas.geojson"
_WEST, _NORTH = -2.75, 53.70
_WIDTH, _HEIGHT = 0.16, 0.096
"""Of a council's block, in degrees: about square at this latitude."""
_GAP = 0.08
"""Of a block's width, between it and the next."""


def boundaries_file(areas: Mapping[Council, Sequence[str]]) -> str:
    """The areas as GeoJSON, with the code and name of each and of its council.

    Args:
        areas: Codes of the areas of each council.
    """
    across = math.ceil(math.sqrt(len(areas)))
    features = []
    for place, (council, codes) in enumerate(areas.items()):
        side = math.ceil(math.sqrt(len(codes)))
        west = _WEST + _WIDTH * (1 + _GAP) * (place % across)
        north = _NORTH - _HEIGHT * (1 + _GAP) * (place // across)
        for number, code in enumerate(codes):
            column, row = number % side, number // side
            left, right = (west + _WIDTH * (column + end) / side for end in (0, 1))
            top, bottom = (north - _HEIGHT * (row + end) / side for end in (0, 1))
            corners = [(left, top), (left, bottom), (right, bottom), (right, top), (left, top)]
            features.append(
                {
                    "type": "Feature",
                    "properties": {
                        "LSOA21CD": code,
                        "LSOA21NM": f"{council.name} {number + 1:03}",
                        "LAD24CD": str(council.code),
                        "LAD24NM": council.name,
                    },
                    "geometry": {
                        "type": "Polygon",
                        "coordinates": [[[round(x, 6), round(y, 6)] for x, y in corners]],
                    },
                }
            )
    return json.dumps({"type": "FeatureCollection", "features": features}) + "\n"
