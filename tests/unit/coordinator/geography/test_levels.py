"""Which level of a file a round's areas are, and what is said where codes do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest
import shapely

from folkmoot_coordinator.geography.area_kinds import kind_of, year_in, year_of
from folkmoot_coordinator.geography.boundaries import Boundaries
from folkmoot_coordinator.geography.boundary_file import read_boundaries
from folkmoot_coordinator.geography.levels import fit, level_of
from folkmoot_operator.problems import Problem
from tests.unit.coordinator.geography.squares import code, squares, write


@pytest.fixture
def areas(tmp_path: Path) -> Boundaries:
    return read_boundaries(write(tmp_path / "areas.geojson", squares(4, 3)))


def test_the_level_is_found_by_the_codes(areas: Boundaries) -> None:
    assert level_of(areas, areas.codes[:2]) is areas
    wards = level_of(areas, [code(2, "E05")])
    assert wards.codes == tuple(code(number, "E05") for number in (1, 2, 3, 4))
    assert wards.names[1] == "Ward 1"
    assert set(wards.within) == {"LAD24CD"}
    assert wards.within["LAD24CD"].parents == (code(1, "E08"),) * 2 + (code(2, "E08"),) * 2
    # A ward is a row of three squares.
    assert shapely.area(wards.polygons[1]) == pytest.approx(3 * shapely.area(areas.polygons[0]))
    assert shapely.get_type_id(wards.polygons).tolist() == [3] * 4


def test_areas_of_another_kind_are_named(areas: Boundaries) -> None:
    with pytest.raises(Problem) as raised:
        level_of(areas, [code(7, "E02")])
    assert raised.value.problem == (
        "the boundaries are those of LSOAs and wards and districts, and the round has MSOAs, "
        "such as E02000007"
    )


def test_missing_areas_are_listed_and_others_counted(areas: Boundaries) -> None:
    found = fit(areas, [code(99), code(1), code(98)])
    assert found.missing == (code(99), code(98))
    assert found.others == 11
    assert found.other_edition == ""


def test_another_edition_is_named_by_the_columns_year(areas: Boundaries) -> None:
    assert fit(areas, [code(1), code(99)], "2011").other_edition == (
        "The boundaries are 2021 LSOAs, and the round has those of 2011."
    )
    assert fit(areas, [code(1)], "2011").other_edition == ""


def test_another_edition_is_seen_by_the_codes_alone(tmp_path: Path) -> None:
    made = squares(2, 2)
    for one in made:
        one["properties"] = {"code": one["properties"]["LSOA21CD"]}
    old = read_boundaries(write(tmp_path / "a.geojson", made))
    assert fit(old, [code(1), "E01033769"]).other_edition == (
        "The boundaries are LSOAs older than 2021, and the round has those of 2021."
    )


@pytest.mark.parametrize(
    "column, year",
    [
        ("LSOA21CD", "2021"), ("lsoa11_code", "2011"), ("WD24CD", "2024"), ("ltla24_code", "2024"),
        ("LAD2023_CODE", "2023"), ("geo_code", ""), ("code", ""), ("areacd", ""),
    ],
)  # fmt: skip
def test_columns_say_their_year(column: str, year: str) -> None:
    assert year_in(column) == year


def test_codes_say_kind_and_year() -> None:
    assert kind_of(["E01000001", "W01000001", "E02000001"]) == "LSOAs"
    assert kind_of(["north", "south"]) == "areas"
    assert kind_of([]) == "areas"
    assert year_of(["E01033768", "W01001958"]) == ""
    assert year_of(["E01000001", "W01001959"]) == "2021"
