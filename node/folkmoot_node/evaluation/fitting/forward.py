"""Cross-validation forward in time: fitted to earlier dates, judged on later ones.

A model that is judged on a date has learnt only from dates whose horizon had ended by then, as
whoever had fitted it on that day would have. Households recur from date to date; that is so in
use as well.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from folkmoot_node.evaluation.fitting.additive_model import (
    AdditiveModel,
    fit,
    largest_penalty,
    refitted_intercept,
)
from folkmoot_node.evaluation.fitting.known_dates import (
    KnownDate,
    Patterns,
    households_with_event,
    patterns,
)
from folkmoot_node.evaluation.snapshot import Bools, Floats
from folkmoot_operator.problems import ExitCode, Problem

EVENTS_PER_FACTOR = 10
"""Peduzzi et al. (1996): fewer, and the effects are unreliable."""
EVENTS_TO_JUDGE = 10
"""Households with the event that a date needs for a model to be judged on it."""
MOST_FOLDS = 4
"""The latest dates, each of which is judged by all dates known by then."""
STEPS = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.003, 0.0)
"""Penalties that are tried, in shares of the one from which on nothing is left."""

Indexes = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fold:
    """Dates to learn from and the date to judge, as indexes."""

    learn: tuple[int, ...]
    judge: int


@dataclass(frozen=True, slots=True)
class Choice:
    """What cross-validation chose.

    Attributes:
        folds: Those that could be used.
        step: The penalty, as a share of the largest.
        losses: For each of `STEPS`: mean log loss on later dates, per household.
    """

    folds: tuple[Fold, ...]
    step: float
    losses: tuple[float, ...]


def folds(dates: Sequence[tuple[datetime.date, datetime.date]]) -> tuple[Fold, ...]:
    """The folds that dates permit, the earliest first.

    Args:
        dates: Each date with the last day of its horizon, ascending.
    """
    found = []
    for judge, (date, _) in enumerate(dates):
        learn = tuple(at for at, (_, until) in enumerate(dates[:judge]) if until <= date)
        if learn:
            found.append(Fold(learn, judge))
    return tuple(found[-MOST_FOLDS:])


def usable_folds(
    observed: Sequence[KnownDate], found: Sequence[Fold], factors: int, where: str
) -> tuple[Fold, ...]:
    """Folds with enough events to learn from and to judge by.

    Raises:
        Problem: Exit code DATA, if there is none.
    """
    needed = EVENTS_PER_FACTOR * factors
    good = tuple(
        fold
        for fold in found
        if households_with_event([observed[at] for at in fold.learn]) >= needed
        and households_with_event([observed[fold.judge]]) >= EVENTS_TO_JUDGE
    )
    if not good:
        raise Problem(
            f"no date can be judged by what was known before it: {needed} households with the "
            f"event are needed in horizons that ended before, and {EVENTS_TO_JUDGE} after the date",
            where=f"{where}: dates",
            remedy="Add earlier dates or later ones, or name factors in leave_out",
            exit_code=ExitCode.DATA,
        )
    return good


def check_dates(dates: Sequence[tuple[datetime.date, datetime.date]], where: str) -> None:
    """Refuses dates of which none comes after the horizon of another, before anything is read.

    Raises:
        Problem: Exit code SETTINGS.
    """
    if folds(dates):
        return
    raise Problem(
        "no date is after the horizon of an earlier one, so that no model could be judged on a "
        "later date than it learnt from",
        where=f"{where}: dates",
        remedy=f"Add a date on {dates[0][1].isoformat()} or later, an earlier one, or shorten the "
        "horizon (months)",
        exit_code=ExitCode.SETTINGS,
    )


def choose(
    observed: Sequence[KnownDate],
    found: Sequence[Fold],
    factors: Indexes,
    keep: Bools,
    advance: Callable[[int, int], None],
) -> Choice:
    """Chooses the sparsest model that later dates do not show to be worse than the best.

    The loss is that after the intercept is fitted to the later date: a season changes how many
    have the event, and the points are about who. Compared is household by household, each with all
    its dates; worse means more than one standard error (Breiman et al. 1984).

    Args:
        observed: All dates.
        found: The folds.
        factors: Indexes of the factors that may be used.
        keep: bool, for each of `factors`: whether it must stay.
        advance: Told how many folds are done, of how many.
    """
    by_step: list[list[AdditiveModel]] = [[] for _ in STEPS]
    counts = []
    for done, fold in enumerate(found):
        advance(done, len(found))
        learn = patterns([observed[one] for one in fold.learn], factors)
        judge = patterns([observed[fold.judge]], factors)
        for models, model in zip(by_step, path(learn, keep), strict=True):
            models.append(_at_the_level_of(judge, model))
        counts.append(judge)
    advance(len(found), len(found))
    households = sum(float(one.households.sum()) for one in counts)
    totals = [_total(models, counts) for models in by_step]
    best = int(np.argmin(totals))
    judged = [observed[fold.judge] for fold in found]
    chosen = next(
        at
        for at in range(len(STEPS))
        if totals[at] - totals[best] <= error_of(by_step[at], by_step[best], judged, factors)
    )
    return Choice(tuple(found), STEPS[chosen], tuple(total / households for total in totals))


def path(data: Patterns, keep: Bools) -> list[AdditiveModel]:
    """For each of `STEPS` the model of the factors that the penalty leaves, without a penalty."""
    models: list[AdditiveModel] = []
    known: dict[bytes, AdditiveModel] = {}
    largest = largest_penalty(data)
    lower, upper = np.zeros(len(keep)), np.full(len(keep), np.inf)
    start = None
    for step in STEPS:
        start = fit(data, lower, upper, penalty=step * largest, start=start)
        left = chosen_by(start, keep)
        if left.tobytes() not in known:
            known[left.tobytes()] = fit(data, lower, np.where(left, upper, 0.0), start=start)
        models.append(known[left.tobytes()])
    return models


def left_at(data: Patterns, keep: Bools, step: float) -> Bools:
    """Factors that a penalty leaves.

    Args:
        data: The households.
        keep: bool, for each factor: whether it must stay.
        step: The penalty, as a share of the largest.

    Returns:
        bool, one value for each factor; never null.
    """
    lower, upper = np.zeros(len(keep)), np.full(len(keep), np.inf)
    return chosen_by(fit(data, lower, upper, penalty=step * largest_penalty(data)), keep)


def chosen_by(model: AdditiveModel, keep: Bools) -> Bools:
    """Factors that a penalised model uses, with those that must stay.

    Returns:
        bool, one value for each factor; never null.
    """
    found: Bools = keep | (model.effects > 1e-4)
    return found


def error_of(
    one: Sequence[AdditiveModel],
    other: Sequence[AdditiveModel],
    judged: Sequence[KnownDate],
    factors: Indexes,
) -> float:
    """Standard error of the difference of two total losses.

    Rows of one household on several dates are mostly the same event, and add up before they are
    squared.

    Args:
        one: A model for each date.
        other: Another for each.
        judged: The dates.
        factors: Indexes of the factors of the models.
    """
    every = np.unique(np.concatenate([date.uprn[date.judged] for date in judged]))
    total, rows = np.zeros(len(every)), np.zeros(len(every))
    for model, beside, date in zip(one, other, judged, strict=True):
        place = np.searchsorted(every, date.uprn[date.judged])
        # A household is in a date once.
        total[place] += _row_losses(date, factors, model) - _row_losses(date, factors, beside)
        rows[place] += 1
    mean = total.sum() / rows.sum()
    return math.sqrt(float(((total - mean * rows) ** 2).sum()))


def _at_the_level_of(judge: Patterns, model: AdditiveModel) -> AdditiveModel:
    """The model with the intercept that expects as many events as a date had."""
    add = refitted_intercept(judge, model.log_odds(judge.levels))
    return AdditiveModel(model.intercept + add, model.effects)


def _total(models: Sequence[AdditiveModel], judged: Sequence[Patterns]) -> float:
    found = 0.0
    for model, one in zip(models, judged, strict=True):
        log_odds = model.log_odds(one.levels)
        without = (one.households - one.events) * np.logaddexp(0.0, log_odds)
        found += float((without + one.events * np.logaddexp(0.0, -log_odds)).sum())
    return found


def _row_losses(date: KnownDate, factors: Indexes, model: AdditiveModel) -> Floats:
    """Log loss of each household that is judged on a date."""
    log_odds = model.log_odds(date.levels[date.judged][:, factors])
    found: Floats = np.logaddexp(0.0, np.where(date.event[date.judged], -log_odds, log_odds))
    return found
