"""Reads features of a GeoPackage, which is an SQLite file, without GDAL.

Source: OGC 12-128r19, GeoPackage Encoding Standard 1.4, clause 2.1.3 (the header of geometries).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from folkmoot_coordinator.geography.features import (
    MAX_FEATURE_BYTES,
    MAX_FILE_BYTES,
    REMEDY_SMALLER,
    Feature,
    FeatureFile,
    unusable,
)

SQLITE = b"SQLite format 3\x00"
_ENVELOPE_BYTES = (0, 32, 48, 48, 64)
_HEADER_BYTES = 8
_EMPTY = 0b0001_0000
_UNDEFINED = (-1, 0)
_NONE = ("NONE", "GDAL")
"""Who has defined a reference system that nobody has defined: the standard's word, and GDAL's."""
_REMEDY = "Write it again, for example with `ogr2ogr -f GPKG`"
_MAX_COLUMNS = 200
_DAMAGED = (sqlite3.Error, UnicodeDecodeError)
"""The second comes of a message of SQLite's that quotes the file."""
_POLYGONS = ("Polygon", "MultiPolygon")


def open_geopackage(path: Path, layer: str | None = None) -> FeatureFile:
    """Opens a GeoPackage.

    Args:
        path: The file.
        layer: The layer to read; None for the only one.

    Raises:
        Problem: SETTINGS, now or while its features are read, if the file is not a GeoPackage, is
            damaged or too large, has no layer of areas or several, or its features are no polygons.
        OSError: If it cannot be read.
    """
    if path.stat().st_size > MAX_FILE_BYTES:
        raise unusable(f"it is longer than {MAX_FILE_BYTES // 2**20} MiB", path, REMEDY_SMALLER)
    try:
        with closing(_connect(path)) as database:
            table, column, system = _layer(database, path, layer)
            name = _reference_system(database, system)
    except _DAMAGED as error:
        raise _damaged(path, error) from None
    return FeatureFile(path, name, _features(path, table, column))


def _connect(path: Path) -> sqlite3.Connection:
    """Opens it so that nothing in it can act: no writing, no functions of its schema."""
    address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    database = sqlite3.connect(address, uri=True)
    database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_FEATURE_BYTES)
    database.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
    database.text_factory = lambda text: text.decode(errors="replace")
    database.execute("PRAGMA trusted_schema = OFF")
    database.execute("PRAGMA cell_size_check = ON")
    return database


def _layer(database: sqlite3.Connection, path: Path, wanted: str | None) -> tuple[str, str, int]:
    """Table, column of geometry and number of the reference system."""
    tables = {name for (name,) in database.execute("SELECT name FROM sqlite_schema")}
    if "gpkg_contents" not in tables:
        raise unusable("it is an SQLite file, and not a GeoPackage", path, _REMEDY)
    found: list[tuple[str, str, int]] = []
    if "gpkg_geometry_columns" in tables:
        # A view would run what somebody has written into the file.
        found = database.execute(
            "SELECT g.table_name, g.column_name, g.srs_id FROM gpkg_geometry_columns AS g "
            "JOIN gpkg_contents AS c ON c.table_name = g.table_name "
            "JOIN sqlite_schema AS s ON s.name = g.table_name AND s.type = 'table' "
            "WHERE c.data_type = 'features' ORDER BY g.table_name"
        ).fetchall()
    names = [str(table)[:40] for table, _, _ in found]
    if not found:
        raise unusable(
            "it has no layer of features", path, "Give a GeoPackage with one layer of areas"
        )
    chosen = [one for one in found if one[0] == wanted] if wanted is not None else found
    if len(chosen) != 1:
        said = "has no such layer" if wanted is not None else "has several layers"
        raise unusable(f"it {said}", path, f"Name one of its layers: {', '.join(names[:10])}")
    return chosen[0]


def _reference_system(database: sqlite3.Connection, number: int) -> str | None:
    if number in _UNDEFINED:
        return None
    row = database.execute(
        "SELECT organization, organization_coordsys_id FROM gpkg_spatial_ref_sys WHERE srs_id = ?",
        (number,),
    ).fetchone()
    return None if row is None or row[0] in _NONE else f"{row[0]}:{row[1]}"


def _features(path: Path, table: str, column: str) -> Iterator[Feature]:
    try:
        with closing(_connect(path)) as database:
            rows = database.execute(f"SELECT * FROM {_quoted(table)}")  # noqa: S608 - quoted
            names = [description[0] for description in rows.description]
            if len(names) > _MAX_COLUMNS or column not in names:
                raise unusable("its layer has no column of geometry, or very many", path, _REMEDY)
            place = names.index(column)
            for number, row in enumerate(rows, start=1):
                texts = {
                    name: value.strip()
                    for name, value in zip(names, row, strict=True)
                    if isinstance(value, str)
                }
                yield Feature(number, texts, _shape(row[place], path, f"feature {number}"))
    except sqlite3.DataError:
        raise unusable(
            f"a feature takes more than {MAX_FEATURE_BYTES // 2**20} MiB", path, REMEDY_SMALLER
        ) from None
    except _DAMAGED as error:
        raise _damaged(path, error) from None


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _shape(blob: Any, path: Path, at: str) -> Any:
    import shapely

    if blob is None:
        return None
    if (
        not isinstance(blob, bytes)
        or len(blob) < _HEADER_BYTES
        or blob[:2] != b"GP"
        or (envelope := (blob[3] >> 1) & 0b111) >= len(_ENVELOPE_BYTES)
    ):
        raise unusable("its geometry is not that of a GeoPackage", path, _REMEDY, at=at)
    if blob[3] & _EMPTY:
        return None
    try:
        found = shapely.from_wkb(blob[_HEADER_BYTES + _ENVELOPE_BYTES[envelope] :])
    except shapely.GEOSException:
        raise unusable("its geometry is damaged", path, _REMEDY, at=at) from None
    if found.geom_type not in _POLYGONS:
        raise unusable(
            f"its geometry is {found.geom_type}, and not Polygon or MultiPolygon",
            path,
            "Give the layer of boundaries; centroids and lines cannot be filled with a colour",
            at=at,
        )
    return shapely.force_2d(found)


def _damaged(path: Path, error: Exception) -> Exception:
    busy = isinstance(error, sqlite3.OperationalError) and "unable to open" in str(error)
    said = "it cannot be opened as a GeoPackage" if busy else "it is a damaged GeoPackage"
    return unusable(said, path, _REMEDY)
