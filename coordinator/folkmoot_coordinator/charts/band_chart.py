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
        value: Its height.
        low: Lower end of the interval.
        high: Upper end.
    """

    band: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class BandChart:
    """Bars by band, in the order in which bands are given.

    Attributes:
        title: Over the chart.
        axis: What the figures are, with their unit.
        bars: The bars.
        subtitle: Under the title.
        narrow: Whether the chart is for a phone.
    """

    title: str
    axis: str
    bars: tuple[Bar, ...]
    subtitle: str = "Bars are estimates, lines are 95% intervals"
    narrow: bool = False

    def __post_init__(self) -> None:
        if not self.bars:
            raise ValueError("a chart has a bar at least")

    def altair(self) -> Any:
        """The Altair chart."""
        import altair

        bands = list(dict.fromkeys(bar.band for bar in self.bars))
        base = altair.Chart(
            altair.InlineData(
                values=[
                    {"band": bar.band, "value": bar.value, "low": bar.low, "high": bar.high}
                    for bar in self.bars
                ]
            )
        )
        x = altair.X(
            "band:N",
            sort=bands,
            title=None,
            axis=altair.Axis(
                labelAngle=0, ticks=False, labelLimit=width_of(self.narrow) // len(bands)
            ),
            scale=altair.Scale(paddingInner=0.25, paddingOuter=0.1),
        )
        y = altair.Y(
            "value:Q", title=self.axis, axis=altair.Axis(format=",~r", tickCount=5, domain=False)
        )
        bar = base.mark_bar(color=SERIES[0]).encode(x=x, y=y)
        # A white line below the dark one, so that it is seen over dark bars.
        lines = [
            base.mark_rule(color=line, strokeWidth=width).encode(
                x=x, y=altair.Y("low:Q", title=self.axis), y2="high:Q"
            )
            for line, width in ((BACKGROUND, 5), (INK, 2))
        ]
        return altair.layer(bar, *lines).properties(
            width=width_of(self.narrow),
            height=_HEIGHT,
            autosize=altair.AutoSizeParams(type="fit-x", contains="padding"),
            title=heading(self.title, self.subtitle, self.narrow),
        )
