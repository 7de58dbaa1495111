"""Reading boundary files: what is found in them, and what is said of those that are broken."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_coordinator.geography import features, geojson
from folkmoot_coordinator.geography.boundary_file import read_boundaries
from folkmoot_operator.problems import ExitCode, Problem
from tests.unit.coordinator.geography.squares import code, square, squares, write

Change = Callable[[list[dict[str, Any]]], None]


def test_codes_names_and_larger_areas_are_found(tmp_path: Path) -> None:
    found = read_boundaries(write(tmp_path / "areas.geojson", squares(4, 3)))
    assert found.codes == tuple(code(number) for number in range(1, 13))
    assert found.names[4] == "Area 1.1"
    assert found.year == "2021"
    assert set(found.within) == {"WD24CD", "LAD24CD"}
    wards = found.within["WD24CD"]
    assert (wards.parents[4], wards.names["E05000002"], wards.year) == (
        "E05000002",
        "Ward 1",
        "2024",
    )
    assert shapely.bounds(found.polygons[0]).tolist() == pytest.approx([-2.5, 53.59, -2.49, 53.6])
    assert found.repaired == ()


def test_a_compressed_file_is_read_whatever_its_name(tmp_path: Path) -> None:
    path = write(tmp_path / "areas.json.gz", squares(2, 2)).rename(tmp_path / "areas")
    assert len(read_boundaries(path)) == 4


def test_columns_may_be_named_and_codes_then_be_of_any_kind(tmp_path: Path) -> None:
    made = squares(1, 3)
    for number, one in enumerate(made):
        one["properties"] = {"zone": f"north-{number}", "called": f"North {number}"}
    found = read_boundaries(write(tmp_path / "a.geojson", made), "zone", "called")
    assert found.codes == ("north-0", "north-1", "north-2")
    assert found.names[2] == "North 2"


def test_metres_of_the_national_grid_become_degrees(tmp_path: Path) -> None:
    made = squares(1, 1)
    # Corner of the grid square SD 70 00, from the Ordnance Survey's own transformation.
    ring = [[370000, 400000], [371000, 400000], [371000, 401000], [370000, 400000]]
    made[0]["geometry"] = {"type": "Polygon", "coordinates": [ring]}
    named = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::27700"}}
    found = read_boundaries(write(tmp_path / "a.geojson", made, crs=named))
    west, south = shapely.bounds(found.polygons[0])[:2]
    assert (west, south) == pytest.approx((-2.4528, 53.4958), abs=2e-3)


def test_a_ring_that_crosses_itself_is_repaired_and_named(tmp_path: Path) -> None:
    made = squares(1, 2)
    ring = made[0]["geometry"]["coordinates"][0]
    ring[0], ring[2] = ring[2], ring[0]
    ring[-1] = ring[0]
    found = read_boundaries(write(tmp_path / "a.geojson", made))
    assert found.repaired == (code(1),)
    assert shapely.is_valid(found.polygons).all()


def test_an_area_without_a_shape_is_left_out(tmp_path: Path) -> None:
    made = squares(1, 3)
    made[1]["geometry"] = None
    found = read_boundaries(write(tmp_path / "a.geojson", made))
    assert found.codes == (code(1), code(3))


def _points(made: list[dict[str, Any]]) -> None:
    made[1]["geometry"] = {"type": "Point", "coordinates": [-2.5, 53.6]}


def _no_codes(made: list[dict[str, Any]]) -> None:
    for one in made:
        one["properties"] = {"name": "somewhere"}


def _same_code(made: list[dict[str, Any]]) -> None:
    made[2]["properties"]["LSOA21CD"] = made[0]["properties"]["LSOA21CD"]


def _code_missing(made: list[dict[str, Any]]) -> None:
    del made[1]["properties"]["LSOA21CD"]


def _swapped(made: list[dict[str, Any]]) -> None:
    for one in made:
        for position in one["geometry"]["coordinates"][0]:
            position.reverse()


def _metres(made: list[dict[str, Any]]) -> None:
    for one in made:
        one["geometry"]["coordinates"] = [[[3e5, 4e5], [3.1e5, 4e5], [3.1e5, 4.1e5], [3e5, 4e5]]]


def _abroad(made: list[dict[str, Any]]) -> None:
    for one in made:
        one["geometry"]["coordinates"] = [[[9.0, 50.0], [9.1, 50.0], [9.1, 50.1], [9.0, 50.0]]]


def _flat(made: list[dict[str, Any]]) -> None:
    line = [[-2.5, 53.6], [-2.4, 53.6], [-2.3, 53.6], [-2.5, 53.6]]
    made[1]["geometry"]["coordinates"] = [line]


def _nonsense(made: list[dict[str, Any]]) -> None:
    made[1]["geometry"]["coordinates"] = [["here", "there"]]


def _two_corners(made: list[dict[str, Any]]) -> None:
    made[1]["geometry"]["coordinates"] = [[[-2.5, 53.6], [-2.4, 53.6]]]


def _no_features(made: list[dict[str, Any]]) -> None:
    made[1] = "feature"  # type: ignore[call-overload]


def _no_shapes(made: list[dict[str, Any]]) -> None:
    for one in made:
        one["geometry"] = None


@pytest.mark.parametrize(
    "change, said, remedy",
    [
        (_points, "geometry is Point", "centroids"),
        (_no_codes, "no column of GSS codes", "Name the column"),
        (_same_code, "the code E01000001 (column LSOA21CD) is in feature 1, too", "MultiPolygon"),
        (_code_missing, "no code in column LSOA21CD", "code"),
        (_swapped, "swapped", "longitude first"),
        (_metres, "metres", "EPSG:27700"),
        (_abroad, "do not lie in the United Kingdom", "longitude and latitude"),
        (_flat, "the shape of E01000002 cannot be repaired", "Correct it"),
        (_nonsense, "coordinates are not those of a polygon", "ring"),
        (_two_corners, "coordinates are not those of a polygon", "four positions"),
        (_no_features, "not a GeoJSON Feature", "FeatureCollection"),
        (_no_shapes, "none of its features has a shape", "boundaries"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    tmp_path: Path, change: Change, said: str, remedy: str
) -> None:
    made = squares(2, 2)
    change(made)
    problem = refused(write(tmp_path / "areas.geojson", made))
    assert said in problem.problem
    assert remedy in problem.remedy


@pytest.mark.parametrize(
    "content, said",
    [
        (b"", "it is empty"),
        (b"code,name\nE01000001,A\n", "neither JSON nor a GeoPackage"),
        (b"PK\x03\x04 and so on", "a ZIP file"),
        (b"\x00\x00\x27\x0a" + bytes(60), "a shapefile"),
        (b"<kml></kml>", "XML"),
        (b'{"type": "FeatureCollection", "features": [', "breaks off"),
        (b'{"type": "Feature", "geometry": null}', "a GeoJSON Feature, and not"),
        (b'{"areas": []}', "does not say that it is GeoJSON"),
        (b'{"type": "FeatureCollection", "features": []}', "no features"),
        (b'{"type": "FeatureCollection", "features": {}}', "no features"),
        (b"{" * 100_000, "not JSON"),
        (b'{"type":' + b"[" * 100_000, "not JSON"),
        (gzip.compress(b'{"type": "FeatureCollection"}' * 50, mtime=0)[:-12], "damaged gzip"),
        (b"\x1f\x8b\x08nonsense, and not gzip at all", "damaged gzip"),
        (b'{"type": "FeatureCollection", "features": [\xff\xfe]}', "not JSON"),
    ],
)
def test_what_is_no_boundary_file_is_refused(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "areas"
    path.write_bytes(content)
    assert said in refused(path).problem


def test_a_file_that_unpacks_to_too_much_is_not_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(geojson, "MAX_FILE_BYTES", 2**20)
    path = tmp_path / "areas.gz"
    path.write_bytes(gzip.compress(b'{"type": "FeatureCollection", "features": [' + b" " * 2**22))
    assert "longer than 1 MiB when it is unpacked" in refused(path).problem


def test_one_feature_cannot_take_all_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(geojson, "MAX_FEATURE_BYTES", 2**16)
    made = squares(1, 2)
    made[1]["properties"]["LSOA21NM"] = "x" * 2**19
    assert "one of its features" in refused(write(tmp_path / "a.gz", made)).problem


def test_many_small_features_are_not_taken_for_a_large_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(geojson, "MAX_FEATURE_BYTES", 2**12)
    path = write(tmp_path / "a.geojson", squares(40, 40))
    assert path.stat().st_size > 2**19
    assert len(read_boundaries(path)) == 1600


@pytest.mark.parametrize("limit, said", [("MAX_FEATURES", "features"), ("MAX_VERTICES", "vert")])
def test_too_many_features_or_vertices_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, said: str
) -> None:
    monkeypatch.setattr(features, limit, 3)
    assert said in refused(write(tmp_path / "a.geojson", squares(2, 2))).problem


def test_a_column_that_is_named_and_missing_is_refused_with_those_there_are(
    tmp_path: Path,
) -> None:
    with pytest.raises(Problem) as raised:
        read_boundaries(write(tmp_path / "a.geojson", squares(1, 2)), "MSOA21CD")
    assert raised.value.problem == "it has no column MSOA21CD"
    assert "LSOA21CD, LSOA21NM" in raised.value.remedy


def test_a_missing_file_a_folder_and_a_pipe_are_named(tmp_path: Path) -> None:
    assert "not there" in refused(tmp_path / "none.geojson").problem
    assert "no ordinary file" in refused(tmp_path).problem
    os.mkfifo(tmp_path / "pipe")
    assert "no ordinary file" in refused(tmp_path / "pipe").problem


@given(data=st.data())
def test_a_damaged_file_is_read_or_refused_and_nothing_else(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    whole = bytearray(json.dumps({"type": "FeatureCollection", "features": squares(1, 2)}).encode())
    for _ in range(data.draw(st.integers(1, 6))):
        place = data.draw(st.integers(0, len(whole) - 1))
        if data.draw(st.booleans()):
            whole[place] = data.draw(st.sampled_from(b'{}[]",:0123456789-.eE truefalsn\x00\xff'))
        else:
            del whole[place : place + data.draw(st.integers(1, 40))]
    path = tmp_path_factory.getbasetemp() / "damaged.geojson"
    path.write_bytes(whole)
    with suppress(Problem):
        assert len(read_boundaries(path)) >= 1


def refused(path: Path) -> Problem:
    with pytest.raises(Problem) as raised:
        read_boundaries(path)
    assert str(path) in raised.value.where
    assert raised.value.remedy
    assert raised.value.exit_code in {ExitCode.SETTINGS, ExitCode.UNREACHABLE}
    return raised.value


def test_the_squares_of_these_tests_touch() -> None:
    assert shapely.geometry.shape(square(0, 0)).touches(shapely.geometry.shape(square(0, 1)))
