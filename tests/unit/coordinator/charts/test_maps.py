"""Maps of areas and of tiles: what is drawn, how sure it is, and that names stay text."""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from folkmoot_coordinator.charts.area_classes import AreaClasses, area_text, no_figure_text
from folkmoot_coordinator.charts.choropleth import map_svg
from folkmoot_coordinator.charts.legend import legend_html
from folkmoot_coordinator.charts.map_picture import map_picture
from folkmoot_coordinator.charts.palette import CLASSES, HATCHING, PALE, spread
from folkmoot_coordinator.charts.tile_map import arrange, tile_map_size, tile_map_svg
from folkmoot_coordinator.geography.atlas import Atlas, BoundarySource
from folkmoot_coordinator.geography.shapes import Shapes
from tests.unit.coordinator.charts.plain_svg import HOSTILE, SVG, parsed, shown, texts
from tests.unit.coordinator.geography.squares import code, squares, write

LABELS = ("fewer than 10 households", "10 to 19 households", "20 households or more")


@pytest.fixture
def shapes(tmp_path: Path) -> Shapes:
    source = BoundarySource(write(tmp_path / "areas.geojson", squares(4, 3)))
    codes = [code(number) for number in range(1, 13)]
    found = Atlas([source], tmp_path / "kept").shapes([*codes, code(99)])
    assert found is not None
    return found


def areas(number: int, names: list[str] | None = None) -> AreaClasses:
    """Classes in turn, every fourth not certain; the fifth area has no figure."""
    classes = np.arange(number) % 3
    classes[4] = -1
    names = names or [f"Area {place}" for place in range(number)]
    said = [
        no_figure_text(name)
        if place == 4
        else area_text(name, f"{place} households", ("1", "20"), "Sure")
        for place, name in enumerate(names)
    ]
    return AreaClasses(classes, np.arange(number) % 4 > 0, said, LABELS)


def test_each_area_has_its_colour_and_its_text(shapes: Shapes) -> None:
    root = parsed(map_svg(shapes, areas(13), title="A map", description="What it shows"))
    drawn = {}
    for group in root.findall(f"{SVG}g/{SVG}g"):
        for path in group.findall(f"{SVG}path"):
            title = path.findtext(f"{SVG}title")
            assert title is not None
            drawn[title.partition(":")[0]] = (group.get("fill"), path.get("d"), title)
    assert len(drawn) == 12  # the thirteenth has no shape
    light, middle, dark = (CLASSES[number] for number in spread(3))
    assert [drawn[f"Area {place}"][0] for place in range(1, 4)] == [middle, dark, light]
    assert drawn["Area 0"][0] == "url(#map-h0)"
    assert drawn["Area 8"][0] == f"url(#map-h{spread(3)[2]})"
    assert drawn["Area 4"][0] not in {light, middle, dark}
    assert drawn["Area 7"] == (
        middle,
        shapes.paths[7],
        "Area 7: 7 households, 95% interval 1 to 20. Sure",
    )


def test_hatching_is_defined_for_each_class_that_uses_it(shapes: Shapes) -> None:
    svg = map_svg(shapes, areas(13), title="A map", description="", element_id="second-map")
    defined = {pattern.get("id") for pattern in parsed(svg).iter(f"{SVG}pattern")}
    assert set(re.findall(r"url\(#([^)]*)\)", svg)) <= defined
    assert all(str(one).startswith("second-map-") for one in defined)


def test_it_is_one_image_with_title_and_description(shapes: Shapes) -> None:
    root = parsed(map_svg(shapes, areas(13), title="A map", description="What it shows"))
    assert root.get("role") == "img"
    labelled = (root.get("aria-labelledby") or "").split()
    assert [root.findtext(f"*[@id='{one}']") for one in labelled] == ["A map", "What it shows"]
    assert root.get("focusable") == "false"
    assert not list(root.iter(f"{SVG}a"))


def test_some_areas_fill_the_picture(shapes: Shapes) -> None:
    root = parsed(map_svg(shapes, areas(13), title="A", description="", only=[4, 5, 12]))
    left, top, width, height = map(int, (root.get("viewBox") or "").split())
    box = shapes.boxes[[4, 5]]
    assert left < box[:, 0].min() < box[:, 2].max() < left + width
    assert top < box[:, 1].min() < box[:, 3].max() < top + height
    assert width < shapes.width
    titles = [path.findtext(f"{SVG}title") for path in root.findall(f".//{SVG}path")]
    assert len([one for one in titles if one]) == 2


def test_other_numbers_of_areas_are_refused(shapes: Shapes) -> None:
    with pytest.raises(ValueError, match="12 areas have classes, and 13 shapes"):
        map_svg(shapes, areas(12), title="A", description="")
    with pytest.raises(ValueError, match="an id has"):
        map_svg(shapes, areas(13), title="A", description="", element_id='a"onload="')


