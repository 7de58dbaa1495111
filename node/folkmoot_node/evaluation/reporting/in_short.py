"""The beginning of a back-test's report: its answers, and every caution that goes with them.

A terminal shows this alone unless it is asked for all. What it shows is bounded: sentences and the
strongest rows of one table, however many groups, factors and dates there are. A caution is never
among what is left out.
"""

from __future__ import annotations

from collections.abc import Iterator

from folkmoot_node.evaluation.back_test import BackTest
from folkmoot_node.evaluation.measures.evaluation import Evaluation, OutcomeOverDates, OverDates
from folkmoot_node.evaluation.measures.judge import NOT_ASCENDING
from folkmoot_node.evaluation.measures.judgement import (
    AtCapacity,
    Baseline,
    BaselineAt,
    Changed,
    Figures,
    Judgement,
)
from folkmoot_node.evaluation.reporting.document import Block, Points, Section, Sheet, Words
from folkmoot_node.evaluation.reporting.one_date import (
    FALLS,
    is_wide,
    order,
    order_in_a_table,
    shown_date,
    ties,
)
from folkmoot_node.evaluation.reporting.over_dates import outcome_notes
from folkmoot_node.evaluation.reporting.sources_read import leak_warnings, undated_warnings
from folkmoot_node.evaluation.reporting.stand_out import groups_that_stand_out
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
    points,
    points_interval,
    together,
)
from folkmoot_node.intervals import Interval

RANKING = (
    "AUC: how often a household with the event has a higher score than one without; 0.5 is chance."
)
INTERVALS = (
    "Each interval holds its true figure in about 95 of 100 such reports. They hold chance, and "
    "not what was never recorded. They are not corrected for how many there are: of twenty groups, "
    "factors or dates, one stands out by chance."
)
MOST_ORDERS = 4
"""Other orders of visits in the table."""
MOST_FACTORS = 3
"""Factors that are named with figures."""


def in_short(done: BackTest) -> Iterator[Section]:
    """The sections to read first."""
    warnings = (*leak_warnings(done), *undated_warnings(done.found))
    yield Section(
        "In short",
        (
            *(Words(warning, is_warning=True) for warning in warnings),
            Words(f"{RANKING} In brackets are {LEVEL} intervals. {INTERVALS}"),
        ),
        in_short=True,
    )
    for at, over in enumerate(done.found.outcomes):
        months = done.found.dates[0].outcomes[at].months
        yield Section(
            f"{over.name}, within {months_in_words(months)}",
            tuple(_outcome(done.found, at)),
            level=3,
            in_short=True,
        )


def months_in_words(months: int) -> str:
    """How long a horizon is."""
    return "1 month" if months == 1 else f"{months} months"


def _outcome(found: Evaluation, at: int) -> Iterator[Block]:
    over = found.outcomes[at]
    shown = shown_date(found, at)
    if shown is None:
        yield Words(f"{over.name}: no date has enough events for a figure.")
        yield Points((*over.notes, *outcome_notes(found, at)))
        return
    judgement, outcome = shown
    figures = outcome.figures
    assert figures is not None
    yield from _need(found, over, judgement, figures)
    yield from _instead(judgement, figures)
    yield from groups_that_stand_out(figures)
    yield from _which_weight(figures)
    notes = (note for note in outcome_notes(found, at) if NOT_ASCENDING not in note)  # said above
    cautions = (*over.notes, *notes, *_cautions(figures))
    if cautions:
        yield Words("Before anybody relies on these figures:", lead="What to look at.")
        yield Points(cautions)


def _need(
    found: Evaluation, over: OutcomeOverDates, judgement: Judgement, figures: Figures
) -> Iterator[Block]:
    mean = "On average over the dates, " if len(found.dates) > 1 else ""
    share, auc = _figure(over, "share of events"), _figure(over, "AUC")
    assert share is not None
    assert auc is not None
    yield Words(
        f"{_beside_chance(auc.mean_interval)} AUC {number(auc.mean)} "
        f"({number_interval(auc.mean_interval)}; 0.5 is chance).{_moves(auc)} {mean}"
        f"{percent(share.mean)} of the households had the event.",
        lead="Does the score find need?",
    )
    yield Points(tuple(_at_each_capacity(found, over)))
    bands = listed(
        f"{together(row.names)} {percent(row.events.share)} "
        f"({percent_interval(row.events.interval)})"
        for row in figures.bands
    )
    yield Words(f"Share with the event by band on {on(judgement.date)}: {bands}.")
    if not figures.is_ascending:
        yield Words(FALLS, is_warning=True)


def _beside_chance(interval: Interval) -> str:
    if interval.low > 0.5:
        return "Better than chance."
    return "No: worse than chance." if interval.high < 0.5 else "Not shown."


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


def _at_each_capacity(found: Evaluation, over: OutcomeOverDates) -> Iterator[str]:
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


