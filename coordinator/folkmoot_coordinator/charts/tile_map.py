"""Districts as tiles of one size, for a region that has set no boundaries."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence

from folkmoot_coordinator.charts.area_classes import NO_CLASS, AreaClasses
from folkmoot_coordinator.charts.hatching import pattern_id, patterns
from folkmoot_coordinator.charts.markup import as_text, require_id
from folkmoot_coordinator.charts.palette import BACKGROUND, CLASSES, FONT, INK, NO_FIGURE, SECONDARY

TILE = 120
"""Side of a tile, in units of the picture."""
_GAP = 6
_PLATE = 14
_SIZES = (20, 18, 16, 14)
_LETTER_WIDTH = 0.56
_MOST_LINES = 3
_PERIOD = 8
_WORDS = re.compile(r"[^\s-]+-?|-")

Places = Mapping[str, tuple[int, int]]
"""By code the column and row of a tile, from 0."""


def arrange(codes: Sequence[str], layout: Places | None = None) -> dict[str, tuple[int, int]]:
    """Columns and rows of tiles.

    Args:
        codes: The districts.
        layout: Where the region wants them, from 0; districts without a place, and those whose
            place is taken, come in rows below, in the order of their codes. None: all in
            a rectangle that is a little wider than high.
    """
    found: dict[str, tuple[int, int]] = {}
    taken: set[tuple[int, int]] = set()
    for code in sorted(set(codes)):
        place = (layout or {}).get(code)
        if place is not None and place not in taken and min(place) >= 0:
            found[code] = place
            taken.add(place)
    rest = [code for code in sorted(set(codes)) if code not in found]
    columns = max((column + 1 for column, _ in taken), default=0)
    columns = columns or math.ceil(math.sqrt(len(rest) * 1.2))
    first = max((row + 1 for _, row in taken), default=0)
    for number, code in enumerate(rest):
        found[code] = (number % columns, first + number // columns)
    return found


def tile_map_size(codes: Sequence[str], layout: Places | None = None) -> tuple[int, int]:
    """Width and height of a tile map, in its units."""
    places = arrange(codes, layout).values()
    columns = max((column for column, _ in places), default=0) + 1
    rows = max((row for _, row in places), default=0) + 1
    return columns * (TILE + _GAP) - _GAP, rows * (TILE + _GAP) - _GAP


def tile_map_svg(
    codes: Sequence[str],
    names: Sequence[str],
    areas: AreaClasses,
    *,
    title: str,
    description: str,
    element_id: str = "map",
    layout: Places | None = None,
) -> str:
    """A tile map to stand in a page; see `choropleth.map_svg` for what they share.

    Args:
        codes: One for each district.
        names: One for each district.
        areas: Their classes.
        title: Of the picture.
        description: What it shows; says that tiles do not lie where the districts do.
        element_id: Different for each picture of a page.
        layout: See `arrange`.
    """
    if not len(codes) == len(names) == len(areas.texts):
        raise ValueError("codes, names and classes have one entry for each district")
    prefix = require_id(element_id)
    width, height = tile_map_size(codes, layout)
    places = arrange(codes, layout)
    tiles = []
    for number, code in enumerate(codes):
        tile = _tile(places[code], names[number], _fill(areas, number, prefix))
        text = as_text(areas.texts[number])
        tiles.append(f"<g><title>{text}</title>{tile}</g>")
    return (
        f'<svg class="folkmoot-map folkmoot-map--tiles" role="img" '
        f'aria-labelledby="{prefix}-t {prefix}-d" width="100%" '
        f'viewBox="-2 -2 {width + 4} {height + 4}" focusable="false">'
        f'<title id="{prefix}-t">{as_text(title)}</title>'
        f'<desc id="{prefix}-d">{as_text(description)}</desc>'
        f"<defs>{patterns(prefix, areas.colours, _PERIOD)}</defs>"
        f'<g font-family="{FONT}" text-anchor="middle">{"".join(tiles)}</g></svg>'
    )


def _fill(areas: AreaClasses, number: int, prefix: str) -> str:
    found = int(areas.classes[number])
    if found == NO_CLASS:
        return NO_FIGURE
    colour = areas.colours[found]
    return CLASSES[colour] if areas.certain[number] else f"url(#{pattern_id(prefix, colour)})"


def _tile(place: tuple[int, int], name: str, fill: str) -> str:
    """A tile with its name on a white plate, on which it can be read over any colour."""
    x, y = (number * (TILE + _GAP) for number in place)
    inner = TILE - 2 * _PLATE
    size, lines = _fitted(name, inner - 6)
    middle = y + TILE / 2 + size * 0.35 - (len(lines) - 1) * size * 0.58
    texts = "".join(
        f'<text x="{x + TILE // 2}" y="{middle + number * size * 1.16:.0f}" font-size="{size}" '
        f'fill="{INK}">{as_text(line)}</text>'
        for number, line in enumerate(lines)
    )
    return (
        f'<path fill="{fill}" stroke="{SECONDARY}" stroke-width="1.5" '
        f'd="M{x} {y}h{TILE}v{TILE}h-{TILE}z"/>'
        f'<path fill="{BACKGROUND}" d="M{x + _PLATE} {y + _PLATE}h{inner}v{inner}h-{inner}z"/>'
        f"{texts}"
    )


def _fitted(name: str, width: int) -> tuple[int, list[str]]:
    """The largest size at which a name fits, in lines; else the smallest, shortened."""
    for size in _SIZES:
        characters = int(width / (size * _LETTER_WIDTH))
        lines = list(_lines(name, characters))
        if len(lines) <= _MOST_LINES and all(len(line) <= characters for line in lines):
            return size, lines
    short = [
        line if len(line) <= characters else f"{line[: characters - 1]}\u2026" for line in lines
    ]
    if len(short) > _MOST_LINES:
        short = short[:_MOST_LINES]
        short[-1] = f"{short[-1][: characters - 1]}\u2026"
    return size, short


def _lines(name: str, characters: int) -> Iterator[str]:
    """Breaks at blanks and after hyphens."""
    line = ""
    for word in _WORDS.findall(name):
        joined = line + word if line.endswith("-") else f"{line} {word}".strip()
        if line and len(joined) > characters:
            yield line
            joined = word
        line = joined
    if line:
        yield line
