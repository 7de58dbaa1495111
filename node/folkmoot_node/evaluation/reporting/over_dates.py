"""What the report says of one outcome over all dates: whether the answer is stable."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from folkmoot_node.evaluation.measures.evaluation import Evaluation, OverDates
from folkmoot_node.evaluation.reporting.document import (
    Block,
    Mark,
    Plot,
    Points,
    Section,
    Sheet,
)
from folkmoot_node.evaluation.reporting.one_date import shown_date
from folkmoot_node.evaluation.reporting.wording import (
    LEVEL,
    listed,
    number,
    number_interval,
    on,
    percent,
    percent_interval,
)
from folkmoot_node.intervals import Interval

_NUMBERS = ("AUC", "average precision")
"""Figures that are no shares of households."""


def dates_sections(found: Evaluation, outcome: int) -> Iterator[Section]:
    """The section about how good the figures are, and how stable; none if there are none.

    Args:
        found: All figures.
        outcome: Number of the outcome, from 0.
    """
    over = found.outcomes[outcome]
    if len(found.dates) == 1:
        if over.figures:
            yield Section("In figures", (_figures(over.figures),), level=3)
        return
    notes = (Points(over.notes),) if over.notes else ()
    if over.figures or notes:
        yield Section("Over the dates", (*_blocks(found, over.figures), *notes), level=3)


def _figures(known: tuple[OverDates, ...]) -> Sheet:
    return Sheet(
        "How well the scores found the event",
        ("Figure", "Value", LEVEL),
        tuple(_row(one)[:3] for one in known),
    )


def _blocks(found: Evaluation, known: tuple[OverDates, ...]) -> Iterator[Block]:
    if not known:
        return
    yield Sheet(
        "Mean over the dates, and how far the figures move",
        ("Figure", "Mean", LEVEL, "Lowest", "Highest", "Dates off the mean"),
        tuple(_row(one) for one in known),
        note="Dates off the mean: those whose own interval does not hold it. One in twenty is by "
        "chance.",
    )
    dates = [judgement.date.isoformat() for judgement in found.dates]
    yield _by_date("Date by date", dates, [one for one in known if one.capacity is None])
    for name in ("precision", "recall"):
        some = [one for one in known if one.figure == name]
        if some:
            yield _by_date(f"{name.capitalize()}, date by date", dates, some)
    for one in known:
        yield _plot(one, dates)


def _by_date(caption: str, dates: list[str], known: list[OverDates]) -> Sheet:
    return Sheet(
        caption,
        ("Date", *(_name(one) for one in known)),
        tuple(
            (date, *(_written(one, one.values[at]) for one in known))
            for at, date in enumerate(dates)
        ),
    )


def _plot(over: OverDates, dates: list[str]) -> Plot:
    return Plot(
        f"{_name(over)}, date by date",
        _name(over),
        ".2~f" if over.figure in _NUMBERS else "~%",
        tuple(
            _mark(date, value, interval)
            for date, value, interval in zip(dates, over.values, over.intervals, strict=True)
            if value is not None
        ),
        beside=over.mean,
        beside_is="the mean over the dates",
    )


def _mark(date: str, value: float, interval: Interval | None) -> Mark:
    if interval is None:
        return Mark(date, value)
    return Mark(date, value, interval.low, interval.high)


def _name(over: OverDates) -> str:
    name = f"{over.figure[0].upper()}{over.figure[1:]}"
    return name if over.capacity is None else f"{name} at {over.capacity:,}"


def _row(over: OverDates) -> tuple[str, ...]:
    is_number = over.figure in _NUMBERS
    return (
        _name(over),
        _written(over, over.mean),
        (number_interval if is_number else percent_interval)(over.mean_interval),
        _written(over, over.lowest),
        _written(over, over.highest),
        f"{over.outside} of {sum(value is not None for value in over.values)}",
    )


def _written(over: OverDates, value: float | None) -> str:
    return number(value) if over.figure in _NUMBERS else percent(value)


def outcome_notes(found: Evaluation, at: int) -> Iterator[str]:
    """What is to be said of the date that is shown, and of dates without figures; each once."""
    shown = shown_date(found, at)
    dates: dict[str, list[datetime.date]] = {}
    for judgement in found.dates:
        one = judgement.outcomes[at]
        if one.figures is None or (shown is not None and shown[1] is one):
            for note in one.notes:
                dates.setdefault(note, []).append(judgement.date)
    for note, when in dates.items():
        is_of_all = len(when) == len(found.dates)
        yield note if is_of_all else f"On {listed(map(on, when))}: {note}"
