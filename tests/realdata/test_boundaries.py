"""The published boundaries of the LSOAs of Greater Manchester and of one London borough."""

from __future__ import annotations

import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import shapely

from folkmoot_coordinator.charts.area_classes import AreaClasses, area_text
from folkmoot_coordinator.charts.choropleth import map_svg
from folkmoot_coordinator.charts.legend import legend_html
from folkmoot_coordinator.geography.atlas import Atlas, BoundarySource
from folkmoot_coordinator.geography.boundaries import Boundaries
from folkmoot_coordinator.geography.boundary_file import read_boundaries
from folkmoot_coordinator.geography.shapes import Shapes
from folkmoot_coordinator.geography.svg_paths import rings_of

pytestmark = pytest.mark.realdata

FILE = "greater_manchester/lsoa21_boundaries.geojson.gz"
LOOKUP = "greater_manchester/lookup_lsoa21_ward24_ltla24.csv.gz"
PAGE_BYTES = 190_000
"""Compressed; the page around the map may have 60,000 more."""


@pytest.fixture(scope="module")
def file(public_data: Path) -> Path:
    found = public_data / FILE
    if not found.exists():
        pytest.skip(f"the boundaries are not here ({found})")
    return found


@pytest.fixture(scope="module")
def areas(file: Path) -> Boundaries:
    return read_boundaries(file)


@pytest.fixture(scope="module")
def shapes(file: Path, areas: Boundaries, tmp_path_factory: pytest.TempPathFactory) -> Shapes:
    found = Atlas([BoundarySource(file)], tmp_path_factory.mktemp("kept")).shapes(areas.codes)
    assert found is not None
    return found


def test_all_is_found_without_naming_a_column(areas: Boundaries) -> None:
    assert len(areas) == 1817
    assert areas.year == "2021"
    assert {column: larger.year for column, larger in areas.within.items()} == {
        "ward24_code": "2024",
        "ltla24_code": "2024",
    }
    assert areas.names[areas.codes.index("E01000006")] == "Barking and Dagenham 016A"
    assert areas.repaired == ()


def test_what_lies_in_what_is_what_the_lookup_says(public_data: Path, areas: Boundaries) -> None:
    with gzip.open(public_data / LOOKUP, "rt", newline="") as stream:
        lookup = {row["lsoa21_code"]: row for row in csv.DictReader(stream)}
    for column, larger in areas.within.items():
        assert [lookup[code][column] for code in areas.codes] == list(larger.parents)


def test_simplified_areas_still_fit_together(areas: Boundaries, shapes: Shapes) -> None:
    drawn = [
        shapely.union_all([shapely.make_valid(shapely.Polygon(ring)) for ring in rings_of(path)])
        for path in shapes.paths
    ]
    overlap = sum(one.area for one in drawn) - shapely.union_all(drawn).area
    assert abs(overlap) < 1e-3 * sum(one.area for one in drawn)
    # Each is as large as it was, in the same unit.
    unit = abs(shapes.scale[0] * shapes.scale[1])
    before = shapely.area(areas.polygons) * unit
    after = np.array([one.area for one in drawn])
    assert np.corrcoef(before, after)[0, 1] > 0.999
    assert np.median(np.abs(after - before) / before) < 0.02


def test_neighbours_are_those_found_one_by_one(areas: Boundaries, shapes: Shapes) -> None:
    for place in range(0, 1817, 97):
        touching = shapely.dwithin(areas.polygons[place], areas.polygons, 1e-5)
        touching[place] = False
        starts, others = shapes.neighbours.starts, shapes.neighbours.others
        found = others[starts[place] : starts[place + 1]]
        assert found.tolist() == np.flatnonzero(touching).tolist()
    counts = np.diff(shapes.neighbours.starts)
    assert 5 < counts.mean() < 7


def test_the_borough_far_away_is_beside_and_named(shapes: Shapes) -> None:
    assert shapes.apart == ("Barking and Dagenham",)
    assert len(shapes.outlines) == 11


@pytest.mark.parametrize("column, number", [("ward24_code", 234), ("ltla24_code", 11)])
def test_wards_and_districts_are_made_of_lsoas(
    file: Path, areas: Boundaries, tmp_path: Path, column: str, number: int
) -> None:
    larger = areas.within[column]
    codes = sorted(set(larger.parents))
    assert len(codes) == number
    found = Atlas([BoundarySource(file)], tmp_path).shapes(codes)
    assert found is not None
    assert found.fit.missing == ()
    assert found.names == tuple(larger.names[code] for code in codes)
    assert all(found.paths)


def test_old_codes_are_seen_to_be_old(file: Path, areas: Boundaries, tmp_path: Path) -> None:
    """Where LSOAs were split or merged in 2021, a round by those of 2011 has codes that went."""
    gone = ["E01004612", "E01005062"]
    assert not set(gone) & set(areas.codes)
    found = Atlas([BoundarySource(file)], tmp_path).shapes([*areas.codes[:100], *gone], "2011")
    assert found is not None
    assert found.fit.missing == tuple(gone)
    assert found.fit.other_edition == (
        "The boundaries are 2021 LSOAs, and the round has those of 2011."
    )


def test_the_map_is_small_enough_for_its_page(shapes: Shapes) -> None:
    chance = np.random.default_rng(5)
    values = chance.integers(0, 900, len(shapes))
    said = [
        area_text(name, f"{value} households", (f"{value - 37}", f"{value + 37}"),
                  f"{chance.integers(30, 100)}% sure that it is in this class")
        for name, value in zip(shapes.names, values, strict=True)
    ]  # fmt: skip
    classes = AreaClasses(
        chance.integers(0, 5, len(shapes)), chance.random(len(shapes)) > 0.5, said, list("abcde")
    )
    drawn = map_svg(shapes, classes, title="A map", description="What it shows")
    assert len(gzip.compress((drawn + legend_html(classes)).encode(), 6)) < PAGE_BYTES


def test_the_file_is_what_it_was(file: Path) -> None:
    """The numbers above are those of this file."""
    with gzip.open(file) as stream:
        assert len(json.load(stream)["features"]) == 1817
