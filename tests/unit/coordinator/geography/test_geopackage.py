"""GeoPackages that GDAL has written, read without it."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

from folkmoot_coordinator.geography.boundary_file import read_boundaries
from folkmoot_coordinator.geography.geopackage import MAX_FILE_BYTES
from folkmoot_operator.problems import Problem
from tests.unit.coordinator.geography.squares import squares, write


def write_gpkg(
    path: Path,
    polygons: Sequence[object],
    codes: Sequence[str],
    *,
    crs: str | None = "EPSG:4326",
    layer: str = "areas",
    kind: str = "MultiPolygon",
    append: bool = False,
) -> Path:
    pyogrio.raw.write(
        path,
        shapely.to_wkb(np.array(polygons, dtype=object)),
        [
            np.array(codes, dtype=object),
            np.array([f"Name of {one}" for one in codes], dtype=object),
        ],
        ["LSOA21CD", "LSOA21NM"],
        layer=layer,
        driver="GPKG",
        geometry_type=kind,
        crs=crs,
        append=append,
    )
    return path


@pytest.fixture
def areas(tmp_path: Path) -> tuple[list[object], list[str]]:
    found = read_boundaries(write(tmp_path / "areas.geojson", squares(3, 3)))
    return [shapely.multipolygons([one]) for one in found.polygons], list(found.codes)


def test_it_says_the_same_as_the_geojson(
    tmp_path: Path, areas: tuple[list[object], list[str]]
) -> None:
    polygons, codes = areas
    found = read_boundaries(write_gpkg(tmp_path / "a.gpkg", polygons, codes))
    assert list(found.codes) == codes
    assert found.names[0] == f"Name of {codes[0]}"
    assert found.year == "2021"
    assert shapely.equals(found.polygons, np.array(polygons)).all()


def test_metres_become_degrees(tmp_path: Path) -> None:
    box = shapely.multipolygons([shapely.box(370000, 400000, 371000, 401000)])
    path = write_gpkg(tmp_path / "a.gpkg", [box], ["E01000001"], crs="EPSG:27700")
    west, south = shapely.bounds(read_boundaries(path).polygons[0])[:2]
    assert (west, south) == pytest.approx((-2.4528, 53.4958), abs=2e-3)


def test_a_reference_system_that_is_not_said_is_asked_for(
    tmp_path: Path, areas: tuple[list[object], list[str]]
) -> None:
    with pytest.warns(UserWarning, match="crs"):
        path = write_gpkg(tmp_path / "a.gpkg", *areas, crs=None)
    assert "does not say in which reference system" in refused(path).problem


def test_one_of_several_layers_is_to_be_named(
    tmp_path: Path, areas: tuple[list[object], list[str]]
) -> None:
    path = write_gpkg(tmp_path / "a.gpkg", *areas, layer="lsoas")
    write_gpkg(path, areas[0][:1], ["E05000001"], layer="wards", append=True)
    assert refused(path).remedy == "Name one of its layers: lsoas, wards"
    assert len(read_boundaries(path, layer="wards")) == 1
    with pytest.raises(Problem, match="no such layer"):
        read_boundaries(path, layer='wards"; DROP TABLE lsoas; --')


def test_points_are_no_boundaries(tmp_path: Path) -> None:
    path = write_gpkg(tmp_path / "a.gpkg", [shapely.Point(-2.5, 53.5)], ["E01000001"], kind="Point")
    assert "Point, and not Polygon" in refused(path).problem


def test_a_database_that_is_no_geopackage_is_named(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    with sqlite3.connect(path) as database:
        database.execute("CREATE TABLE a (b)")
    database.close()
    assert "it is an SQLite file, and not a GeoPackage" in refused(path).problem


def test_a_geopackage_without_layers_is_named(
    tmp_path: Path, areas: tuple[list[object], list[str]]
) -> None:
    path = write_gpkg(tmp_path / "a.gpkg", *areas)
    with sqlite3.connect(path) as database:
        database.execute("UPDATE gpkg_contents SET data_type = 'attributes'")
    database.close()
    assert "no layer of features" in refused(path).problem


def test_a_view_is_not_run(tmp_path: Path, areas: tuple[list[object], list[str]]) -> None:
    """What a file has written into it as a query could run without end."""
    path = write_gpkg(tmp_path / "a.gpkg", *areas)
    with sqlite3.connect(path) as database:
        database.create_function("ST_IsEmpty", 1, lambda blob: 0)
        database.execute("PRAGMA writable_schema = ON")
        database.execute(
            "UPDATE sqlite_schema SET type = 'view', rootpage = 0, sql = 'CREATE VIEW areas AS "
            "WITH RECURSIVE n(geom) AS (SELECT 1 UNION ALL SELECT geom + 1 FROM n) "
            "SELECT geom FROM n' WHERE name = 'areas'"
        )
    database.close()
    assert refused(path).problem in {"it has no layer of features", "it is a damaged GeoPackage"}


def test_a_file_that_is_too_large_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    with path.open("wb") as file:
        file.write(b"SQLite format 3\x00")
        file.truncate(MAX_FILE_BYTES + 1)
    assert "longer than 256 MiB" in refused(path).problem


def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    tmp_path: Path, areas: tuple[list[object], list[str]]
) -> None:
    whole = write_gpkg(tmp_path / "a.gpkg", *areas).read_bytes()
    chance = random.Random(12)
    path = tmp_path / "damaged.gpkg"
    refusals = 0
    for _ in range(300):
        content = bytearray(whole)
        for _ in range(chance.choice((1, 8, 400))):
            content[chance.randrange(16, len(content))] = chance.randrange(256)
        path.write_bytes(content[: chance.choice((len(content), len(content) // 2))])
        try:
            assert len(read_boundaries(path)) >= 1
        except Problem:
            refusals += 1
    assert refusals > 50


def refused(path: Path) -> Problem:
    with pytest.raises(Problem) as raised:
        read_boundaries(path)
    assert str(path) in raised.value.where
    return raised.value
