"""The legend of a map: which colour is which class, and what hatching says, in words."""

from __future__ import annotations

from collections.abc import Sequence

from folkmoot_coordinator.charts.area_classes import NO_CLASS, AreaClasses
from folkmoot_coordinator.charts.hatching import hatched_swatch
from folkmoot_coordinator.charts.markup import as_text
from folkmoot_coordinator.charts.palette import CLASSES, NO_FIGURE, SECONDARY

_WIDTH, _HEIGHT = 36, 20


def explanation(areas: AreaClasses) -> str:
    """What plain and hatched colours say."""
    return (
        f"Plain colour: at least {areas.sure} sure that the true figure is in this class, by a "
        "model of how areas differ. Pale with lines: less sure, so the true figure may well be in "
        "the class above or below."
    )


def legend_html(areas: AreaClasses, said: str | None = None) -> str:
    """The legend as HTML, to stand beside a map; its text wraps and grows with the page.

    Each line has two swatches, for areas whose class is certain and for those whose class is not.

    Args:
        areas: What is drawn.
        said: What plain and hatched colours say, where they do not say what `explanation` does;
            empty where nothing is hatched, and each line then has one swatch.
    """
    said = explanation(areas) if said is None else said
    lines = [
        _line(_swatches(colour) if said else _plain(CLASSES[colour]), label, bool(said))
        for colour, label in zip(areas.colours, areas.labels, strict=True)
    ]
    if (areas.classes == NO_CLASS).any():
        lines.append(_line(_plain(NO_FIGURE), "No figure", bool(said)))
    text = f'<p class="govuk-body-s">{as_text(said)}</p>' if said else ""
    return (
        f'<div class="folkmoot-legend">{text}'
        f'<ul class="govuk-list folkmoot-legend__classes">{"".join(lines)}</ul></div>'
    )


def legend_svg(areas: AreaClasses, x: int, y: int) -> tuple[Sequence[str], int]:
    """The lines of the legend inside a picture, without the explanation.

    Args:
        areas: What is drawn.
        x: Left end.
        y: Upper end.

    Returns:
        Elements, and the height that they take.
    """
    drawn, line = [], _HEIGHT + 12
    rows = [
        (_swatches(colour), label)
        for colour, label in zip(areas.colours, areas.labels, strict=True)
    ]
    if (areas.classes == NO_CLASS).any():
        rows.append((_plain(NO_FIGURE), "No figure"))
    for number, (swatch, label) in enumerate(rows):
        drawn.append(
            f'<g transform="translate({x} {y + number * line})">{swatch}'
            f'<text x="{2 * _WIDTH + 16}" y="{_HEIGHT - 4}">{as_text(label)}</text></g>'
        )
    return drawn, len(rows) * line


def _swatches(colour: int) -> str:
    return _plain(CLASSES[colour]) + hatched_swatch(_WIDTH + 4, 0, _WIDTH, _HEIGHT, colour)


def _plain(colour: str) -> str:
    return (
        f'<path fill="{colour}" stroke="{SECONDARY}" stroke-width="1" '
        f'd="M.5 .5h{_WIDTH - 1}v{_HEIGHT - 1}h-{_WIDTH - 1}z"/>'
    )


def _line(swatches: str, label: str, are_two: bool) -> str:
    width = 2 * _WIDTH + 4 if are_two else _WIDTH
    return (
        f'<li><svg class="folkmoot-legend__swatch" width="{width}" height="{_HEIGHT}" '
        f'viewBox="0 0 {width} {_HEIGHT}" aria-hidden="true" focusable="false">{swatches}</svg> '
        f"{as_text(label)}</li>"
    )
