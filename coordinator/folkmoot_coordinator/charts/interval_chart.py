"""Figures with their intervals, one below the other: areas by rank, changes, ranks, shares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from folkmoot_coordinator.charts.chart_labels import extra_height, row_axis
from folkmoot_coordinator.charts.chart_theme import heading, legend_limit, width_of
from folkmoot_coordinator.charts.palette import BACKGROUND, BLUE, INK, ORANGE, SECONDARY, SERIES

MAX_ROWS = 60
"""More do not fit on a page: a caller shows the first and last, or a page of them."""
_STEP = 30
_EACH_RANK = 6
"""Ranks up to which the axis names each."""
_STEP_OF_SERIES = 18
_OPEN, _FILLED = "open", "filled"


@dataclass(frozen=True, slots=True)
class IntervalRow:
    """One figure.

    Attributes:
        label: What it is of, for example an area.
        value: The figure.
        low: Lower end of its interval.
        high: Upper end.
        kind: Which of the chart's kinds it is; empty if the chart has none.
        outer: Ends of a wider interval, drawn as a thin line; None for none.
    """

    label: str
    value: float
    low: float
    high: float
    kind: str = ""
    outer: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of row, as the legend has it.

    Attributes:
        label: In words, such as `no clear change`.
        colour: Of the row.
        filled: Whether its dot is filled. Kinds differ by that too, for people who are
            colour-blind and for print.
    """

    label: str
    colour: str
    filled: bool = True


@dataclass(frozen=True, slots=True)
class IntervalChart:
    """Rows of figures, in the order in which they are given.

    Attributes:
        title: Over the chart.
        axis: What the figures are, with their unit.
        rows: At most `MAX_ROWS`. Rows of one label and several kinds stand beside each other if
            `beside` is set.
        subtitle: Under the title, for example what the lines mean.
        kinds: Kinds of rows, in the order of the legend.
        beside: Whether each label has one row of each kind.
        zero: Whether a line stands at nil.
        whole: Whether figures are whole numbers from 1, such as ranks.
        share: Whether figures are shares, written in per cent.
        narrow: Whether the chart is for a phone.
    """

    title: str
    axis: str
    rows: tuple[IntervalRow, ...]
    subtitle: str = ""
    kinds: tuple[Kind, ...] = ()
    beside: bool = False
    zero: bool = False
    whole: bool = False
    share: bool = False
    narrow: bool = False

    def __post_init__(self) -> None:
        if not 1 <= len(self.rows) <= MAX_ROWS * max(1, len(self.kinds) if self.beside else 1):
            raise ValueError(f"a chart has 1 to {MAX_ROWS} rows")
        known = {kind.label for kind in self.kinds} or {""}
        if any(row.kind not in known for row in self.rows):
            raise ValueError("the chart does not have the kind of a row")

    def altair(self) -> Any:
        """The Altair chart."""
        import altair

        kinds = self.kinds or (Kind("", BLUE),)
        data = altair.InlineData(values=self._values())
        order = list(dict.fromkeys(self._key(row, n) for n, row in enumerate(self.rows)))
        names = {self._key(row, n): row.label for n, row in enumerate(self.rows)}
        y = altair.Y(
            "key:N",
            sort=order,
            title=None,
            # Labels may repeat, so rows have keys.
            axis=row_axis(names, narrow=self.narrow, domain=False, grid=not self.beside),
        )
        colours = altair.Scale(
            domain=[kind.label for kind in kinds], range=[kind.colour for kind in kinds]
        )
        legend = altair.Legend(labelLimit=legend_limit(self.narrow)) if self.kinds else None
        colour = altair.Stroke("kind:N", scale=colours, legend=legend)
        x = altair.X("low:Q", title=self.axis, scale=self._scale(), axis=self._axis())
        base = altair.Chart(data)
        offset = (
            {"yOffset": altair.YOffset("kind:N", sort=[k.label for k in kinds])}
            if self.beside
            else {}
        )
        rule = base.mark_rule(strokeWidth=3, opacity=0.75).encode(
            x=x, x2="high:Q", y=y, stroke=colour, **offset
        )
        # `fill` says what the legend shows, too: an open dot is the background's colour.
        dot = base.mark_point(size=110, opacity=1, strokeWidth=2.5, shape="circle").encode(
            x="value:Q",
            y=y,
            stroke=colour,
            fill=altair.Fill(
                "kind:N",
                scale=altair.Scale(
                    domain=[kind.label for kind in kinds],
                    range=[kind.colour if kind.filled else BACKGROUND for kind in kinds],
                ),
                legend=legend,
            ),
            **offset,
        )
        layers = [rule, dot]
        if any(row.outer for row in self.rows):
            thin = base.mark_rule(strokeWidth=1, opacity=1).encode(
                x=altair.X("from:Q", title=self.axis), x2="to:Q", y=y, stroke=colour, **offset
            )
            layers.insert(0, thin)
        if self.zero:
            nil = altair.Chart(altair.InlineData(values=[{"nil": 0}]))
            layers.insert(0, nil.mark_rule(color=INK, strokeWidth=1.5).encode(x="nil:Q"))
        step = _STEP_OF_SERIES * len(kinds) + 8 if self.beside else _STEP
        # "fit" counts what stands beside the rows in; the title and legend stay above.
        return altair.layer(*layers).properties(
            width=width_of(self.narrow),
            height=(step + extra_height(names, narrow=self.narrow)) * len(order),
            autosize=altair.AutoSizeParams(type="fit-x", contains="padding"),
            title=heading(self.title, self.subtitle, self.narrow),
        )

    def _key(self, row: IntervalRow, number: int) -> str:
        if not self.beside:
            return f"r{number}"
        labels = list(dict.fromkeys(one.label for one in self.rows))
        return f"r{labels.index(row.label)}"

    def _values(self) -> list[dict[str, Any]]:
        return [
            {
                "key": self._key(row, number),
                "value": row.value,
                "low": row.low,
                "high": row.high,
                "kind": row.kind,
                **({"from": row.outer[0], "to": row.outer[1]} if row.outer else {}),
            }
            for number, row in enumerate(self.rows)
        ]

    def _scale(self) -> Any:
        import altair

        if self.whole:
            most = max(row.high for row in self.rows)
            return altair.Scale(domain=[0.5, most + 0.5], nice=False)
        return altair.Scale(zero=self.zero, nice=True)

    def _axis(self) -> Any:
        import altair

        form = ",d" if self.whole else "~%" if self.share else ",~r"
        most = max(row.high for row in self.rows)
        if self.whole and most <= _EACH_RANK:
            # The least step is not kept between so few: halves would be written as ranks.
            return altair.Axis(format=form, values=list(range(1, int(most) + 1)))
        return altair.Axis(
            format=form,
            tickCount=3 if self.narrow else 5,
            tickMinStep=1 if self.whole else altair.Undefined,
        )


