"""Plots of a report as SVG, drawn on this machine; narrow, so that a telephone shows them whole."""

from __future__ import annotations

import json
from typing import Any

from folkmoot_node.evaluation.reporting.document import Plot
from folkmoot_operator.pictures import draw_svg, drawable

_WIDTH, _ROW, _LABEL = 132, 22, 125
"""Pixels: of the axis, of each line, and of the labels at most. Together with margins 290."""
_SIZE = 12
_INK, _GRID, _BESIDE = "#0b0b0b", "#e4e4e4", "#b34700"
_FONT = "Arial, Helvetica, sans-serif"
_TICKS = 4


def svg(plot: Plot) -> str:
    """Draws a plot.

    Returns:
        The text of an SVG file, at most 290 pixels wide.

    Raises:
        Problem: If the libraries that draw are not installed.
    """
    return draw_svg(lambda: _chart(plot), ("folkmoot-node", "audit"), where="--html")


def _chart(plot: Plot) -> Any:
    """An Altair chart; its methods are typed as giving anything."""
    import altair

    # Two lines may have the same label, so that the place of a line is its number.
    rows = [
        {
            "at": at,
            "value": mark.value,
            "low": mark.value if mark.low is None else mark.low,
            "high": mark.value if mark.high is None else mark.high,
        }
        for at, mark in enumerate(plot.marks)
    ]
    labels = [drawable(mark.label) for mark in plot.marks]
    base = altair.Chart(altair.InlineData(values=rows)).encode(
        y=altair.Y(
            "at:O",
            title=None,
            sort=None,
            axis=altair.Axis(
                labelExpr=f"{_as_expression(labels)}[datum.value]", labelLimit=_LABEL, ticks=False
            ),
        )
    )
    scale = altair.Scale(zero=False, nice=True)
    axis = altair.Axis(
        format=plot.form, gridColor=_GRID, tickCount=_TICKS, labelOverlap=True, labelSeparation=8
    )
    line = base.mark_rule(color=_INK, strokeWidth=2).encode(
        x=altair.X("low:Q", title=plot.axis, axis=axis, scale=scale), x2="high:Q"
    )
    point = base.mark_point(filled=True, size=60, color=_INK, opacity=1).encode(x="value:Q")
    layers = [line, point]
    if plot.beside is not None:
        data = altair.InlineData(values=[{"beside": plot.beside}])
        mark = altair.Chart(data).mark_rule(color=_BESIDE, strokeWidth=2, strokeDash=[4, 3])
        layers.insert(0, mark.encode(x=altair.X("beside:Q", title=plot.axis)))
    chart = altair.layer(*layers).properties(width=_WIDTH, height=_ROW * len(rows))
    return (
        chart.configure(font=_FONT, padding=3)
        .configure_view(stroke=None)
        .configure_axis(labelFontSize=_SIZE, titleFontSize=_SIZE, titleFontWeight="normal")
    )


def _as_expression(labels: list[str]) -> str:
    """Labels as a literal of Vega's expressions, which are those of JavaScript."""
    return json.dumps(labels, ensure_ascii=True)
