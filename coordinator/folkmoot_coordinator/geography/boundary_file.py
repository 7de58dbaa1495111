"""Reads the boundary file that a region sets: GeoJSON, plain or by gzip, or a GeoPackage."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from folkmoot_coordinator.geography.area_kinds import year_in
from folkmoot_coordinator.geography.boundaries import Boundaries, LargerAreas, Objects
from folkmoot_coordinator.geography.columns import Columns, find_columns
from folkmoot_coordinator.geography.coordinates import to_degrees
from folkmoot_coordinator.geography.features import FeatureFile, bounded, unusable
from folkmoot_coordinator.geography.geojson import GZIP, open_geojson
from folkmoot_coordinator.geography.geopackage import SQLITE, open_geopackage
from folkmoot_operator.extras import how_to_install
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.unusable_files import unusable as unusable_file

_OTHERS = {
    b"PK\x03\x04": ("a ZIP file", "Unpack it, and give the GeoJSON or GeoPackage in it"),
    b"\x00\x00\x27\x0a": (
        "a shapefile",
        "Write it as a GeoPackage: `ogr2ogr -f GPKG boundaries.gpkg FILE.shp`",
    ),
    b"<": ("XML", "Write it as a GeoPackage: `ogr2ogr -f GPKG boundaries.gpkg FILE`"),
}
"""What other files begin with."""
_JSON = b"{"


def read_boundaries(
    path: Path,
    code_column: str | None = None,
    name_column: str | None = None,
    *,
    layer: str | None = None,
) -> Boundaries:
    """Reads areas and their shapes.

    Args:
        path: The file.
        code_column: Column of the areas' codes; None to find the one with the most GSS codes.
        name_column: Column of their names; None to find the one that belongs to the codes.
        layer: Layer of a GeoPackage; None for the only one.

    Returns:
        The areas of the most detailed level, with the larger ones that the file names.

    Raises:
        Problem: SETTINGS, saying what is wrong with the file and what helps; UNREACHABLE, if it
            cannot be read now.
    """
    try:
        file = _open(path, layer)
        features = list(bounded(file))
    except OSError as error:
        raise unusable_file(error, path, "the file of boundaries") from None
    except ImportError:
        raise Problem(
            "boundaries cannot be read: shapely, pyproj or ijson is not installed",
            where=str(path),
            remedy=f"Install them: {how_to_install('folkmoot-coordinator', 'viewer')}",
            exit_code=ExitCode.SETTINGS,
        ) from None
    if not features:
        raise unusable("it has no features", path, "Give a file with the region's areas")
    rows = [feature.properties for feature in features]
    columns = find_columns(rows, path, code_column, name_column)
    shaped = [one for one in features if one.shape is not None and not one.shape.is_empty]
    if not shaped:
        raise unusable("none of its features has a shape", path, "Give a file of boundaries")
    polygons = _in_degrees(shaped, file)
    codes = [one.properties[columns.code] for one in shaped]
    repaired = _repair(polygons, codes, path)
    kept = [one.properties for one in shaped]
    return Boundaries(
        codes=tuple(codes),
        names=tuple(_names(kept, columns)),
        polygons=polygons,
        year=year_in(columns.code),
        within=_larger(kept, columns),
        repaired=repaired,
    )


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal.

    Raises:
        OSError: If it cannot be read.
    """
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _open(path: Path, layer: str | None) -> FeatureFile:
    """By what the file begins with: names of files are often wrong."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise unusable("it is no ordinary file", path, "Give a GeoJSON file or a GeoPackage")
    with path.open("rb") as file:
        begins = file.read(64)
    if not begins:
        raise unusable("it is empty", path, "Give a GeoJSON file or a GeoPackage")
    if begins.startswith(SQLITE):
        return open_geopackage(path, layer)
    text = begins.removeprefix(b"\xef\xbb\xbf").lstrip()
    if begins.startswith(GZIP) or text.startswith(_JSON):
        return open_geojson(path)
    for mark, (what, remedy) in _OTHERS.items():
        if text.startswith(mark) or begins.startswith(mark):
            raise unusable(f"it is {what}", path, remedy)
    raise unusable(
        "it is neither JSON nor a GeoPackage", path, "Give a GeoJSON file or a GeoPackage"
    )


def _in_degrees(features: Sequence[Any], file: FeatureFile) -> Objects:
    import shapely

    found = np.array([feature.shape for feature in features], dtype=np.object_)
    degrees = to_degrees(shapely.get_coordinates(found), file.reference_system, file.path)
    return np.asarray(shapely.set_coordinates(found, degrees), dtype=np.object_)


def _repair(polygons: Objects, codes: Sequence[str], path: Path) -> tuple[str, ...]:
    """Repairs geometry in place: rings that cross themselves, holes outside, and the like.

    Returns:
        Codes of the areas that were repaired.

    Raises:
        Problem: If nothing is left of an area.
    """
    import shapely

    broken = np.flatnonzero(~shapely.is_valid(polygons)).tolist()
    for place in broken:
        # "structure" takes rings for what they are, where "linework" would add what they cross.
        polygons[place] = shapely.make_valid(
            polygons[place], method="structure", keep_collapsed=False
        )
        if polygons[place].is_empty:
            raise unusable(
                f"the shape of {codes[place][:40]} cannot be repaired: it has no area",
                path,
                "Correct it in a geographic information system, or leave the feature out",
            )
    return tuple(codes[place] for place in broken)


def _names(rows: Sequence[Mapping[str, str]], columns: Columns) -> list[str]:
    return [
        (row.get(columns.name, "") if columns.name else "") or row[columns.code] for row in rows
    ]


def _larger(rows: Sequence[Mapping[str, str]], columns: Columns) -> dict[str, LargerAreas]:
    return {
        column: LargerAreas(
            parents=tuple(row.get(column, "") for row in rows),
            names={
                row[column]: row[name]
                for row in rows
                if name is not None and row.get(column) and row.get(name)
            },
            year=year_in(column),
        )
        for column, name in columns.larger.items()
    }
