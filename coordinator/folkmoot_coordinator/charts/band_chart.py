"""How households are distributed over bands: bars with their intervals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from folkmoot_coordinator.charts.chart_theme import heading, width_of
from folkmoot_coordinator.charts.palette import BACKGROUND, INK, SERIES

_HEIGHT = 320


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar.

    Attributes:
        band: The band.
        group: What the bar belongs to, for example a council or a date; empty if there is one.
        value: Its height.
        low: Lower end of the interval.
        high: Upper end.
    """

    band: str
    group: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class BandChart:
    """Bars by band, in the order in which bands are given; groups stand beside each other.

    Attributes:
        title: Over the chart.
        axis: What the figures are, with their unit.
        bars: The bars.
        subtitle: Under the title.
        percent: Whether figures are shares, 1 for all.
        narrow: Whether the chart is for a phone.
    """

    title: str
    axis: str
    bars: tuple[Bar, ...]
    subtitle: str = "Bars are estimates, lines are 95% intervals"
    percent: bool = False
    narrow: bool = False

    def __post_init__(self) -> None:
        if not self.bars:
            raise ValueError("a chart has a bar at least")
        if len({bar.group for bar in self.bars}) > len(SERIES):
            raise ValueError(f"a chart has {len(SERIES)} groups at most")

    def altair(self) -> Any:
        """The Altair chart."""
        import altair

        groups = list(dict.fromkeys(bar.group for bar in self.bars))
        bands = list(dict.fromkeys(bar.band for bar in self.bars))
        base = altair.Chart(
            altair.InlineData(
                values=[
                    {"band": bar.band, "group": bar.group, "value": bar.value, "low": bar.low,
                     "high": bar.high}
                    for bar in self.bars
                ]
            )
        )  # fmt: skip
        x = altair.X(
            "band:N",
            sort=bands,
            title=None,
            axis=altair.Axis(
                labelAngle=0, ticks=False, labelLimit=width_of(self.narrow) // len(bands)
            ),
            scale=altair.Scale(paddingInner=0.25, paddingOuter=0.1),
        )
        offset = {"xOffset": altair.XOffset("group:N", sort=groups)} if len(groups) > 1 else {}
        form = ".0%" if self.percent else ",~r"
        y = altair.Y(
            "value:Q", title=self.axis, axis=altair.Axis(format=form, tickCount=5, domain=False)
        )
        colour = altair.Color(
            "group:N",
            scale=altair.Scale(domain=groups, range=list(SERIES[: len(groups)])),
            legend=altair.Legend(symbolType="square") if len(groups) > 1 else None,
        )
        bar = base.mark_bar().encode(x=x, y=y, color=colour, **offset)
        # A white line below the dark one, so that it is seen over dark bars.
        lines = [
            base.mark_rule(color=line, strokeWidth=width).encode(
                x=x, y=altair.Y("low:Q", title=self.axis), y2="high:Q", **offset
            )
            for line, width in ((BACKGROUND, 5), (INK, 2))
        ]
        return altair.layer(bar, *lines).properties(
            width=width_of(self.narrow),
            height=_HEIGHT,
            autosize=altair.AutoSizeParams(type="fit-x", contains="padding"),
            title=heading(self.title, self.subtitle, self.narrow),
        )
