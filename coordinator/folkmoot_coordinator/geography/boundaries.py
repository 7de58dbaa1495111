"""The areas of one level, with their shapes, as a boundary file has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Objects = NDArray[np.object_]


@dataclass(frozen=True, slots=True, eq=False)
class LargerAreas:
    """In which larger areas the areas of a file lie.

    Attributes:
        parents: For each area of the file the code of the larger one; empty where unknown.
        names: Of the larger areas by code; those without a name are left out.
        year: Edition of their codes as the file says it; empty if it does not.
    """

    parents: tuple[str, ...]
    names: Mapping[str, str]
    year: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Boundaries:
    """Areas and their shapes.

    Attributes:
        codes: One for each area, all different.
        names: One for each area; the code where the file has no name.
        polygons: One for each area, valid shapely Polygon or MultiPolygon objects, longitude and
            latitude in degrees (WGS 84), shape (areas,), never None or empty.
        year: Edition of the codes as the file says it, such as `2021`; empty if it does not.
        within: Larger areas, by column of the file.
        repaired: Codes of areas whose geometry was not valid, and has been repaired.
    """

    codes: tuple[str, ...]
    names: tuple[str, ...]
    polygons: Objects
    year: str = ""
    within: Mapping[str, LargerAreas] = field(default_factory=dict)
    repaired: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.codes)
