"""The map of a statistic over 1,849 areas: what it takes to make, and how long it is.

The floor is a plain join of the same texts, which is the least that any server does. The first
view reads a file of boundaries, simplifies it and keeps the shapes; a new process then finds them.
Times are processor time: other programs of the machine do not change them.
"""

from __future__ import annotations

import gzip
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from folkmoot_coordinator.charts.area_classes import AreaClasses, area_text
from folkmoot_coordinator.charts.choropleth import map_svg
from folkmoot_coordinator.charts.drawing import PictureKind
from folkmoot_coordinator.charts.interval_chart import ranked_areas
from folkmoot_coordinator.charts.legend import legend_html
from folkmoot_coordinator.charts.picture_cache import PictureCache
from folkmoot_coordinator.geography.atlas import Atlas, BoundarySource

SIDE = 43
"""Areas in a row, and rows."""
VERTICES = 16
"""Of each border of an area, before anything is simplified."""
REPEATS = 30
LIMITS = {"milliseconds": 60, "kilobytes": 190, "first_seconds": 2}


def boundaries() -> dict[str, Any]:
    """Made-up LSOAs in rows, with borders that wind; each row is a ward, four are a district."""

    def moved(x: float, y: float) -> list[float]:
        bent_x = x + 0.2 * math.sin(2.1 * y) + 0.04 * math.sin(9 * y + x)
        bent_y = y + 0.2 * math.sin(2.7 * x) + 0.04 * math.sin(7 * x + y)
        return [round(-2.7 + 0.015 * bent_x, 7), round(53.7 - 0.01 * bent_y, 7)]

    steps = [step / VERTICES for step in range(VERTICES)]
    features = []
    for row in range(SIDE):
        for column in range(SIDE):
            ring = [
                *(moved(column + step, row) for step in steps),
                *(moved(column + 1, row + step) for step in steps),
                *(moved(column + 1 - step, row + 1) for step in steps),
                *(moved(column, row + 1 - step) for step in steps),
            ]
            features.append(
                {
                    "type": "Feature",
                    "properties": {
                        "LSOA21CD": f"E01{row * SIDE + column:06d}",
                        "LSOA21NM": f"Made-up District {row // 4:03d}{chr(65 + column % 26)}",
                        "WD24CD": f"E05{row:06d}",
                        "LAD24CD": f"E08{row // 4:06d}",
                        "LAD24NM": f"District {row // 4}",
                    },
                    "geometry": {"type": "Polygon", "coordinates": [[*ring, ring[0]]]},
                }
            )
    return {"type": "FeatureCollection", "features": features}


def classes(names: tuple[str, ...]) -> AreaClasses:
    """Areas in five classes, half of them not certain."""
    chance = np.random.default_rng(3)
    values = chance.integers(0, 900, len(names))
    said = [
        area_text(name, f"{value} households", (f"{value - 37}", f"{value + 37}"),
                  f"{sure}% sure that it is in this class")
        for name, value, sure in zip(
            names, values.tolist(), chance.integers(30, 100, len(names)).tolist(), strict=True
        )
    ]  # fmt: skip
    return AreaClasses(
        values * 5 // 900,
        chance.random(len(names)) > 0.5,
        said,
        [f"{n * 180} to {n * 180 + 179}" for n in range(5)],
    )


def milliseconds(action: Callable[[], Any]) -> float:
    """Median of one call, in milliseconds of processor time."""
    taken = []
    for _ in range(REPEATS):
        begun = time.process_time()
        action()
        taken.append((time.process_time() - begun) * 1000)
    return statistics.median(taken)


def main() -> dict[str, Any]:
    """Measures the first view, later ones, and the size of what is sent."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "boundaries.geojson"
        file.write_text(json.dumps(boundaries()))
        codes = [f"E01{number:06d}" for number in range(SIDE**2)]
        begun = time.process_time()
        atlas = Atlas([BoundarySource(file)], folder / "kept")
        shapes = atlas.shapes(codes)
        first = time.process_time() - begun
        assert shapes is not None
        begun = time.process_time()
        Atlas([BoundarySource(file)], folder / "kept").shapes(codes)
        again = time.process_time() - begun
        areas = classes(shapes.names)

        def page() -> str:
            found = atlas.shapes(codes)
            assert found is not None
            return map_svg(found, areas, title="Households", description="A map") + legend_html(
                areas
            )

        drawn = page()
        pieces = [piece for pair in zip(shapes.paths, areas.texts, strict=True) for piece in pair]
        warm, floor = milliseconds(page), milliseconds(lambda: "".join(pieces))
        chart = ranked_areas(
            "Areas", "Households", [(one, 9.0, 5.0, 13.0, True) for one in shapes.names[:20]]
        )
        pictures = PictureCache(folder / "pictures")
        begun = time.process_time()
        pictures.chart(chart, PictureKind.SVG)
        chart_first = time.process_time() - begun
        return {
            "areas": len(shapes),
            "file_megabytes": file.stat().st_size / 1e6,
            "first_seconds": first,
            "new_process_seconds": again,
            "milliseconds": warm,
            "milliseconds_floor": floor,
            "ratio": warm / floor,
            "kilobytes": len(gzip.compress(drawn.encode(), 6)) / 1e3,
            "chart_first_seconds": chart_first,
            "chart_milliseconds": milliseconds(lambda: pictures.chart(chart, PictureKind.SVG)),
            "limits": LIMITS,
        }


def told(found: dict[str, Any]) -> str:
    """The figures in a sentence or two."""
    limits = found["limits"]
    return (
        f"A map of {found['areas']:,} areas: {found['milliseconds']:.1f} ms (limit "
        f"{limits['milliseconds']}), {found['ratio']:.0f} times a plain join of its texts; "
        f"{found['kilobytes']:.0f} kB compressed (limit {limits['kilobytes']}). First view of "
        f"{found['file_megabytes']:.1f} MB of boundaries {found['first_seconds']:.2f} s (limit "
        f"{limits['first_seconds']}), of a new process {found['new_process_seconds']:.3f} s. A "
        f"chart {found['chart_first_seconds']:.2f} s the first time, then "
        f"{found['chart_milliseconds']:.2f} ms"
    )


if __name__ == "__main__":
    print(told(main()))
