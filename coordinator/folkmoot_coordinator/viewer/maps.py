"""The map of a selection: in the page, and as a picture of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from folkmoot_coordinator.charts.area_classes import (
    NO_CLASS,
    AreaClasses,
    area_text,
    no_figure_text,
)
from folkmoot_coordinator.charts.choropleth import map_svg
from folkmoot_coordinator.charts.legend import legend_html
from folkmoot_coordinator.charts.map_picture import map_picture
from folkmoot_coordinator.charts.tile_map import TILE, tile_map_size, tile_map_svg
from folkmoot_coordinator.geography.area_kinds import kind_of
from folkmoot_coordinator.geography.notes import notes_of
from folkmoot_coordinator.geography.shapes import Shapes
from folkmoot_coordinator.inference.classes import CERTAIN_FROM
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.viewer.figures import Figures, figures
from folkmoot_coordinator.viewer.region import Region
from folkmoot_coordinator.viewer.selection import Selection
from folkmoot_coordinator.viewer.words import capital, households, listed, percent, whole
from folkmoot_operator.problems import Problem

_FEW_TILES = 4 * TILE


@dataclass(frozen=True, slots=True)
class DrawnMap:
    """A map to stand in a page.

    Attributes:
        svg: The picture; empty where it cannot be drawn.
        legend: HTML.
        notes: Sentences on what is missing or was repaired.
        size: Width and height in the picture's own units.
        classes: What it shows.
        title: Of the picture.
    """

    svg: str
    legend: str
    notes: tuple[str, ...]
    size: tuple[float, float]
    classes: AreaClasses
    title: str

    @property
    def is_small(self) -> bool:
        """Whether it is drawn in its own size: a few tiles are not to fill a page."""
        return 0 < self.size[0] < _FEW_TILES


def draw_map(region: Region, published: Published, chosen: Selection) -> DrawnMap:
    """The map of a selection; kept as long as the round's result is.

    Args:
        region: It has the boundaries.
        published: The round.
        chosen: What of it.
    """
    found = published.kept(
        ("map", *chosen.key, chosen.place, region.boundaries_stamp()),
        lambda: _drawn(region, published, chosen),
    )
    assert isinstance(found, DrawnMap)
    return found


def picture_of_map(published: Published, chosen: Selection, drawn: DrawnMap) -> str:
    """A map as an SVG file of its own, with title, legend and notes."""
    notes = [*drawn.notes, f"{published.region}: {published.coverage}. {provenance(published)}"]
    if published.withdrawn:
        notes.insert(0, f"This result was {published.withdrawn}. Do not use it.")
    return map_picture(drawn.svg, drawn.size, drawn.classes, title=drawn.title, notes=notes)


def provenance(published: Published) -> str:
    """Which round figures are from, for those who have a picture alone."""
    return f"Round {published.round_.round_id[:12]}, {published.stored.title}."


def class_labels(breaks: Sequence[float]) -> tuple[str, ...]:
    """Classes in words, the lowest first."""
    if not len(breaks):
        return ("All areas",)
    ends = [_number(one) for one in breaks]
    between = [f"{low} to under {high}" for low, high in pairwise(ends)]
    return (f"Under {ends[0]}", *between, f"{ends[-1]} or more")


def areas_name(chosen: Selection, codes: Sequence[str], number: int | None = None) -> str:
    """What the areas are, in the plural, or a number of them."""
    kind = kind_of(codes) if chosen.area else "councils"
    if number is None:
        return kind
    return f"{number:,} {kind[:-1] if number == 1 and kind.endswith('s') else kind}"


def _drawn(region: Region, published: Published, chosen: Selection) -> DrawnMap:
    found = figures(published, chosen)
    codes = (*found.codes, *found.missing)
    title = f"{capital(chosen.what(published))} in {published.region}"
    shapes, notes = shapes_of(region, published, chosen, codes)
    names = (*found.names, *(name_of(published, chosen, code) for code in found.missing))
    areas = _classes(found, names)
    only = None
    if chosen.place:
        title = f"{capital(chosen.what(published))} in {region.council(chosen.place)}"
        only = found.inside(chosen.place)
    certain = int(np.count_nonzero(found.classes.certain))
    description = (
        f"{areas_name(chosen, codes, len(found))} in {len(areas.labels)} classes"
        f" from {areas.labels[0].lower()} to {areas.labels[-1].lower()} households; the class of "
        f"{certain:,} of them is certain. The table has the same figures."
    )
    if shapes is not None:
        svg = map_svg(shapes, areas, title=title, description=description, only=only)
        size: tuple[float, float] = (shapes.width, shapes.height)
        size = (720.0, 720.0 * shapes.height / max(1, shapes.width))
    elif chosen.area is None:
        layout = region.settings.viewer.tiles or None
        svg = tile_map_svg(
            codes,
            names,
            areas,
            title=title,
            description=f"{description} Tiles do not lie where the districts do.",
            layout=layout,
        )
        size = tile_map_size(codes, layout)
        notes.append(
            "Each council is a square of the same size; squares do not lie where the councils do. "
            "A map needs a file of boundaries, which an operator sets in coordinator.toml."
        )
    else:
        svg, size = "", (0.0, 0.0)
        notes.append(
            "There is no map of these areas: the region has set no boundaries. An operator sets "
            "them in coordinator.toml."
        )
    if found.missing:
        notes.append(missing_note(published, chosen, found))
    return DrawnMap(svg, legend_html(areas), tuple(notes), size, areas, title)


def shapes_of(
    region: Region, published: Published, chosen: Selection, codes: Sequence[str]
) -> tuple[Shapes | None, list[str]]:
    """The shapes of areas, and sentences on what is missing or was repaired.

    Args:
        region: It has the boundaries.
        published: The round.
        chosen: What of it.
        codes: The areas.
    """
    year = ""
    if chosen.area is not None:
        year = published.stored.code_names.vintages.get(chosen.area.name, "")
    try:
        shapes = region.atlas.shapes(codes, year)
    except Problem as problem:
        return None, [f"The map cannot be drawn: {problem.problem}."]
    if shapes is None:
        return None, []
    named = (*shapes.fit.missing, *shapes.repaired)
    names = {code: name_of(published, chosen, code) for code in named}
    return shapes, notes_of(shapes, names)


def _classes(found: Figures, names: Sequence[str]) -> AreaClasses:
    known = found.classes
    labels = class_labels(known.breaks.tolist())
    without = len(names) - len(found)
    texts = [
        area_text(
            names[at],
            households(found.value[at]),
            (whole(found.lower[at]), whole(found.upper[at])),
            f"{sure_text(float(known.probability[at]), bool(known.certain[at]))} sure that it is "
            "in this class",
        )
        for at in range(len(found))
    ]
    return AreaClasses(
        classes=np.concatenate([known.number, np.full(without, NO_CLASS, dtype=np.int64)]),
        certain=np.concatenate([known.certain, np.zeros(without, dtype=bool)]),
        texts=[*texts, *(no_figure_text(name) for name in names[len(found) :])],
        labels=labels,
        sure=f"{CERTAIN_FROM:.0%}",
    )


def sure_text(probability: float, certain: bool) -> str:
    """How sure an area's class is, never surer than its colour says.

    Args:
        probability: What the model says.
        certain: Whether it is drawn in plain colour, which the area's own noise decides too.
    """
    if not certain and probability >= CERTAIN_FROM - 0.005:
        return f"under {CERTAIN_FROM:.0%}"
    return percent(probability)


def name_of(published: Published, chosen: Selection, code: str) -> str:
    """An area's or a council's name; its code where no name is known."""
    if chosen.area is None:
        return published.names.get(code, code)
    return published.stored.code_names.of(chosen.area.name).get(code, code)


def missing_note(published: Published, chosen: Selection, found: Figures) -> str:
    """Why some areas have no figure."""
    absent = [
        published.names.get(code, code)
        for code in published.round_.councils
        if code not in published.coverage.released
    ]
    if not absent:
        return f"{areas_name(chosen, found.missing, len(found.missing))} have no figure."
    verb = "is" if len(absent) == 1 else "are"
    if chosen.area is None:
        whose = "it has" if len(absent) == 1 else "they have"
    else:
        whose = "its areas have" if len(absent) == 1 else "their areas have"
    return f"{listed(absent)} {verb} not in the figures, so {whose} none."


def _number(value: float) -> str:
    """A break without needless digits."""
    text = f"{abs(value):,.10g}"
    return f"\N{MINUS SIGN}{text}" if value < 0 else text
