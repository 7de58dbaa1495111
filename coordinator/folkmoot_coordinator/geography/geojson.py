"""Reads features of a GeoJSON file, one at a time, plain or compressed by gzip.

Source: RFC 7946. Files older than that may name their reference system in `crs`.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from folkmoot_coordinator.geography.features import (
    MAX_FEATURE_BYTES,
    MAX_FILE_BYTES,
    REMEDY_SMALLER,
    Feature,
    FeatureFile,
    unusable,
)

GZIP = b"\x1f\x8b"
_BUFFER = 64 * 1024
_WGS84 = "OGC:CRS84"
_REMEDY = "Give a GeoJSON FeatureCollection of areas, as `ogr2ogr -f GeoJSON` writes it"
_POLYGONS = {"Polygon", "MultiPolygon"}
_MAX_DEPTH = 1000
"""A MultiPolygon is nested eight deep."""
_STEPS = np.zeros(256, dtype=np.int32)
_STEPS[list(b"[{")] = 1
_STEPS[list(b"]}")] = -1


class _TooLong(Exception):
    """More bytes than are read of a file, or of one feature."""


class _TooDeep(Exception):
    """Brackets within brackets, for which ijson takes memory with the square of their number."""


class _Limited:
    """A stream that ends with an error when it, or one feature of it, is too long or too deep."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self._read = 0
        self._depth = 0
        self.feature_began = 0

    def read(self, size: int = -1) -> bytes:
        found: bytes = self._stream.read(size)
        self._read += len(found)
        if self._read > MAX_FILE_BYTES:
            raise _TooLong(f"it is longer than {MAX_FILE_BYTES // 2**20} MiB when it is unpacked")
        if self._read - self.feature_began > MAX_FEATURE_BYTES + 2 * _BUFFER:
            raise _TooLong(
                f"one of its features takes more than {MAX_FEATURE_BYTES // 2**20} MiB, or there "
                "is something else of this length in it"
            )
        self._go_deeper(found)
        return found

    def _go_deeper(self, content: bytes) -> None:
        """Counts brackets, those in texts too: there are few, and they mostly come in pairs."""
        if content:
            depth = self._depth + np.cumsum(_STEPS[np.frombuffer(content, dtype=np.uint8)])
            if depth.max() > _MAX_DEPTH:
                raise _TooDeep
            self._depth = int(depth[-1])

    def next_feature(self) -> None:
        """Counts from here."""
        self.feature_began = self._read


def open_geojson(path: Path) -> FeatureFile:
    """Opens a GeoJSON file.

    Raises:
        Problem: SETTINGS, now or while its features are read, if the file is not a
            FeatureCollection, is damaged or too large, or its features are no polygons.
        OSError: If it cannot be read.
    """
    return FeatureFile(path, _reference_system(path), _features(path))


def _reference_system(path: Path) -> str:
    """What stands before the features, where all programs write it.

    A reference system that is named behind them is not seen: coordinates that are then taken for
    degrees do not lie in the United Kingdom.
    """
    import ijson

    kind, named = "", _WGS84
    with _parsing(path) as limited:
        for prefix, event, value in ijson.parse(limited, use_float=True, buf_size=_BUFFER):
            if event == "start_map" and prefix in ("", "features.item"):
                limited.next_feature()
            elif event == "start_array" and prefix == "features" and kind:
                break
            elif prefix == "type" and event == "string":
                kind = value
            elif prefix == "crs.properties.name" and event == "string":
                named = value
    if kind != "FeatureCollection":
        said = f"is a GeoJSON {kind[:40]}" if kind else "does not say that it is GeoJSON"
        raise unusable(f"it {said}, and not a FeatureCollection", path, _REMEDY)
    return named


def _features(path: Path) -> Iterator[Feature]:
    import ijson

    with _parsing(path) as limited:
        found = ijson.items(limited, "features.item", use_float=True, buf_size=_BUFFER)
        for number, value in enumerate(found, start=1):
            yield _feature(value, number, path)
            limited.next_feature()


@contextmanager
def _parsing(path: Path) -> Iterator[_Limited]:
    """Opens the file, and says of errors while it is read what they mean."""
    from ijson import JSONError

    try:
        with gzip.open(path) if _is_compressed(path) else path.open("rb") as stream:
            yield _Limited(stream)
    except _TooLong as error:
        raise unusable(str(error), path, REMEDY_SMALLER) from None
    except (gzip.BadGzipFile, zlib.error, EOFError):
        raise unusable(
            "it is a damaged gzip file", path, "Compress it again, or give the file unpacked"
        ) from None
    except (JSONError, UnicodeDecodeError, _TooDeep):
        raise unusable("it is not JSON, or breaks off", path, _REMEDY) from None


def _is_compressed(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(GZIP)) == GZIP


def _feature(value: Any, number: int, path: Path) -> Feature:
    at = f"feature {number}"
    if not isinstance(value, dict) or value.get("type") != "Feature":
        raise unusable("it is not a GeoJSON Feature", path, _REMEDY, at=at)
    properties, geometry = value.get("properties"), value.get("geometry")
    texts = properties if isinstance(properties, dict) else {}
    return Feature(
        number,
        {name: text.strip() for name, text in texts.items() if isinstance(text, str)},
        None if geometry is None else _shape(geometry, path, at),
    )


def _shape(geometry: Any, path: Path, at: str) -> Any:
    import shapely
    from shapely.geometry import shape

    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in _POLYGONS:
        said = kind[:40] if isinstance(kind, str) else "something else"
        raise unusable(
            f"its geometry is {said}, and not Polygon or MultiPolygon",
            path,
            "Give the file of boundaries; centroids and lines cannot be filled with a colour",
            at=at,
        )
    try:
        return shapely.force_2d(shape(geometry))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, shapely.GEOSException):
        raise unusable(
            "its coordinates are not those of a polygon",
            path,
            "Each ring is a list of at least four positions, [longitude, latitude]",
            at=at,
        ) from None
