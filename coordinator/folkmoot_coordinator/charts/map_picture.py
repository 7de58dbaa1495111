"""A map as a picture of its own: title, map, legend and notes, to be saved, sent and printed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from folkmoot_coordinator.charts.area_classes import AreaClasses
from folkmoot_coordinator.charts.legend import explanation, legend_svg
from folkmoot_coordinator.charts.markup import as_text, wrapped
from folkmoot_coordinator.charts.palette import BACKGROUND, FONT, INK, SECONDARY

WIDTH = 1000
"""Of the picture, in pixels."""
_MARGIN = 32
_LINE = 24
_TITLE_LINE = 34
_TITLE_CHARACTERS = 66
_CHARACTERS = 104
_TALLEST = 900
_MOST_ENLARGED = 1.25


def map_picture(
    drawn: str, size: tuple[float, float], areas: AreaClasses, *, title: str, notes: Sequence[str]
) -> str:
    """Puts a map that was drawn for a page into a picture.

    Args:
        drawn: What `map_svg` or `tile_map_svg` has drawn.
        size: Its width and height in its own units, of which each gets 1.25 pixels at most.
        areas: What it shows.
        title: Over it.
        notes: Sentences under it, such as source, date and what is missing.
    """
    heading = wrapped(title, _TITLE_CHARACTERS)
    y = _MARGIN + _TITLE_LINE * len(heading)
    across, down = size
    inner = min(WIDTH - 2 * _MARGIN, round(_MOST_ENLARGED * across))
    height = min(_TALLEST, round(inner * down / across))
    body = [
        *_texts(heading, _MARGIN, _MARGIN + 24, _TITLE_LINE, ' font-size="28" font-weight="bold"')
    ]
    body.append(f'<svg x="{_MARGIN}" y="{y}" width="{inner}" height="{height}" {_inside(drawn)}')
    y += height + _LINE
    said = wrapped(explanation(areas), _CHARACTERS)
    body += _texts(said, _MARGIN, y + 16, _LINE, "")
    y += _LINE * len(said) + 12
    legend, taken = legend_svg(areas, _MARGIN, y)
    body += legend
    y += taken + 12
    for note in notes:
        lines = wrapped(note, _CHARACTERS)
        body += _texts(lines, _MARGIN, y + 16, _LINE, f' fill="{SECONDARY}"')
        y += _LINE * len(lines) + 4
    y += _MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y}" '
        f'viewBox="0 0 {WIDTH} {y}" font-family="{FONT}" font-size="18" fill="{INK}">'
        f'<path fill="{BACKGROUND}" d="M0 0h{WIDTH}v{y}h-{WIDTH}z"/>{"".join(body)}</svg>'
    )


def _inside(drawn: str) -> str:
    """The map without the start of its element and the width of a page."""
    return drawn.removeprefix("<svg ").replace(' width="100%"', "", 1)


def _texts(lines: Sequence[str], x: int, y: int, step: int, more: str) -> Iterator[str]:
    for number, line in enumerate(lines):
        yield f'<text x="{x}" y="{y + number * step}"{more}>{as_text(line)}</text>'
