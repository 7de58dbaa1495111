"""Areas ready to be drawn: simplified together, on a grid of whole numbers, as SVG paths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folkmoot_coordinator.geography.boundaries import Boundaries, Objects
from folkmoot_coordinator.geography.levels import Fit, fit
from folkmoot_coordinator.geography.neighbours import find_neighbours
from folkmoot_coordinator.geography.outlines import Outline, find_outlines, names_apart
from folkmoot_coordinator.geography.places_apart import bring_together
from folkmoot_coordinator.geography.svg_paths import path_of
from folkmoot_coordinator.inference.neighbours import Neighbours

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]

GRID = 4000
"""Units of the longer side of a map; of a region of 50 kilometres each is 12 metres."""
_GAP = 3.0
"""Units of the grid; what is narrower between two areas is no sea or river, but a mistake."""
_VERTICES_FOR_ALL = 12_000
_VERTICES_FOR_EACH = 10
"""A map has at most as many vertices as both say: this bounds the length of the page."""


@dataclass(frozen=True, slots=True, eq=False)
class Shapes:
    """A round's areas, in the order of the round, ready to be drawn.

    The grid has its origin at the upper left, x to the right and y downwards.

    Attributes:
        codes: One for each area.
        names: One for each area; its code where the file has no name or no such area.
        paths: SVG path data, one for each area; empty if the file does not have it.
        boxes: Left, top, right and bottom of each area, int64, shape (areas, 4); zeros if the file
            does not have it.
        width: Of all areas, in units of the grid.
        height: Likewise.
        scale: Units for each degree of longitude and for each degree of latitude.
        origins: Longitude and latitude at which the grid of each area has its origin, float64,
            shape (areas, 2): areas far away are drawn closer. NaN if the file does not have it.
        neighbours: The areas that touch each area.
        outlines: The largest areas that the file names, if there are several; else, if the areas
            are few, these.
        apart: Names of larger areas that are drawn closer than they lie.
        fit: What is missing.
        repaired: Codes of areas whose geometry was repaired.
    """

    codes: tuple[str, ...]
    names: tuple[str, ...]
    paths: tuple[str, ...]
    boxes: Int64
    width: int
    height: int
    scale: tuple[float, float]
    origins: Float64
    neighbours: Neighbours
    outlines: tuple[Outline, ...]
    apart: tuple[str, ...]
    fit: Fit
    repaired: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)


def make_shapes(level: Boundaries, codes: Sequence[str], year: str = "") -> Shapes:
    """Simplifies areas, so that those that shared a border share it still, and draws them.

    Args:
        level: The areas; see `levels.level_of`.
        codes: The round's areas, at least one of which the level has.
        year: Edition of the round's codes, such as `2021`; empty if it is not known.
    """
    import shapely

    place_of = {code: place for place, code in enumerate(level.codes)}
    places = [place_of.get(code, -1) for code in codes]
    there = np.flatnonzero(np.array(places) >= 0)
    chosen = np.array(places)[there]
    polygons = level.polygons[chosen]

    stretch = float(np.cos(np.radians(shapely.total_bounds(polygons)[[1, 3]].mean())))
    flat = _changed(polygons, np.array([stretch, -1.0]), np.zeros(2))
    flat, moves, group = bring_together(flat)
    bounds = shapely.total_bounds(flat)
    unit = max(float(np.max(bounds[2:] - bounds[:2])), 1e-9) / GRID
    on_grid = simplified(_changed(flat, np.full(2, 1 / unit), -bounds[:2] / unit))

    paths = [""] * len(codes)
    boxes = np.zeros((len(codes), 4), dtype=np.int64)
    origins = np.full((len(codes), 2), np.nan)
    for number, place in enumerate(there):
        paths[place] = path_of(on_grid[number])
    boxes[there] = np.rint(shapely.bounds(on_grid)).astype(np.int64)
    origins[there] = (bounds[:2] - moves) / np.array([stretch, -1.0])
    with_gaps = np.full(len(codes), None, dtype=np.object_)
    with_gaps[there] = polygons
    return Shapes(
        codes=tuple(codes),
        names=tuple(
            level.names[place] if place >= 0 else codes[n] for n, place in enumerate(places)
        ),
        paths=tuple(paths),
        boxes=boxes,
        width=int(boxes[:, 2].max()),
        height=int(boxes[:, 3].max()),
        scale=(stretch / unit, -1 / unit),
        origins=origins,
        neighbours=find_neighbours(with_gaps),
        outlines=find_outlines(level, chosen, on_grid),
        apart=names_apart(level, chosen, group),
        fit=fit(level, codes, year),
        repaired=tuple(sorted(set(level.repaired).intersection(codes))),
    )


def simplified(polygons: Objects) -> Objects:
    """Leaves out vertices until the map is small enough, borders of neighbours alike.

    Args:
        polygons: In units of the grid, shape (areas,).

    Returns:
        As many polygons, shape (areas,), object; none is None, and none is empty that was not.
    """
    import shapely

    if not shapely.coverage_is_valid(polygons):
        # Borders that were drawn for each area by itself would be simplified for each, too.
        polygons = np.asarray(shapely.coverage_clean(polygons, gap_width=_GAP), dtype=np.object_)
    most = _VERTICES_FOR_ALL + _VERTICES_FOR_EACH * len(polygons)
    tolerance, found = 1.0, polygons
    while True:
        simpler = np.asarray(shapely.coverage_simplify(found, tolerance), dtype=np.object_)
        lost = shapely.is_empty(simpler)
        simpler[lost] = found[lost]
        found = simpler
        if int(shapely.get_num_coordinates(found).sum()) <= most or tolerance > GRID:
            return found
        tolerance *= 1.5


def _changed(polygons: Objects, factor: Float64, offset: Float64) -> Objects:
    import shapely

    return np.asarray(shapely.transform(polygons, lambda xy: xy * factor + offset))
