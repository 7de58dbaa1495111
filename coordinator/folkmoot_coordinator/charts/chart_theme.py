"""How all charts look: large letters, few lines, colours that stay apart in print."""

from __future__ import annotations

from typing import Any

from folkmoot_coordinator.charts.markup import wrapped
from folkmoot_coordinator.charts.palette import BACKGROUND, FONT, GRID, INK, SECONDARY

LETTERS = 16
"""Size of letters in pixels; GOV.UK's smallest."""
_TITLE_LETTERS = 20
WIDE, NARROW = 720, 340
"""Width of charts in pixels, for a desktop or paper, and for a phone."""
_AVERAGE_LETTER = 0.53
"""Width of letters, as a part of their size."""
_AVERAGE_BOLD_LETTER = 0.58


CONFIG: dict[str, Any] = {
    "background": BACKGROUND,
    "font": FONT,
    "padding": 8,
    "view": {"stroke": None},
    "title": {
        "anchor": "start", "frame": "bounds", "fontSize": _TITLE_LETTERS, "color": INK,
        "fontWeight": "bold", "offset": 16, "lineHeight": 26, "subtitleFontSize": LETTERS,
        "subtitleColor": SECONDARY, "subtitleLineHeight": 21, "subtitlePadding": 6,
    },
    "axis": {
        "labelFontSize": LETTERS, "titleFontSize": LETTERS, "titleFontWeight": "normal",
        "labelColor": INK, "titleColor": INK, "gridColor": GRID, "domainColor": SECONDARY,
        "tickColor": SECONDARY, "labelPadding": 6, "titlePadding": 10, "labelFlush": False,
    },
    "legend": {
        "labelFontSize": LETTERS, "labelColor": INK, "title": None, "orient": "top",
        "direction": "vertical", "symbolSize": 140, "symbolStrokeWidth": 2, "symbolOpacity": 1,
        "offset": 8, "rowPadding": 4,
    },
}  # fmt: skip
"""Vega-Lite's configuration of all charts."""


def width_of(narrow: bool) -> int:
    """Width of a chart in pixels."""
    return NARROW if narrow else WIDE


def label_limit(narrow: bool) -> int:
    """Pixels that the names beside a chart may take; longer ones end in an ellipsis."""
    return 120 if narrow else 280


def label_characters(narrow: bool) -> int:
    """Characters of a line of such a name."""
    return characters_of(label_limit(narrow))


def legend_limit(narrow: bool) -> int:
    """Pixels that the texts of a legend may take: it begins where the plot does."""
    return width_of(narrow) - label_limit(narrow) - 60


def characters_of(width: float) -> int:
    """Characters of the charts' usual letters that a line of so many pixels takes."""
    return int(width / (LETTERS * _AVERAGE_LETTER))


def heading(title: str, subtitle: str, narrow: bool) -> Any:
    """Title and subtitle of an Altair chart."""
    import altair

    width = width_of(narrow)
    characters = int(width / (_TITLE_LETTERS * _AVERAGE_BOLD_LETTER))
    return altair.TitleParams(
        wrapped(title, characters, 6), subtitle=wrapped(subtitle, characters_of(width), 8)
    )
