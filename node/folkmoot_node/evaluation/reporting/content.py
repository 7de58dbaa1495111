"""What the report of a back-test says, from first to last."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from folkmoot_node.evaluation.back_test import BackTest
from folkmoot_node.evaluation.measures.evaluation import Evaluation, OutcomeOverDates, OverDates
from folkmoot_node.evaluation.measures.judgement import Baseline, Judgement, OutcomeJudgement
from folkmoot_node.evaluation.reporting.document import (
    Block,
    Document,
    Points,
    Section,
    Sheet,
    Words,
)
from folkmoot_node.evaluation.reporting.one_date import date_sections, order
from folkmoot_node.evaluation.reporting.over_dates import dates_sections
from folkmoot_node.evaluation.reporting.sources_read import About, leak_warnings, what_was_read
from folkmoot_node.evaluation.reporting.wording import (
    LEVEL,
    bounds,
    count,
    listed,
    number,
    number_interval,
    on,
    percent,
    percent_interval,
    points_interval,
    share_cells,
)

HOW_TO_READ = (
    "Share with the event: of the households that were observed to the end of the horizon, those "
    "that had the event. Households that were lost from sight before, without it, are in no share.",
    "Precision: of the households visited, the share that had the event. Recall: of the households "
    "that had the event, the share visited.",
    "AUC: how often a household with the event has a higher score than one without; 0.5 is chance. "
    "Average precision: precision over all capacities; chance is the share with the event.",
    "Intervals hold the true figure in about 95 of 100 such reports. They hold chance, and not "
    "what was never recorded.",
)
"""Definitions, for people who did not make the report."""
NOT_LEFT_OUT = "judged too"
"""In place of a number, where households that had the event before are judged like others."""


def as_document(done: BackTest, about: About) -> Document:
    """Writes the report.

    Args:
        done: The back-test.
        about: What was judged.

    Returns:
        The same for the same figures: it holds no time at which it was made.
    """
    found = done.found
    outcomes = [part for at in range(len(found.outcomes)) for part in _outcome(found, at)]
    return Document(
        title=f"Back-test: {found.name}",
        subtitle=f"Policy {about.policy!r}, scored as the households were known "
        f"{_when([one.date for one in found.dates])}.",
        sections=(
            Section("In short", tuple(_in_short(done))),
            *outcomes,
            Section("What was read", tuple(what_was_read(done, about))),
            Section("How to read this", (Points(HOW_TO_READ),)),
        ),
        footer=_footer(found.smallest),
    )


def _when(dates: list[datetime.date]) -> str:
    if len(dates) == 1:
        return f"on {on(dates[0])}"
    return f"on {len(dates)} dates from {on(dates[0])} to {on(dates[-1])}"


def _footer(smallest: int) -> tuple[str, ...]:
    return (
        "This report is made from residents' records, on the council's own machine, for people at "
        "the council. It is not differentially private. Nobody publishes it or sends it on but by "
        "a decision of a named person that is recorded.",
        f"Protected groups of fewer than {smallest} households, or with fewer than {smallest} "
        "events, show no figure, and are taken together where the rest would give them away. So "
        f"are bands and tenths of fewer than {smallest} households.",
        "That a policy finds an event says nothing of why it happens, and nothing of whether a "
        "visit prevents it. An event that is recorded less often in one group looks like less need "
        "there.",
    )


def _in_short(done: BackTest) -> Iterator[Block]:
    found = done.found
    for warning in leak_warnings(done):
        yield Words(warning, is_warning=True)
    for at, over in enumerate(found.outcomes):
        judged = shown_date(found, at)
        if judged is None:
            yield Words(f"{over.name}: no date has enough events for a figure.")
            continue
        yield Words(f"{over.name}, within {_months(judged[1].months)}:")
        yield Points(tuple(_key_points(found, over, *judged)))


def _key_points(
    found: Evaluation, over: OutcomeOverDates, judgement: Judgement, outcome: OutcomeJudgement
) -> Iterator[str]:
    figures = outcome.figures
    assert figures is not None
    several = len(found.dates) > 1
    mean = "On average over the dates, " if several else ""
    share = _figure(over, "share of events")
    if share is not None:
        yield f"{mean}{percent(share.mean)} of the households had the event."
    auc = _figure(over, "AUC")
    if auc is not None:
        yield (
            f"AUC {number(auc.mean)} ({number_interval(auc.mean_interval)}); 0.5 is chance."
            + _moves(auc)
        )
    for capacity in found.capacity:
        precision = _figure(over, "precision", capacity)
        recall = _figure(over, "recall", capacity)
        if precision is None or recall is None:
            continue
        yield (
            f"With {capacity:,} visits: {percent(precision.mean)} of the households visited would "
            f"have had the event ({percent_interval(precision.mean_interval)}), and "
            f"{percent(recall.mean)} of the events would have been found "
            f"({percent_interval(recall.mean_interval)})."
        )
    best = _best(figures.baselines)
    if best is not None:
        at = best.at[-1]
        yield (
            f"On {on(judgement.date)}, with {at.capacity:,} visits, the score would have found "
            f"{_more(at.more_found)} than {order(best)}, the best other order (a difference "
            f"in recall of {points_interval(at.gain_interval)} percentage points)."
        )
    if not figures.is_ascending:
        yield (
            f"On {on(judgement.date)} a higher band did not always mean more events: see By band."
        )


def _moves(over: OverDates) -> str:
    if not over.outside:
        return ""
    dates = "date has" if over.outside == 1 else "dates have"
    return f" {over.outside} {dates} an interval without this mean; one in twenty is by chance."


def _figure(over: OutcomeOverDates, name: str, capacity: int | None = None) -> OverDates | None:
    """A figure over dates; None if no date has it."""
    for one in over.figures:
        if one.figure == name and one.capacity == capacity:
            return one
    return None


def _best(baselines: tuple[Baseline, ...]) -> Baseline | None:
    """What would have found the most at the greatest capacity."""
    others = [one for one in baselines if one.at]
    return max(others, key=lambda one: one.at[-1].recall.share, default=None)


def _more(found: float) -> str:
    return f"{count(abs(found))} {'fewer' if found < 0 else 'more'} households with the event"


def _months(months: int) -> str:
    return "1 month" if months == 1 else f"{months} months"


def shown_date(found: Evaluation, outcome: int) -> tuple[Judgement, OutcomeJudgement] | None:
    """The latest date on which an outcome has figures, whose details the report shows.

    Args:
        found: All figures.
        outcome: Number of the outcome, from 0.
    """
    for judgement in reversed(found.dates):
        judged = judgement.outcomes[outcome]
        if judged.figures is not None:
            return judgement, judged
    return None


def _outcome(found: Evaluation, at: int) -> Iterator[Section]:
    over = found.outcomes[at]
    judged = [one.outcomes[at] for one in found.dates]
    yield Section(
        f"{over.name}: within {_months(judged[0].months)}",
        tuple(_events(found, at)),
    )
    yield from dates_sections(found, at)
    shown = shown_date(found, at)
    if shown is not None:
        yield from date_sections(*shown, others=len(found.dates) > 1)


def _events(found: Evaluation, at: int) -> Iterator[Block]:
    """How many households had the event, and how many were lost from sight."""
    judged = [one.outcomes[at] for one in found.dates]
    some_lost = any(one.lost for one in judged)
    some_gone = any(one.gone for one in judged)
    rows = [
        (
            judgement.date.isoformat(),
            one.until.isoformat(),
            count(one.households),
            *((count(one.gone),) if some_gone else ()),
            NOT_LEFT_OUT if one.before is None else count(one.before),
            *((count(one.lost),) if some_lost else ()),
            f"under {found.smallest}" if one.events is None else count(one.events.hits),
            *share_cells(one.events),
            *((bounds(one.event_bounds),) if some_lost else ()),
        )
        for judgement, one in zip(found.dates, judged, strict=True)
    ]
    columns = (
        "Date",
        "Until",
        "Households",
        *(("Had left before",) if some_gone else ()),
        "Had it before",
        *(("Lost from sight",) if some_lost else ()),
        "Events",
        "Share",
        LEVEL,
        *(("If of the lost none had it, or all",) if some_lost else ()),
    )
    yield Sheet("Households and events", columns, tuple(rows))
    notes = tuple(_notes(found, at))
    if notes:
        yield Points(notes)


def _notes(found: Evaluation, at: int) -> Iterator[str]:
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
