"""Draws the dates of a back-test together: what stays the same, and what does not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from folkmoot_node.evaluation.evaluation_file import EvaluationFile
from folkmoot_node.evaluation.measures.evaluation import (
    BandsOverDates,
    Evaluation,
    OutcomeOverDates,
    OverDates,
)
from folkmoot_node.evaluation.measures.judgement import Judgement, OutcomeJudgement
from folkmoot_node.intervals import LEVEL, Interval

Figure = tuple[float, Interval]

UNSTABLE = 0.01
"""Chance below which a figure is said not to be stable."""


def summarise(judgements: Sequence[Judgement], evaluation: EvaluationFile) -> Evaluation:
    """A back-test, of the judgements of its dates.

    Households and events of dates that are near each other are mostly the same, so that nothing is
    added up over dates and no test is made: each figure is shown date by date, with its mean.

    Args:
        judgements: At least one, ascending by date, all by the same file.
        evaluation: The file.
    """
    return Evaluation(
        name=evaluation.name,
        capacity=evaluation.capacity,
        smallest=evaluation.smallest,
        resamples=evaluation.resamples,
        seed=evaluation.seed,
        dates=tuple(judgements),
        outcomes=tuple(
            _over_dates(name, [one.outcomes[at] for one in judgements])
            for at, name in enumerate(evaluation.outcomes)
        ),
        bands=tuple(
            BandsOverDates(
                name, tuple(one.bands[name] / max(1, one.households) for one in judgements)
            )
            for name in judgements[0].bands
        ),
    )


def _over_dates(name: str, dates: Sequence[OutcomeJudgement]) -> OutcomeOverDates:
    found = [dict(_named(one)) for one in dates]
    keys = list(dict.fromkeys(key for one in found for key in one))
    figures = tuple(
        _one(figure, capacity, [one.get((figure, capacity)) for one in found])
        for figure, capacity in keys
    )
    notes = []
    missing = sum(one.figures is None for one in dates)
    if missing:
        notes.append(f"{missing} of {len(dates)} dates show no figures: see their notes.")
    for one in figures:
        if is_rare(one.outside, sum(value is not None for value in one.values)):
            at = "" if one.capacity is None else f" at {one.capacity:,} visits"
            notes.append(
                f"The {one.figure}{at} is not stable: {one.outside} of {len(dates)} dates have an "
                "interval that does not hold the mean."
            )
    return OutcomeOverDates(name, figures, tuple(notes))


def is_rare(outside: int, dates: int) -> bool:
    """Whether so many of independent dates or more would be off the mean once in a hundred times,
    if one in twenty is by chance. There are many figures, and one of them shall not stand out.
    """
    miss = 1 - LEVEL
    return sum(_chance(off, dates, miss) for off in range(outside, dates + 1)) < UNSTABLE


def _chance(off: int, dates: int, miss: float) -> float:
    return math.comb(dates, off) * miss**off * (1 - miss) ** (dates - off)


def _named(one: OutcomeJudgement) -> Iterator[tuple[tuple[str, int | None], Figure]]:
    if one.events is not None:
        yield ("share of events", None), (one.events.share, one.events.interval)
    if one.figures is None:
        return
    ranking = one.figures.ranking
    yield ("AUC", None), (ranking.auc, ranking.auc_interval)
    precise = ranking.average_precision, ranking.average_precision_interval
    yield ("average precision", None), precise
    for at in one.figures.at:
        if at.precision is not None:
            yield ("precision", at.capacity), (at.precision.share, at.precision.interval)
        yield ("recall", at.capacity), (at.recall.share, at.recall.interval)


def _one(figure: str, capacity: int | None, dates: Sequence[Figure | None]) -> OverDates:
    some = [one for one in dates if one is not None]
    values = [value for value, _ in some]
    mean = sum(values) / len(values)
    low = sum(interval.low for _, interval in some) / len(some)
    high = sum(interval.high for _, interval in some) / len(some)
    return OverDates(
        figure=figure,
        capacity=capacity,
        values=tuple(None if one is None else one[0] for one in dates),
        intervals=tuple(None if one is None else one[1] for one in dates),
        mean=mean,
        mean_interval=Interval(low, high),
        lowest=min(values),
        highest=max(values),
        outside=sum(not interval.low <= mean <= interval.high for _, interval in some),
    )
