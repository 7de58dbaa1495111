"""Cross-validation forward in time: nothing is learnt that was not known on the day."""

from __future__ import annotations

import dataclasses
import datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_node.evaluation.fitting import forward
from folkmoot_node.evaluation.fitting.additive_model import AdditiveModel
from folkmoot_operator.moments import months_later
from folkmoot_operator.problems import ExitCode, Problem
from tests.evaluation_snapshots import snapshots_of
from tests.fitted_policies import known_dates

DAYS = st.dates(datetime.date(2020, 1, 1), datetime.date(2025, 12, 31))


@given(st.sets(DAYS, min_size=1, max_size=12), st.integers(1, 12))
def test_a_date_is_judged_by_horizons_that_had_ended_and_by_all_of_them(days, months):
    dates = [(day, months_later(day, months)) for day in sorted(days)]
    found = forward.folds(dates)
    assert len(found) <= forward.MOST_FOLDS
    for fold in found:
        day = dates[fold.judge][0]
        assert fold.learn == tuple(at for at, (_, until) in enumerate(dates) if until <= day)
    if not found:
        with pytest.raises(Problem) as refused:
            forward.check_dates(dates, "evaluation.toml")
        assert dates[0][1].isoformat() in refused.value.remedy
        assert all(until > day for _, until in dates for day, _ in dates)
    else:
        forward.check_dates(dates, "evaluation.toml")


def test_dates_with_too_few_events_are_no_judges_and_if_there_are_no_others_it_is_said():
    few = known_dates(snapshots_of(8, 400, rate=0.02))
    folds = forward.folds([(one.date, one.until) for one in few])
    assert folds
    with pytest.raises(Problem) as refused:
        forward.usable_folds(few, folds, 6, "evaluation.toml")
    assert refused.value.exit_code == ExitCode.DATA
    assert "60 households" in refused.value.problem


def test_the_sparsest_model_that_is_not_worse_is_chosen():
    """Six factors that add nothing are left out; those with large effects stay."""
    dates = known_dates(snapshots_of(8, 6000, factors=12))
    folds = forward.folds([(one.date, one.until) for one in dates])
    keep = np.zeros(12, dtype=bool)
    told = []
    choice = forward.choose(
        dates, folds, np.arange(12), keep, lambda done, total: told.append((done, total))
    )
    assert told[-1] == (len(folds), len(folds))
    data = forward.patterns(dates, np.arange(12))
    left = forward.left_at(data, keep, choice.step)
    assert left[:4].all()
    assert left[7:].sum() <= 1
    assert min(choice.losses) > 0
    assert choice.losses[0] > min(choice.losses)


def test_a_household_on_more_dates_is_no_more_evidence_against_a_sparse_model():
    """The error of a total of four dates that are the same is four times that of one."""
    (date,) = known_dates(snapshots_of(1, 3000, factors=3))
    factors = np.arange(3)
    model = forward.path(forward.patterns([date], factors), np.zeros(3, dtype=bool))[-1]
    none = AdditiveModel(-2.0, np.zeros(3))
    once = forward.error_of([model], [none], [date], factors)
    again = forward.error_of([model] * 4, [none] * 4, [date] * 4, factors)
    assert once > 0
    assert again == pytest.approx(4 * once)
    other = dataclasses.replace(date, uprn=date.uprn + 10**6)  # of other households: less
    apart = forward.error_of([model] * 2, [none] * 2, [date, other], factors)
    assert apart == pytest.approx(2**0.5 * once)


def test_what_must_stay_stays_whatever_the_penalty():
    data = forward.patterns(known_dates(snapshots_of(1, 3000, factors=9)), np.arange(9))
    keep = np.arange(9) == 8
    assert all(forward.left_at(data, keep, step)[8] for step in forward.STEPS)