SURE = Kind("Class is certain", BLUE)
UNSURE = Kind("Class is not certain", BLUE, filled=False)


def ranked_areas(
    title: str,
    axis: str,
    rows: Sequence[tuple[str, float, float, float, bool]],
    *,
    subtitle: str = "Dots are estimates, lines are 95% intervals",
    narrow: bool = False,
) -> IntervalChart:
    """Areas with their 95% intervals.

    Args:
        title: Over the chart.
        axis: What the figures are, with their unit.
        rows: Name, estimate, ends of the interval, and whether the area's class is certain.
        subtitle: Under the title.
        narrow: Whether the chart is for a phone.
    """
    return IntervalChart(
        title,
        axis,
        tuple(
            IntervalRow(name, value, low, high, (SURE if certain else UNSURE).label)
            for name, value, low, high, certain in rows
        ),
        subtitle=subtitle,
        kinds=(SURE, UNSURE),
        narrow=narrow,
    )


LOWER = Kind("Lower than before", SERIES[1])
HIGHER = Kind("Higher than before", ORANGE)
NO_CLEAR_CHANGE = Kind("No clear change", SECONDARY, filled=False)


def rank_intervals(
    title: str,
    rows: Sequence[tuple[str, int, int, int]],
    *,
    axis: str = "Rank; 1 is the highest",
    subtitle: str = "Dots are ranks, lines are where the true rank may be",
    narrow: bool = False,
) -> IntervalChart:
    """Ranks with intervals.

    Args:
        title: Over the chart.
        rows: Name, rank, best and worst rank.
        axis: What the numbers are.
        subtitle: Under the title.
        narrow: Whether the chart is for a phone.
    """
    return IntervalChart(
        title,
        axis,
        tuple(IntervalRow(name, rank, best, worst) for name, rank, best, worst in rows),
        subtitle=subtitle,
        whole=True,
        narrow=narrow,
    )


def shares(
    title: str,
    axis: str,
    rows: Sequence[tuple[str, str, float, float, float]],
    *,
    subtitle: str = "Dots are shares, lines are 95% intervals",
    narrow: bool = False,
) -> IntervalChart:
    """Shares of an allocation, its alternatives beside each other.

    Args:
        title: Over the chart.
        axis: What is shared out, with its unit.
        rows: Name, alternative, share, and ends of its interval.
        subtitle: Under the title.
        narrow: Whether the chart is for a phone.
    """
    alternatives = list(dict.fromkeys(row[1] for row in rows))
    kinds = tuple(
        Kind(label, SERIES[number % len(SERIES)], filled=number % 2 == 0)
        for number, label in enumerate(alternatives)
    )
    single = IntervalChart(
        title,
        axis,
        tuple(IntervalRow(name, value, low, high, kind) for name, kind, value, low, high in rows),
        subtitle=subtitle,
        kinds=kinds,
        beside=len(kinds) > 1,
        zero=True,
        narrow=narrow,
    )
    if len(kinds) > 1:
        return single
    return replace(single, kinds=(), rows=tuple(replace(row, kind="") for row in single.rows))
