"""Shapes ready to be drawn: small, on a grid, and still touching."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_coordinator.geography import shapes as shapes_module
from folkmoot_coordinator.geography.boundary_file import read_boundaries
from folkmoot_coordinator.geography.geometries import geometry_of
from folkmoot_coordinator.geography.levels import level_of
from folkmoot_coordinator.geography.notes import notes_of
from folkmoot_coordinator.geography.shapes import GRID, Shapes, make_shapes
from folkmoot_coordinator.geography.svg_paths import path_of, rings_of
from tests.unit.coordinator.geography.squares import code, squares, write


def shapes_of(folder: Path, made: list[dict[str, Any]], codes: list[str] | None = None) -> Shapes:
    areas = read_boundaries(write(folder / "areas.geojson", made))
    wanted = codes or list(areas.codes)
    return make_shapes(level_of(areas, wanted), wanted)


def drawn(path: str) -> Any:
    return shapely.union_all([shapely.Polygon(ring) for ring in rings_of(path)])


def test_areas_come_in_the_order_of_the_round_with_gaps_for_those_missing(tmp_path: Path) -> None:
    codes = [code(5), code(77), code(1)]
    found = shapes_of(tmp_path, squares(3, 3), codes)
    assert list(found.codes) == codes
    assert found.names == ("Area 1.1", code(77), "Area 0.0")
    assert found.paths[1] == ""
    assert found.boxes[1].tolist() == [0, 0, 0, 0]
    assert np.isnan(found.origins[1]).all()
    assert found.fit.missing == (code(77),)
    assert found.fit.others == 7


def test_the_map_is_as_large_as_its_grid_and_the_right_way_up(tmp_path: Path) -> None:
    found = shapes_of(tmp_path, squares(4, 2))
    assert found.height == GRID
    # A degree of longitude is shorter than one of latitude, by the cosine of 53.58 degrees.
    assert found.width == pytest.approx(GRID / 2 * np.cos(np.radians(53.58)), rel=0.01)
    first, last = found.boxes[0], found.boxes[-1]
    assert first[1] == 0 < last[1]
    assert first[0] == 0 < last[0]


def test_neighbours_meet_after_simplifying(tmp_path: Path) -> None:
    """No gap and no overlap: the areas' sum is that of their union."""
    found = shapes_of(tmp_path, wavy(squares(6, 6)))
    parts = [drawn(path) for path in found.paths]
    assert shapely.coverage_is_valid(parts)
    assert sum(part.area for part in parts) == pytest.approx(shapely.union_all(parts).area)


def test_borders_that_were_drawn_apart_are_joined(tmp_path: Path) -> None:
    """Each area simplified by itself, as some programs do it: gaps and overlaps along borders."""
    made = wavy(squares(5, 5))
    for number, one in enumerate(made):
        shape = shapely.geometry.shape(one["geometry"]).simplify(1e-4 * (1 + number % 3))
        one["geometry"] = shapely.geometry.mapping(shape)
    areas = read_boundaries(write(tmp_path / "apart.geojson", made))
    assert not shapely.coverage_is_valid(areas.polygons)
    found = make_shapes(areas, areas.codes)
    parts = [drawn(path) for path in found.paths]
    overlap = sum(part.area for part in parts) - shapely.union_all(parts).area
    assert overlap < 1e-4 * GRID**2
    assert found.neighbours.counts[12] == 8


def test_the_page_stays_small_whatever_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shapes_module, "_VERTICES_FOR_ALL", 0)
    found = shapes_of(tmp_path, wavy(squares(5, 5)))
    assert sum(len(ring) for path in found.paths for ring in rings_of(path)) <= 10 * 25
    assert all(found.paths)


def wavy(made: list[dict[str, Any]], points: int = 200) -> list[dict[str, Any]]:
    """Borders with many vertices, the same on both sides."""
    for one in made:
        ring = shapely.segmentize(
            shapely.LinearRing(one["geometry"]["coordinates"][0]), 0.01 / points
        )
        xy = shapely.get_coordinates(ring)
        xy = xy + 2e-4 * np.sin(3000 * xy[:, ::-1])
        one["geometry"]["coordinates"] = [xy.tolist()]
    return made


def test_positions_lead_back_to_degrees(tmp_path: Path) -> None:
    found = shapes_of(tmp_path, squares(3, 3))
    left, top, right, bottom = found.boxes[4]
    west, north = found.origins[4] + np.array([left, top]) / np.array(found.scale)
    east, south = found.origins[4] + np.array([right, bottom]) / np.array(found.scale)
    assert [west, south, east, north] == pytest.approx([-2.49, 53.58, -2.48, 53.59], abs=1e-4)


def test_places_far_away_are_drawn_beside_and_named(tmp_path: Path) -> None:
    made = squares(4, 3)
    for one in made[6:]:
        ring = one["geometry"]["coordinates"][0]
        one["geometry"]["coordinates"] = [[[x + 2.6, y - 2] for x, y in ring]]
    made.append(
        {
            "type": "Feature",
            "properties": {"LSOA21CD": code(90), "LAD24CD": code(1, "E08")},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[-2.5, 53.6], [-2.5, 53.61], [-2.49, 53.6], [-2.5, 53.6]]],
            },
        }
    )
    found = shapes_of(tmp_path, made)
    assert found.apart == ("District 1",)
    assert found.width < 2.5 * GRID
    assert (found.boxes[6:12, 0] > found.boxes[:6, 2].max()).all()
    # Where they lie is not lost.
    left, top = found.boxes[6][:2]
    west, north = found.origins[6] + np.array([left, top]) / np.array(found.scale)
    assert (west, north) == pytest.approx((0.1, 51.58), abs=1e-3)


