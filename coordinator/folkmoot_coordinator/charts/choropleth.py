"""Maps of areas in classes as SVG: the colour is the class, and hatching says it is not certain.

There are presentation attributes alone, no style, script or address of another host: a page whose
Content-Security-Policy forbids inline styles shows them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from folkmoot_coordinator.charts.area_classes import NO_CLASS, AreaClasses
from folkmoot_coordinator.charts.hatching import pattern_id, patterns
from folkmoot_coordinator.charts.markup import as_text, require_id, wrapped
from folkmoot_coordinator.charts.palette import BACKGROUND, CLASSES, FONT, INK, NO_FIGURE, SECONDARY
from folkmoot_coordinator.geography.outlines import Outline
from folkmoot_coordinator.geography.shapes import Shapes

_NOMINAL_WIDTH = 720
"""Pixels at which hatching and letters have the size that is meant."""
_HATCH_PIXELS = 4.2
_LETTERS_PIXELS = 15
_LETTER_WIDTH = 0.58
"""Of the average letter of bold Arial, as a part of its size."""
_LABEL_CHARACTERS = 14
_MARGIN = 0.012
_FEWEST_AREAS_FOR_THIN_BORDERS = 300


def map_svg(
    shapes: Shapes,
    areas: AreaClasses,
    *,
    title: str,
    description: str,
    element_id: str = "map",
    only: Sequence[int] | None = None,
) -> str:
    """A map to stand in a page, as wide as its place; the legend stands beside it.

    A table of the same figures must stand on the page: the picture is one image to a screen reader.

    Args:
        shapes: The areas' shapes.
        areas: The areas' classes, in the same order.
        title: Of the picture.
        description: What the picture shows, in a sentence or two.
        element_id: Different for each picture of a page: ASCII letters, digits, hyphens.
        only: Places of the areas to draw, as large as fits; None for all.
    """
    prefix = require_id(element_id)
    view, inside = _window(shapes, areas, only)
    left, top, width, height = view
    return "".join(
        [
            f'<svg class="folkmoot-map" role="img" '
            f'aria-labelledby="{prefix}-t {prefix}-d" width="100%" '
            f'viewBox="{left} {top} {width} {height}" focusable="false">'
            f'<title id="{prefix}-t">{as_text(title)}</title>'
            f'<desc id="{prefix}-d">{as_text(description)}</desc>',
            *_content(shapes, areas, prefix, view, inside),
            "</svg>",
        ]
    )


def _window(
    shapes: Shapes, areas: AreaClasses, only: Sequence[int] | None
) -> tuple[tuple[int, int, int, int], set[int] | None]:
    """What part of the map is seen, and the areas to draw; None for all."""
    if len(areas.texts) != len(shapes):
        raise ValueError(f"{len(areas.texts)} areas have classes, and {len(shapes)} shapes")
    left, top, right, bottom = 0, 0, shapes.width, shapes.height
    drawn = None if only is None else {place for place in only if shapes.paths[place]}
    if drawn:
        boxes = shapes.boxes[sorted(drawn)]
        left, top = boxes[:, :2].min(axis=0).tolist()
        right, bottom = boxes[:, 2:].max(axis=0).tolist()
    margin = round(max(right - left, bottom - top) * _MARGIN) + 1
    return (
        left - margin,
        top - margin,
        right - left + 2 * margin,
        bottom - top + 2 * margin,
    ), drawn


def _content(
    shapes: Shapes,
    areas: AreaClasses,
    prefix: str,
    view: tuple[int, int, int, int],
    inside: set[int] | None,
) -> Iterator[str]:
    pixel = view[2] / _NOMINAL_WIDTH
    yield f"<defs>{patterns(prefix, areas.colours, _HATCH_PIXELS * pixel)}</defs>"
    number = len(inside) if inside is not None else len(shapes)
    border = _width(pixel, 0.3 if number >= _FEWEST_AREAS_FOR_THIN_BORDERS else 0.8)
    yield f'<g fill-rule="evenodd" stroke="{SECONDARY}" stroke-width="{border}">'
    for fill, places in _fills(areas, prefix):
        drawn = [
            place for place in places if shapes.paths[place] and (inside is None or place in inside)
        ]
        if drawn:
            yield f'<g fill="{fill}">'
            yield from _areas(shapes, areas, drawn)
            yield "</g>"
    yield "</g>"
    if inside is None and shapes.outlines:
        yield from _outlines(shapes, pixel)


def _fills(areas: AreaClasses, prefix: str) -> Iterator[tuple[str, list[int]]]:
    """Fill and areas; uncertain ones come first, under the borders of the others."""
    yield NO_FIGURE, areas.places_of(NO_CLASS, certain=False)
    for number, colour in enumerate(areas.colours):
        yield f"url(#{pattern_id(prefix, colour)})", areas.places_of(number, certain=False)
    for number, colour in enumerate(areas.colours):
        yield CLASSES[colour], areas.places_of(number, certain=True)


def _areas(shapes: Shapes, areas: AreaClasses, places: Sequence[int]) -> Iterator[str]:
    for place in places:
        text = as_text(areas.texts[place])
        yield f'<path d="{shapes.paths[place]}"><title>{text}</title></path>'


def _width(pixel: float, pixels: float) -> str:
    """A width of lines in units of the grid."""
    return f"{pixel * pixels:.3g}"


def _outlines(shapes: Shapes, pixel: float) -> Iterator[str]:
    """Outlines and names of larger areas, which do not stand between pointer and areas."""
    drawn = "".join(outline.path for outline in shapes.outlines)
    yield (
        f'<path fill="none" stroke="{INK}" stroke-width="{_width(pixel, 1.2)}" '
        f'stroke-linejoin="round" pointer-events="none" d="{drawn}"/>'
    )
    size = round(_LETTERS_PIXELS * pixel)
    texts = "".join(_label(outline, size, shapes.width) for outline in shapes.outlines)
    # Twice, for the edge and for the letters: WeasyPrint does not know `paint-order`.
    yield (
        f'<g class="folkmoot-map__labels" font-family="{FONT}" font-size="{size}" '
        'font-weight="bold" text-anchor="middle" pointer-events="none" aria-hidden="true">'
        f'<g fill="{BACKGROUND}" stroke="{BACKGROUND}" stroke-width="{size / 4:.3g}" '
        f'stroke-linejoin="round">{texts}</g><g fill="{INK}">{texts}</g></g>'
    )


def _label(outline: Outline, size: int, width: int) -> str:
    """A name in lines, in the middle of its area but inside the map."""
    lines = wrapped(outline.name, _LABEL_CHARACTERS, most_lines=3)
    half = round(max(map(len, lines)) * size * _LETTER_WIDTH / 2)
    x = min(max(outline.label[0], half), max(width - half, half))
    top = outline.label[1] + size * (0.35 - (len(lines) - 1) / 2)
    return "".join(
        f'<text x="{x}" y="{round(top + number * size)}">{as_text(line)}</text>'
        for number, line in enumerate(lines)
    )
