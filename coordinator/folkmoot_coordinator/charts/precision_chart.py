"""What a round is expected to show: the margin of error of each table, and its reliable cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from folkmoot_coordinator.charts.chart_labels import extra_height, row_axis
from folkmoot_coordinator.charts.chart_theme import (
    LETTERS,
    characters_of,
    heading,
    label_limit,
    width_of,
)
from folkmoot_coordinator.charts.markup import wrapped
from folkmoot_coordinator.charts.palette import BLUE, INK, SECONDARY

_STEP = 34
_BAR = 20
_MAX_TABLES = 40
_NUMBER_WIDTH = 50


@dataclass(frozen=True, slots=True)
class ExpectedTable:
    """One table of a round.

    Attributes:
        label: In words, such as `band by ward`.
        margin: Expected half-width of the 95% interval of a cell, in households.
        reliable: Expected share of its cells that are reliable, 0 to 1; None if it is not known.
    """

    label: str
    margin: float
    reliable: float | None


@dataclass(frozen=True, slots=True)
class PrecisionChart:
    """Expected precision, before anything is asked.

    Attributes:
        title: Over the chart.
        tables: At most 40.
        subtitle: Under the title, for example what is assumed.
        narrow: Whether the chart is for a phone: then the parts stand below each other.
    """

    title: str
    tables: tuple[ExpectedTable, ...]
    subtitle: str = ""
    narrow: bool = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.tables) <= _MAX_TABLES:
            raise ValueError(f"a chart has 1 to {_MAX_TABLES} tables")

    def altair(self) -> Any:
        """The Altair chart."""
        import altair

        margins = [table.margin for table in self.tables]
        parts = [
            self._part(
                "Margin of error, households (plus or minus)",
                margins,
                ",.3~r",
                most=1.25 * max(margins) or 1.0,
                named=True,
            )
        ]
        reliable = [table.reliable for table in self.tables]
        if any(share is not None for share in reliable):
            parts.append(
                self._part(
                    "Cells that will be reliable", reliable, ".0%", most=1.0, named=self.narrow
                )
            )
        join = altair.vconcat if self.narrow else altair.hconcat
        return join(*parts, spacing=24, title=heading(self.title, self.subtitle, self.narrow))

    def _part(
        self, title: str, values: Sequence[float | None], form: str, *, most: float, named: bool
    ) -> Any:
        """Bars with their numbers behind them, one for each table."""
        import altair

        names = {f"r{number}": table.label for number, table in enumerate(self.tables)}
        limit = label_limit(self.narrow)
        room = width_of(self.narrow) - limit - _NUMBER_WIDTH
        width = room if self.narrow else room // 2
        base = altair.Chart(
            altair.InlineData(
                values=[
                    {"key": key, "value": value}
                    for key, value in zip(names, values, strict=True)
                    if value is not None
                ]
            )
        )
        axis = (
            row_axis(names, narrow=self.narrow, domainColor=SECONDARY, minExtent=limit)
            if named
            else altair.Axis(labels=False, ticks=False)
        )
        y = altair.Y(
            "key:N",
            sort=list(names),
            title=None,
            scale=altair.Scale(domain=list(names)),
            axis=axis,
        )
        scale = altair.Scale(domain=[0, most], nice=False)
        x = altair.X("value:Q", title=None, scale=scale, axis=None)
        bar = base.mark_bar(color=BLUE, height=_BAR).encode(x=x, y=y)
        number = base.mark_text(align="left", dx=6, fontSize=LETTERS, color=INK).encode(
            x=x, y=y, text=altair.Text("value:Q", format=form)
        )
        return altair.layer(bar, number).properties(
            width=width,
            height=(_STEP + extra_height(names, narrow=self.narrow)) * len(self.tables),
            title=altair.TitleParams(
                wrapped(title, characters_of(width)),
                fontSize=LETTERS,
                fontWeight="normal",
                offset=6,
                frame="group",
                lineHeight=20,
            ),
        )