def _instead(judgement: Judgement, figures: Figures) -> Iterator[Block]:
    """Beside what the council would do instead, at the greatest capacity."""
    others = [(one, one.at[-1]) for one in figures.baselines]
    best, found = max(others, key=lambda one: one[1].recall.share)
    yield Words(
        f"{_beside_the_best(found.gain_interval)} On {on(judgement.date)}, with "
        f"{found.capacity:,} visits, the score would have found {_more(found.more_found)} than "
        f"{order(best)}, the best other order (a difference in recall of "
        f"{points_interval(found.gain_interval)} percentage points). "
        f"{_counted(figures)} Where an interval holds 0, there is no evidence either way.",
        lead="Is it better than what the council would do instead?",
    )
    yield _orders(figures.at[-1], others)


def _beside_the_best(gain: Interval) -> str:
    if gain.low > 0:
        return "Yes."
    return "No: the best of it finds more." if gain.high < 0 else "Not shown."


def _more(found: float) -> str:
    households = count(abs(found))
    return (
        f"{households} {'fewer' if found < 0 else 'more'} "
        f"{'household' if households == '1' else 'households'} with the event"
    )


def _counted(figures: Figures) -> str:
    """From how many other orders it differs by more than chance explains, at each capacity."""
    better, worse = {}, {}
    for place, at in enumerate(figures.at):
        gains = [one.at[place].gain_interval for one in figures.baselines]
        better[at.visited] = sum(one.low > 0 for one in gains)
        worse[at.visited] = sum(one.high < 0 for one in gains)
    return (
        f"Of {len(figures.baselines)} other orders it is better than {_by_visits(better)}, and "
        f"worse than {_by_visits(worse)}."
    )


def _by_visits(numbers: dict[int, int]) -> str:
    """Numbers by visits, as short as they can be said."""
    if not any(numbers.values()):
        return "none"
    if len(numbers) == 1:
        return str(*numbers.values())
    return listed(f"{number} with {visits:,} visits" for visits, number in numbers.items())


def _orders(score: AtCapacity, others: list[tuple[Baseline, BaselineAt]]) -> Sheet:
    """The score beside the best other order, a random one, and what the council named."""
    by_recall = sorted(others, key=lambda one: -one[1].recall.share)
    wanted = (
        by_recall[:1]
        + [one for one in by_recall if one[0].kind == "random"]
        + [one for one in by_recall if one[0].kind not in ("factor", "random")]
        + by_recall
    )
    kept = [one for at, one in enumerate(wanted) if one not in wanted[:at]][:MOST_ORDERS]
    return Sheet(
        f"Events found with {score.visited:,} visits",
        ("Order", "Recall", "Gain, points", LEVEL),
        (
            ("the score", percent(score.recall.share), "", ""),
            *(
                (
                    order_in_a_table(one),
                    percent(at.recall.share),
                    points(at.gain),
                    points_interval(at.gain_interval),
                )
                for one, at in sorted(kept, key=lambda one: -one[1].recall.share)
            ),
        ),
        note="Gain: recall of the score, less that of the order."
        + (f" Not in this table: {left} others." if (left := len(others) - len(kept)) else ""),
    )


def _cautions(figures: Figures) -> Iterator[str]:
    bounded = [
        f"{bounds(at.recall_bounds)} with {at.visited:,} visits"
        for at in figures.at
        if is_wide(at.recall_bounds)
    ]
    if bounded:
        yield (
            "If of those that were lost from sight none had the event, or all, recall is "
            f"{listed(bounded)}."
        )
    for at in figures.at:
        yield from ties(at)


def _which_weight(figures: Figures) -> Iterator[Block]:
    """Factors without which the answer is another, by more than chance explains."""
    without = [one for one in figures.weights if one.times == 0]
    marked = [one for one in without if not all(_holds_0(change) for change in _changes(one))]
    marked.sort(key=lambda one: -abs(one.auc_change))
    yield Words(
        f"Factors without which AUC, or recall with {figures.at[-1].visited:,} visits, changes by "
        f"more than chance explains: {len(marked)} of {len(without)}.",
        lead="Which weights matter?",
    )
    named = tuple(
        f"Without {one.factor}: AUC {number(one.auc_change, '+z.3f')} "
        f"({number_interval(one.auc_interval, '+z.3f')}), recall {points(one.at[-1].change)} "
        f"points ({points_interval(one.at[-1].change_interval)})."
        for one in marked[:MOST_FACTORS]
    )
    left = len(marked) - len(named)
    if named:
        yield Points((*named, f"{left} more do.") if left else named)


def _changes(one: Changed) -> tuple[Interval, Interval]:
    return one.auc_interval, one.at[-1].change_interval


def _holds_0(interval: Interval) -> bool:
    return interval.low <= 0 <= interval.high
