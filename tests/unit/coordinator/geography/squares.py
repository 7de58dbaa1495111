"""Made-up areas: squares in rows, with codes as LSOAs, wards and districts have them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

WEST, NORTH, SIDE = -2.5, 53.6, 0.01
"""Degrees; in the north-west of England, where nothing of the kind is."""


def code(number: int, kind: str = "E01") -> str:
    return f"{kind}{number:06d}"


def square(row: int, column: int, side: float = SIDE) -> dict[str, Any]:
    """A square whose edges have a vertex in the middle, as borders do that were drawn by hand."""
    west, north = WEST + column * side, NORTH - row * side
    east, south = west + side, north - side
    middle_x, middle_y = (west + east) / 2, (north + south) / 2
    ring = [
        [west, north], [middle_x, north], [east, north], [east, middle_y], [east, south],
        [middle_x, south], [west, south], [west, middle_y], [west, north],
    ]  # fmt: skip
    return {"type": "Polygon", "coordinates": [ring]}


def squares(rows: int, columns: int) -> list[dict[str, Any]]:
    """Features; each row of squares is a ward, each two wards are a district."""
    return [
        {
            "type": "Feature",
            "properties": {
                "LSOA21CD": code(row * columns + column + 1),
                "LSOA21NM": f"Area {row}.{column}",
                "WD24CD": code(row + 1, "E05"),
                "WD24NM": f"Ward {row}",
                "LAD24CD": code(row // 2 + 1, "E08"),
                "LAD24NM": f"District {row // 2}",
                "households": 640,
            },
            "geometry": square(row, column),
        }
        for row in range(rows)
        for column in range(columns)
    ]


def write(path: Path, features: Sequence[Any], **more: Any) -> Path:
    """A GeoJSON file; compressed if its name ends so."""
    content = json.dumps({"type": "FeatureCollection", **more, "features": features}).encode()
    path.write_bytes(gzip.compress(content) if path.suffix == ".gz" else content)
    return path
