"""Figures as they are written in the report."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable

from folkmoot_node.evaluation.measures.judgement import Bounds, Compared, Share
from folkmoot_node.intervals import Interval

NO_FIGURE = "-"
"""Where there is no figure, or none is shown."""
LEVEL = "95 %"
"""Head of every column of intervals."""


def percent(value: float | None) -> str:
    """A share from 0 to 1."""
    return NO_FIGURE if value is None else f"{value:.1%}"


def points(value: float | None) -> str:
    """A difference of two shares, in percentage points with its sign."""
    # Adding 0.0 makes 0 of -0, which rounding leaves.
    return NO_FIGURE if value is None else f"{round(100 * value, 1) + 0.0:+.1f}"


def count(value: float | None) -> str:
    """Households or events; with a decimal only if they are expected and not whole."""
    if value is None:
        return NO_FIGURE
    whole = abs(value - round(value)) < 0.05
    return f"{value:,.0f}" if whole else f"{value:,.1f}"


def number(value: float | None, form: str = "z.2f") -> str:
    """Any other figure, such as an AUC; `z` in a form makes 0 of -0, which rounding leaves."""
    return NO_FIGURE if value is None else format(value, form)


def percent_interval(interval: Interval | None) -> str:
    """An interval of a share."""
    return _interval(interval, percent)


def points_interval(interval: Interval | None) -> str:
    """An interval of a difference of shares."""
    return _interval(interval, points)


def number_interval(interval: Interval | None, form: str = "z.2f") -> str:
    """An interval of any other figure."""
    return _interval(interval, lambda value: number(value, form))


def share_cells(share: Share | None) -> tuple[str, str]:
    """A share and its interval, as two cells."""
    if share is None:
        return NO_FIGURE, NO_FIGURE
    return percent(share.share), percent_interval(share.interval)


def compared_cells(compared: Compared) -> tuple[str, str, str]:
    """A share, its difference from all others and the interval of that, as three cells."""
    return (
        percent(compared.share.share),
        points(compared.difference),
        points_interval(compared.difference_interval),
    )


def on(date: datetime.date) -> str:
    """A date for people: 1 October 2025."""
    return f"{date.day} {date:%B %Y}"


def bounds(value: Bounds | None) -> str:
    """The least and the most that a share can be."""
    return NO_FIGURE if value is None else f"{percent(value.low)} to {percent(value.high)}"


def listed(words: Iterable[str]) -> str:
    """Several names in a sentence."""
    *first, last = list(words)
    return f"{', '.join(first)} and {last}" if first else last


def together(names: Iterable[str]) -> str:
    """What is shown in one row, since by itself some of it is too small."""
    return " + ".join(names)


def _interval(interval: Interval | None, form: Callable[[float], str]) -> str:
    if interval is None:
        return NO_FIGURE
    return f"{form(interval.low)} to {form(interval.high)}"
