"""Where coordinates lie: from the file's reference system to longitude and latitude (WGS 84)."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from folkmoot_coordinator.geography.features import unusable

Float64 = NDArray[np.float64]

_DEGREES = {"OGC:CRS84", "EPSG:4326"}
_NAME = re.compile(r"(?:urn:ogc:def:crs:)?(OGC|EPSG):+(?:[0-9.]*:+)?(CRS84|[0-9]{4,6})", re.I)
_UNITED_KINGDOM = (-9.5, 49.0, 2.5, 61.5)
"""Longitude and latitude of its most western, southern, eastern and northern point, with room."""
_LARGEST_DEGREES = 360
_NATIONAL_GRID = (0.0, 0.0, 700_000.0, 1_300_000.0)
_REMEDY_DEGREES = (
    "Write the file with longitude and latitude: `ogr2ogr -t_srs EPSG:4326 new.geojson FILE`, with "
    "-s_srs EPSG:27700 if its coordinates are those of the British National Grid"
)


def to_degrees(coordinates: Float64, reference_system: str | None, path: Path) -> Float64:
    """Coordinates as longitude and latitude.

    Args:
        coordinates: As they stand in the file, float64, shape (vertices, 2).
        reference_system: As the file names it; None if it does not.
        path: The file, for the message.

    Returns:
        Degrees, float64, shape (vertices, 2), never NaN.

    Raises:
        Problem: SETTINGS, if the reference system is missing or unknown, or the coordinates do not
            lie in the United Kingdom: they belong to another system, or are swapped.
    """
    if not np.isfinite(coordinates).all():
        raise unusable("a coordinate is not a number", path, "Write the file again from its source")
    if reference_system is None:
        raise unusable(
            "it does not say in which reference system its coordinates are",
            path,
            "Say it when it is written: `ogr2ogr -a_srs EPSG:27700 new.gpkg FILE`, or EPSG:4326 "
            "for longitude and latitude",
        )
    degrees = (
        coordinates
        if _said_degrees(reference_system)
        else _transformed(coordinates, _short(reference_system), path)
    )
    _require_here(degrees, coordinates, reference_system, path)
    # To the centimetre: positions that two neighbours share are the same number.
    return np.round(degrees, 7)


def _short(system: str) -> str:
    """`EPSG:27700` for any way to write it; empty if it is none."""
    match = _NAME.fullmatch(system)
    return f"{match[1]}:{match[2]}".upper() if match else ""


def _said_degrees(system: str) -> bool:
    return _short(system) in _DEGREES


def _transformed(coordinates: Float64, name: str, path: Path) -> Float64:
    from pyproj import Transformer
    from pyproj.exceptions import ProjError
    from pyproj.network import set_network_enabled  # type: ignore[attr-defined]

    set_network_enabled(False)  # grids would be fetched where the environment says so
    try:
        change = Transformer.from_crs(name, "OGC:CRS84", always_xy=True)
        x, y = change.transform(coordinates[:, 0], coordinates[:, 1])
    except ProjError:
        raise unusable(
            "its reference system is not known", path, f"{_REMEDY_DEGREES}. EPSG codes are known"
        ) from None
    return np.column_stack([x, y])


def _require_here(degrees: Float64, given: Float64, system: str, path: Path) -> None:
    if _inside(degrees, _UNITED_KINGDOM):
        return
    if _inside(degrees[:, ::-1], _UNITED_KINGDOM):
        raise unusable(
            "its coordinates are swapped: latitude stands before longitude",
            path,
            "Write longitude first (RFC 7946): `ogr2ogr -s_srs EPSG:4326 -t_srs OGC:CRS84`",
        )
    too_large = float(np.abs(given).max()) > _LARGEST_DEGREES
    if _said_degrees(system) and too_large and _inside(given, _NATIONAL_GRID):
        raise unusable(
            "its coordinates are metres, it seems of the British National Grid, and the file says "
            "that they are degrees",
            path,
            _REMEDY_DEGREES,
        )
    raise unusable(
        f"read as {system[:60]}, its coordinates do not lie in the United Kingdom",
        path,
        _REMEDY_DEGREES,
    )


def _inside(coordinates: Float64, box: tuple[float, float, float, float]) -> bool:
    west, south, east, north = box
    if not len(coordinates):
        return True
    low, high = coordinates.min(axis=0), coordinates.max(axis=0)
    return bool(west <= low[0] and south <= low[1] and high[0] <= east and high[1] <= north)
