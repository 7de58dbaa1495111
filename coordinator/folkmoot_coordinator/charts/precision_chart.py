"""What a round is expected to show: the margin of error of each table, and its reliable cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from folkmoot_coordinator.charts.chart_labels import extra_height, row_axis
from folkmoot_coordinator.charts.chart_theme import LETTERS, heading, label_limit, width_of
from folkmoot_coordinator.charts.markup import wrapped
from folkmoot_coordinator.charts.palette import BLUE, INK, SECONDARY

_STEP = 34
_BAR = 20
_MAX_TABLES = 40
_AVERAGE_LETTER = 0.53


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

        parts = [self._part("margin", "Margin of error, households (plus or minus)", ",.3~r", None)]
        if any(table.reliable is not None for table in self.tables):
            parts.append(self._part("reliable", "Cells that will be reliable", ".0%", [0, 1]))
        join = altair.vconcat if self.narrow else altair.hconcat
        return join(*parts, spacing=24, title=heading(self.title, self.subtitle, self.narrow))

    def _part(self, field: str, title: str, form: str, domain: list[int] | None) -> Any:
        import altair

        first = self.narrow or field == "margin"
        names = {f"r{number}": table.label for number, table in enumerate(self.tables)}
        rows = [
            {"key": f"r{number}", "margin": table.margin, "reliable": table.reliable}
            for number, table in enumerate(self.tables)
        ]
        limit = label_limit(self.narrow)
        plot = width_of(self.narrow) - limit
        base = altair.Chart(
            altair.InlineData(values=[row for row in rows if row[field] is not None])
        )
        y = altair.Y(
            "key:N",
            sort=list(names),
            title=None,
            scale=altair.Scale(domain=list(names)),
            axis=row_axis(names, narrow=self.narrow, domainColor=SECONDARY, minExtent=limit)
            if first
            else altair.Axis(labels=False, ticks=False),
        )
        most = max((row[field] for row in rows if row[field] is not None), default=1)
        scale = altair.Scale(domain=domain or [0, float(most) * 1.25 or 1], nice=False)
        x = altair.X(f"{field}:Q", title=None, scale=scale, axis=None)
        bar = base.mark_bar(color=BLUE, height=_BAR).encode(x=x, y=y)
        number = base.mark_text(align="left", dx=6, fontSize=LETTERS, color=INK).encode(
            x=x, y=y, text=altair.Text(f"{field}:Q", format=form)
        )
        if domain:
            # The number of a full bar stands beside it, outside the scale.
            plot -= 50
        width = plot if self.narrow else plot // 2
        return altair.layer(bar, number).properties(
            width=width,
            height=(_STEP + extra_height(names, narrow=self.narrow)) * len(self.tables),
            title=altair.TitleParams(
                wrapped(title, int(width / (LETTERS * _AVERAGE_LETTER))),
                fontSize=LETTERS, fontWeight="normal", offset=6, frame="group", lineHeight=20,
            ),
        )  # fmt: skip
