"""A picture of what more or less privacy loss would buy."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from folkmoot_coordinator.planning.coefficient_of_variation import usable_share
from folkmoot_coordinator.planning.forecast import Forecast, MarginalForecast
from folkmoot_operator.pictures import save_chart

MAX_LINES = 7
"""More marginals are drawn as one line for each number of attributes."""
_SPAN = 16
_STEPS = 64
_WIDTH, _HEIGHT = 420, 300
_TITLE_CHARACTERS = 70
_LEGEND_WIDTH = 260
_DASHES = [[1, 0], [6, 3], [2, 2], [8, 2, 2, 2], [12, 4], [4, 1], [10, 2, 2, 2, 2, 2]]
_INK, _GRID = "#444", "#e4e4e4"


def write_chart(forecast: Forecast, path: Path) -> None:
    """Draws error, and share of usable cells where sizes are assumed, against the loss.

    Raises:
        Problem: If the libraries that draw are not installed, or the file cannot be written.
    """
    save_chart(lambda: _chart(forecast), path, ("folkmoot-coordinator", "plot"))


def _chart(forecast: Forecast) -> Any:
    """An Altair chart; its methods are typed as giving anything."""
    import altair

    points = _points(forecast)
    order = list(dict.fromkeys(point["line"] for point in points))
    # Lines differ by dashes as well as by colour, for people who are colour-blind.
    lines = altair.Chart(altair.InlineData(values=points)).mark_line(strokeWidth=2)
    lines = lines.properties(width=_WIDTH, height=_HEIGHT).encode(
        x=_logarithmic(altair.X("rho:Q"), "privacy loss of a household, rho"),
        color=altair.Color("line:N", title=None, scale=altair.Scale(domain=order, scheme="dark2")),
        strokeDash=altair.StrokeDash(
            "line:N", title=None, scale=altair.Scale(domain=order, range=_DASHES)
        ),
    )
    here = {"rho": forecast.round.loss.value, "label": "asked for"}
    asked = altair.Chart(altair.InlineData(values=[here])).encode(x=altair.X("rho:Q"))
    marks = (
        asked.mark_rule(color=_INK, strokeDash=[2, 3]),
        asked.mark_text(align="left", dx=4, y=-6, color=_INK).encode(text="label:N"),
    )
    error = _logarithmic(altair.Y("error:Q"), "standard error of a council's figure, households")
    panels = [altair.layer(lines.encode(y=error), *marks)]
    if forecast.sizes is not None:
        usable = altair.Y(
            "usable:Q",
            title="usable cells: coefficient of variation at most 20 %",
            scale=altair.Scale(domain=[0, 1]),
            axis=altair.Axis(format="%", gridColor=_GRID),
        )
        panels.append(altair.layer(lines.encode(y=usable), *marks))
    title = forecast.round.title or forecast.round.purpose
    if len(title) > _TITLE_CHARACTERS:
        title = title[: _TITLE_CHARACTERS - 3] + "..."
    found = altair.hconcat(
        *panels,
        title=altair.TitleParams(
            f"What the loss buys: {title}",
            subtitle=[f"Assume that {forecast.sizes.assumption}"] if forecast.sizes else [],
            anchor="start",
            offset=24,
        ),
    )
    found = found.configure_view(stroke=None)
    return found.configure_legend(labelLimit=_LEGEND_WIDTH, symbolSize=900, symbolStrokeWidth=2)


def _logarithmic(channel: Any, title: str) -> Any:
    """A channel of an Altair chart, with a logarithmic scale."""
    import altair

    return (
        channel.title(title)
        .scale(altair.Scale(type="log", nice=False))
        .axis(altair.Axis(format="~g", tickCount=5, gridColor=_GRID))
    )


def _points(forecast: Forecast) -> list[dict[str, Any]]:
    """Each line at losses from a sixteenth to sixteen times what is asked for."""
    factors = [_SPAN ** (2 * step / _STEPS - 1) for step in range(_STEPS + 1)]
    return [
        {
            "line": name,
            "rho": forecast.round.loss.value * factor,
            "error": error / math.sqrt(factor),
            "usable": usable_share(variations, factor) if variations else None,
        }
        for name, error, variations in _lines(forecast)
        for factor in factors
    ]


def _lines(forecast: Forecast) -> list[tuple[str, float, Any]]:
    if len(forecast.marginals) <= MAX_LINES:
        groups = {one.marginal.name.replace("*", " * "): [one] for one in forecast.marginals}
    else:
        groups = {}
        for one in sorted(forecast.marginals, key=lambda one: len(one.marginal.attributes)):
            groups.setdefault(_ways(one), []).append(one)
    return [
        (
            name,
            sorted(one.typical.standard_error for one in found)[(len(found) - 1) // 2],
            [
                variation
                for one in found
                if forecast.sizes is not None
                for variation in forecast.variations_of(one.marginal)
            ],
        )
        for name, found in groups.items()
    ]


def _ways(one: MarginalForecast) -> str:
    ways = len(one.marginal.attributes)
    return {0: "total", 1: "1 attribute"}.get(ways, f"{ways} attributes")
