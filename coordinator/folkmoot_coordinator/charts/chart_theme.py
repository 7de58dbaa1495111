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
_AVERAGE_LETTER = 0.52


def width_of(narrow: bool) -> int:
    """Width of a chart in pixels."""
    return NARROW if narrow else WIDE


def label_limit(narrow: bool) -> int:
    """Pixels that the names beside a chart may take; longer ones end in an ellipsis."""
    return 120 if narrow else 280


def title_lines(title: str, narrow: bool) -> list[str]:
    """A chart's title in lines."""
    return wrapped(title, int(width_of(narrow) / (_TITLE_LETTERS * _AVERAGE_LETTER)), 6)


def subtitle_lines(text: str, narrow: bool) -> list[str]:
    """The line under a chart's title, in lines."""
    return wrapped(text, int(width_of(narrow) / (LETTERS * _AVERAGE_LETTER)), 8)


def heading(title: str, subtitle: str, narrow: bool) -> Any:
    """Title and subtitle of an Altair chart."""
    import altair

    return altair.TitleParams(
        title_lines(title, narrow), subtitle=subtitle_lines(subtitle, narrow) if subtitle else []
    )


def themed(chart: Any) -> Any:
    """The chart with our look."""
    return chart.configure(
        background=BACKGROUND,
        font=FONT,
        padding=8,
        view={"stroke": None},
        title={
            "anchor": "start", "frame": "group", "fontSize": _TITLE_LETTERS, "color": INK,
            "fontWeight": "bold", "offset": 16, "lineHeight": 26, "subtitleFontSize": LETTERS,
            "subtitleColor": SECONDARY, "subtitleLineHeight": 21, "subtitlePadding": 6,
        },
        axis={
            "labelFontSize": LETTERS, "titleFontSize": LETTERS, "titleFontWeight": "normal",
            "labelColor": INK, "titleColor": INK, "gridColor": GRID, "domainColor": SECONDARY,
            "tickColor": SECONDARY, "labelPadding": 6, "titlePadding": 10, "labelFlush": False,
        },
        legend={
            "labelFontSize": LETTERS, "titleFontSize": LETTERS, "labelColor": INK,
            "titleColor": INK, "orient": "top", "direction": "vertical", "labelLimit": 640,
            "symbolSize": 140, "symbolStrokeWidth": 2, "title": None, "offset": 8, "rowPadding": 4,
        },
    )  # fmt: skip
