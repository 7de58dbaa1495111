"""What a boundary file has in it: features, with texts and a shape, and where that lies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from folkmoot_operator.problems import ExitCode, Problem

MAX_FEATURES = 250_000
"""England and Wales have 189,000 output areas."""
MAX_FEATURE_BYTES = 8 * 2**20
"""Of one feature as it is written; a district at full resolution has about two megabytes."""
MAX_FILE_BYTES = 256 * 2**20
"""Of a file, once it is unpacked."""
MAX_VERTICES = 8_000_000
"""Of all features of a file; in memory they take 16 bytes each."""
REMEDY_SMALLER = (
    "Give a generalised file of the region's areas alone: the Open Geography portal calls them "
    "BGC (20 metres) and BSC (200 metres)"
)


@dataclass(frozen=True, slots=True)
class Feature:
    """One feature.

    Attributes:
        number: Its number in the file, from 1.
        properties: Its texts by column; numbers and nothing are left out.
        shape: A shapely geometry, in the file's coordinates; None if it has none.
    """

    number: int
    properties: Mapping[str, str]
    shape: Any


@dataclass(frozen=True, slots=True)
class FeatureFile:
    """A boundary file that has been opened.

    Attributes:
        path: The file.
        reference_system: Of its coordinates, as the file names it, for example `EPSG:27700`;
            None if it does not.
        features: To be read once.
    """

    path: Path
    reference_system: str | None
    features: Iterator[Feature]


def unusable(problem: str, path: Path, remedy: str, *, at: str = "") -> Problem:
    """What is wrong with a boundary file.

    Args:
        problem: What is wrong.
        path: The file.
        remedy: What helps.
        at: Where in the file, for example `feature 3`.
    """
    return Problem(
        problem,
        where=f"{path}, {at}" if at else str(path),
        remedy=remedy,
        exit_code=ExitCode.SETTINGS,
    )


def bounded(file: FeatureFile) -> Iterator[Feature]:
    """The features of a file.

    Raises:
        Problem: SETTINGS, if they are more, or have more vertices, than are read.
    """
    import shapely

    vertices = 0
    for feature in file.features:
        vertices += 0 if feature.shape is None else int(shapely.get_num_coordinates(feature.shape))
        if feature.number > MAX_FEATURES:
            raise unusable(f"it has more than {MAX_FEATURES:,} features", file.path, REMEDY_SMALLER)
        if vertices > MAX_VERTICES:
            raise unusable(
                f"its boundaries have more than {MAX_VERTICES:,} vertices",
                file.path,
                REMEDY_SMALLER,
            )
        yield feature