def test_larger_areas_are_outlined_with_their_names_inside(tmp_path: Path) -> None:
    found = shapes_of(tmp_path, squares(4, 30))
    assert [one.name for one in found.outlines] == ["District 0", "District 1"]
    for outline in found.outlines:
        assert drawn(outline.path).contains(shapely.Point(outline.label))


def test_few_areas_carry_their_own_names_and_many_none(tmp_path: Path) -> None:
    made = squares(2, 3)
    for one in made:
        one["properties"] = {"code": one["properties"]["LSOA21CD"]}
    assert len(shapes_of(tmp_path, made).outlines) == 6
    made = squares(7, 7)
    for one in made:
        one["properties"] = {"code": one["properties"]["LSOA21CD"]}
    assert shapes_of(tmp_path, made).outlines == ()


def test_neighbours_are_those_of_a_queen_on_a_board(tmp_path: Path) -> None:
    made = squares(4, 5)
    del made[7]
    codes = [one["properties"]["LSOA21CD"] for one in made]
    found = shapes_of(tmp_path, made, [*codes, code(8)]).neighbours
    where = [divmod(number, 5) for number in range(20) if number != 7]
    for place, (row, column) in enumerate(where):
        expected = [
            other for other, (r, c) in enumerate(where) if max(abs(r - row), abs(c - column)) == 1
        ]
        assert found.others[found.owners == place].tolist() == expected
    assert found.counts[19] == 0
    assert found.starts.dtype == found.others.dtype == np.int64


def test_an_island_has_no_neighbours(tmp_path: Path) -> None:
    made = squares(1, 5)
    del made[3]
    found = shapes_of(tmp_path, made).neighbours
    assert found.starts.tolist() == [0, 1, 3, 4, 4]


@given(
    parts=st.lists(
        st.lists(st.tuples(st.integers(0, 90), st.integers(0, 90)), min_size=3, max_size=12),
        min_size=1,
        max_size=4,
    )
)
def test_paths_say_the_polygon_to_the_unit(parts: list[list[tuple[int, int]]]) -> None:
    polygon = shapely.make_valid(shapely.MultiPolygon([(part, []) for part in parts]))
    polygon = shapely.union_all(
        [part for part in shapely.get_parts(polygon) if part.geom_type.endswith("Polygon")]
    )
    if polygon.is_empty:
        return
    path = path_of(polygon)
    assert set(path) <= set("M 0123456789-lhvz")
    rings = rings_of(path)
    found = np.concatenate(rings)
    assert len(found) >= 3
    expected = {
        tuple(position)
        for ring in shapely.get_rings(shapely.get_parts(polygon))
        for position in np.rint(shapely.get_coordinates(ring)).astype(int).tolist()
    }
    if "h" not in path:
        assert {tuple(position) for position in found.tolist()} <= expected


def test_geometry_for_programs_is_what_is_drawn(tmp_path: Path) -> None:
    made = squares(3, 3)
    # The middle one has a hole in which nothing lies, and a part of its own elsewhere.
    outer = made[4]["geometry"]["coordinates"][0]
    hole = [[-2.487, 53.587], [-2.483, 53.587], [-2.485, 53.583], [-2.487, 53.587]]
    part = [[-2.4, 53.6], [-2.39, 53.6], [-2.39, 53.59], [-2.4, 53.6]]
    made[4]["geometry"] = {"type": "MultiPolygon", "coordinates": [[outer, hole], [part]]}
    found = shapes_of(tmp_path, made, [code(5), code(77)])
    assert geometry_of(found, 1) is None
    geometry = geometry_of(found, 0)
    assert geometry is not None
    shape = shapely.geometry.shape(geometry)
    expected = shapely.geometry.shape(made[4]["geometry"])
    assert geometry["type"] == "MultiPolygon"
    assert shape.symmetric_difference(expected).area < 0.02 * expected.area
    exterior = next(part for part in shape.geoms if len(part.interiors)).exterior
    assert exterior.is_ccw


def test_what_a_reader_has_to_know_is_said(tmp_path: Path) -> None:
    made = squares(2, 3)
    assert notes_of(shapes_of(tmp_path, made), {}) == []
    made[0]["geometry"]["coordinates"][0][1:3] = made[0]["geometry"]["coordinates"][0][2:0:-1]
    codes = [code(number) for number in range(1, 40)]
    areas = read_boundaries(write(tmp_path / "areas.geojson", made))
    said = notes_of(make_shapes(areas, codes, "2011"), {code(7): "Seven"})
    assert said[0] == "The boundaries are 2021 LSOAs, and the round has those of 2011."
    assert said[1].startswith("33 areas are not on the map, because the file of boundaries does")
    assert "have them: Seven, E01000008" in said[1]
    assert said[1].endswith("E01000026 and 13 more.")
    assert said[2] == "The file has broken borders, which were repaired, of E01000001."
    one = notes_of(make_shapes(areas, codes[:7], "2021"), {})
    assert one[0] == (
        "1 area is not on the map, because the file of boundaries does not have it: E01000007."
    )
