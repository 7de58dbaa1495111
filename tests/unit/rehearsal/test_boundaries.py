"""Made-up boundaries of a rehearsal's areas, as the region's site reads them."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest
import shapely

from folkmoot_coordinator.geography.atlas import Atlas, BoundarySource
from folkmoot_coordinator.geography.boundary_file import read_boundaries
from folkmoot_rehearsal.boundaries import BOUNDARIES_FILE, boundaries_file
from folkmoot_rehearsal.councils import region


@pytest.mark.parametrize("councils", [1, 2, 10, 40])
def test_each_area_is_a_square_of_its_own_in_the_block_of_its_council(
    councils: int, tmp_path: Path
) -> None:
    areas = {
        council: [f"E01{council.index:03}{number:03}" for number in range(3 + council.index)]
        for council in region(councils)
    }
    file = tmp_path / BOUNDARIES_FILE
    file.write_text(boundaries_file(areas), "utf-8")
    found = read_boundaries(file)
    codes = [code for own in areas.values() for code in own]
    assert sorted(found.codes) == sorted(codes)
    assert shapely.is_valid(found.polygons).all()
    whole = shapely.union_all(found.polygons)
    assert whole.area == pytest.approx(shapely.area(found.polygons).sum()), "none on another"
    blocks = shapely.get_parts(whole)
    assert len(blocks) == councils
    for one, other in itertools.combinations(blocks, 2):
        assert not one.intersects(other)
    atlas = Atlas([BoundarySource(file)], tmp_path / "kept")
    shapes = atlas.shapes(codes)
    assert shapes is not None
    districts = atlas.shapes([str(council.code) for council in areas])
    assert districts is not None
    assert districts.names == tuple(council.name for council in areas)
