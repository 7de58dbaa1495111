"""Charts and maps as bytes of SVG and PNG files, drawn by vl-convert in this process."""

from __future__ import annotations

from contextlib import suppress
from enum import StrEnum
from threading import Lock

from folkmoot_coordinator.charts.chart import Chart
from folkmoot_coordinator.charts.chart_theme import CONFIG
from folkmoot_operator.extras import how_to_install
from folkmoot_operator.pictures import drawable_spec
from folkmoot_operator.problems import ExitCode, Problem

_PNG_SCALE = 2
_drawing = Lock()


class PictureKind(StrEnum):
    """Kinds of picture."""

    SVG = "svg"
    PNG = "png"

    @property
    def media_type(self) -> str:
        """For the header Content-Type."""
        return {"svg": "image/svg+xml", "png": "image/png"}[self]


def draw_chart(chart: Chart, kind: PictureKind) -> bytes:
    """Draws a chart.

    Raises:
        Problem: If the libraries that draw are not installed.
    """
    try:
        import vl_convert

        with _drawing:
            # Nothing may be fetched: the data are in the chart.
            svg = vl_convert.vegalite_to_svg(
                drawable_spec(chart.altair().to_dict()), config=CONFIG, allowed_base_urls=[]
            )
    except ImportError:
        raise _not_installed() from None
    return svg.encode() if kind is PictureKind.SVG else draw_png(svg)


def draw_png(svg: str) -> bytes:
    """Turns a picture of ours into a PNG file, twice as many pixels wide and high.

    Raises:
        Problem: If the library that draws is not installed.
    """
    try:
        import vl_convert
    except ImportError:
        raise _not_installed() from None
    with _drawing:
        return bytes(vl_convert.svg_to_png(svg, scale=_PNG_SCALE))


def start_drawing() -> None:
    """Starts what draws, so that the first chart does not wait for it; without it, does nothing."""
    from folkmoot_coordinator.charts.interval_chart import IntervalChart, IntervalRow

    with suppress(Problem):
        draw_chart(IntervalChart("", "", (IntervalRow("", 0, 0, 0),)), PictureKind.SVG)


def _not_installed() -> Problem:
    return Problem(
        "charts cannot be drawn: Altair or vl-convert is not installed",
        where="charts",
        remedy=f"Install them: {how_to_install('folkmoot-coordinator', 'viewer')}",
        exit_code=ExitCode.SETTINGS,
    )