@pytest.mark.parametrize("name", HOSTILE)
def test_names_stay_text(tmp_path: Path, name: str) -> None:
    made = squares(2, 3)
    for one in made:
        one["properties"] = {"code": one["properties"]["LSOA21CD"]}
    made[1]["properties"]["name"] = name.encode("utf-8", "replace").decode()
    source = BoundarySource(write(tmp_path / "areas.geojson", made), "code", "name")
    found = Atlas([source], tmp_path / "kept").shapes([code(n) for n in range(1, 7)])
    assert found is not None
    said = areas(6, [name] * 6)
    svg = map_svg(found, said, title=name, description=name)
    root = parsed(svg)
    assert root.findtext(f"{SVG}title") == shown(name).replace("\r", "\n")
    assert sum(shown(name) in text for text in texts(root)) >= 6
    codes = [f"E0800000{number}" for number in range(1, 7)]
    parsed(tile_map_svg(codes, [name] * 6, said, title=name, description=name))
    picture = map_picture(svg, (found.width, found.height), said, title=name, notes=[name])
    parsed(picture)
    hostile_labels = AreaClasses(said.classes, said.certain, said.texts, [name] * 3)
    parsed(f"<svg>{legend_html(hostile_labels)}</svg>")


def test_the_legend_says_it_in_words(shapes: Shapes) -> None:
    html = legend_html(areas(13))
    root = parsed(f"<svg>{html}</svg>")
    said = " ".join(root.itertext())
    assert (
        "at least 90% sure that the true figure is in this class, by a model of how areas differ"
        in said
    )
    assert [label in said for label in (*LABELS, "No figure")] == [True] * 4
    for number in spread(3):
        assert CLASSES[number] in html
        assert HATCHING[number] in html
    without = AreaClasses(np.zeros(2, dtype=np.int64), np.ones(2, bool), ["a", "b"], LABELS)
    assert "No figure" not in legend_html(without)


def test_classes_are_checked() -> None:
    one = np.zeros(2, dtype=np.int64)
    sure = np.ones(2, dtype=np.bool_)
    for classes, certain, said, labels in (
        (one, sure, ["a"], LABELS),
        (one, sure[:1], ["a", "b"], LABELS),
        (one + 3, sure, ["a", "b"], LABELS),
        (one - 2, sure, ["a", "b"], LABELS),
        (one, sure, ["a", "b"], ["x"] * 6),
        (one, sure, ["a", "b"], []),
    ):
        with pytest.raises(ValueError):
            AreaClasses(classes, certain, said, labels)


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    ]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_classes_get_darker_and_hatching_can_be_seen() -> None:
    shades = [luminance(colour) for colour in CLASSES]
    assert shades == sorted(shades, reverse=True)
    assert all(contrast(*pair) > 1.35 for pair in pairwise(CLASSES))
    assert all(contrast(*pair) > 2.3 for pair in zip(HATCHING, PALE, strict=True))


def test_tiles_have_places_of_their_own() -> None:
    codes = [f"E0800000{number}" for number in range(1, 10)]
    places = arrange(codes)
    assert len(set(places.values())) == 9
    assert [places[one] for one in codes[:5]] == [(0, 0), (1, 0), (2, 0), (3, 0), (0, 1)]
    layout = {codes[0]: (2, 1), codes[1]: (2, 1), codes[2]: (0, 0), codes[3]: (-1, 0)}
    places = arrange(codes, layout)
    assert len(set(places.values())) == 9
    assert (places[codes[0]], places[codes[2]]) == ((2, 1), (0, 0))
    assert {row for one in codes[3:] for row in places[one][1:]} == {2, 3, 4}
    assert tile_map_size(codes[:1]) == (120, 120)
    assert tile_map_size([]) == (120, 120)


@pytest.mark.parametrize(
    "name, lines",
    [
        ("Bury", ["Bury"]),
        ("Stoke-on-Trent", ["Stoke-", "on-", "Trent"]),
        ("Barking and Dagenham", ["Barking", "and", "Dagenham"]),
        (
            "Bournemouth, Christchurch and Poole",
            ["Bournemou\u2026", "Christchu\u2026", "and Poole"],
        ),
        ("", []),
        ("-", ["-"]),
    ],
)
def test_names_fit_their_tiles(name: str, lines: list[str]) -> None:
    one = AreaClasses(np.zeros(1, dtype=np.int64), np.ones(1, bool), ["x"], LABELS)
    root = parsed(tile_map_svg(["E08000001"], [name], one, title="T", description="D"))
    assert [text.text for text in root.iter(f"{SVG}text")] == lines


def test_a_picture_of_its_own_has_everything(shapes: Shapes) -> None:
    said = areas(13)
    drawn = map_svg(shapes, said, title="A map", description="D")
    picture = map_picture(
        drawn, (shapes.width, shapes.height), said, title="A map of areas", notes=["Source: a", "b"]
    )
    found = texts(parsed(picture))
    assert {"A map of areas", "Source: a", "b", *LABELS} <= set(found)
    assert picture.startswith('<svg xmlns="http://www.w3.org/2000/svg" width="1000"')
