"""The larger areas that give a map its names: districts over LSOAs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folkmoot_coordinator.geography.boundaries import Boundaries, LargerAreas, Objects
from folkmoot_coordinator.geography.levels import dissolve
from folkmoot_coordinator.geography.svg_paths import path_of

Int64 = NDArray[np.int64]

_FEWEST_IN_EACH = 3
"""Areas in a larger one, on average, or its outline says nothing that its areas do not."""
_MOST_OF_THEIR_OWN = 40
"""Areas whose own names have room on the map."""
_MOST_NAMED = 20


@dataclass(frozen=True, slots=True)
class Outline:
    """An area whose border and name are drawn over the others.

    Attributes:
        code: Its code.
        name: Its name, or its code.
        path: SVG path data.
        label: Where its name stands: x and y.
    """

    code: str
    name: str
    path: str
    label: tuple[int, int]


def find_outlines(level: Boundaries, chosen: Int64, on_grid: Objects) -> tuple[Outline, ...]:
    """Outlines of the largest areas; of the areas themselves, if there are none and they are few.

    Args:
        level: All areas of the level.
        chosen: Places of those that are drawn, int64, shape (drawn,).
        on_grid: Their simplified shapes, shape (drawn,).
    """
    import shapely

    codes = tuple(level.codes[place] for place in chosen)
    larger = _largest(level, chosen)
    if larger is not None and len(set(larger.parents)) * _FEWEST_IN_EACH <= len(chosen):
        drawn = dissolve(Boundaries(codes, codes, on_grid), larger)
    elif len(chosen) <= _MOST_OF_THEIR_OWN:
        drawn = Boundaries(codes, tuple(level.names[place] for place in chosen), on_grid)
    else:
        return ()
    # A point inside: the middle of a crescent lies outside it.
    labels = [
        shapely.maximum_inscribed_circle(one, tolerance=20).coords[0] for one in drawn.polygons
    ]
    return tuple(
        Outline(code, name, path_of(polygon), (round(x), round(y)))
        for code, name, polygon, (x, y) in zip(
            drawn.codes, drawn.names, drawn.polygons, labels, strict=True
        )
    )


def names_apart(level: Boundaries, chosen: Int64, group: Int64) -> tuple[str, ...]:
    """Names of what was drawn closer than it lies, by the largest areas if the file has them.

    Args:
        level: All areas of the level.
        chosen: Places of those that are drawn, int64, shape (drawn,).
        group: See `places_apart.bring_together`.
    """
    larger = _largest(level, chosen)
    moved = np.flatnonzero(group)
    if larger is None:
        names = [level.names[chosen[number]] for number in moved]
    else:
        parents = sorted({larger.parents[number] for number in moved} - {""})
        names = [larger.names.get(code, code) for code in parents]
    return tuple(names[:_MOST_NAMED])


def _largest(level: Boundaries, chosen: Int64) -> LargerAreas | None:
    """The larger areas that are fewest; None if the file names none, or only one."""
    found = []
    for larger in level.within.values():
        parents = tuple(larger.parents[place] for place in chosen)
        number = len(set(parents) - {""})
        if number > 1:
            found.append((number, LargerAreas(parents, larger.names, larger.year)))
    return min(found, key=lambda one: one[0])[1] if found else None
