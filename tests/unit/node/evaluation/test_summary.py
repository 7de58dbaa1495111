"""Dates together: means, dates without figures, and what is not stable."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from scipy.stats import binom

from folkmoot_node.evaluation.measures.judge import judge
from folkmoot_node.evaluation.measures.summary import is_rare, summarise
from tests.evaluation_snapshots import evaluation_of, snapshot_of, snapshots_of


def summary(snapshots):
    file = evaluation_of(snapshots)
    return summarise([judge(one, file) for one in snapshots], file)


def test_figures_over_dates_are_those_of_each_date_and_their_mean() -> None:
    found = summary(snapshots_of(3, 2000))
    (outcome,) = found.outcomes
    assert [(one.figure, one.capacity) for one in outcome.figures] == [
        ("share of events", None), ("AUC", None), ("average precision", None),
        ("precision", 100), ("recall", 100), ("precision", 500), ("recall", 500),
    ]  # fmt: skip
    auc = outcome.figures[1]
    single = [one.outcomes[0].figures.ranking for one in found.dates]
    assert auc.values == tuple(one.auc for one in single)
    assert auc.mean == pytest.approx(np.mean(auc.values))
    assert auc.mean_interval.low == pytest.approx(np.mean([one.auc_interval.low for one in single]))
    assert (auc.lowest, auc.highest) == (min(auc.values), max(auc.values))
    assert outcome.notes == ()
    assert [sum(at) for at in zip(*(one.shares for one in found.bands), strict=True)] == (
        pytest.approx([1, 1, 1])
    )


def test_a_date_with_too_few_events_has_no_value_and_does_not_count() -> None:
    snapshots = snapshots_of(3, 2000)
    happened = snapshots[1].happened["homeless"]
    none = dataclasses.replace(happened, first=np.full(2000, np.datetime64("NaT", "D")))
    snapshots[1] = dataclasses.replace(snapshots[1], happened={"homeless": none})
    (outcome,) = summary(snapshots).outcomes
    for one in outcome.figures:
        assert one.values[1] is None
        assert one.intervals[1] is None
        assert one.mean == pytest.approx((one.values[0] + one.values[2]) / 2)
    assert "1 of 3 dates show no figures" in outcome.notes[0]


def test_a_change_from_date_to_date_is_said() -> None:
    steady = snapshots_of(4, 3000)
    changing = [
        snapshot_of(3000, seed=at, date=one.date, weights=weights)[0]
        for at, (one, weights) in enumerate(
            zip(steady, [(30, 20, 25, 5, 10, 2)] * 2 + [(0, 0, 0, 5, 10, 2)] * 2, strict=True)
        )
    ]
    assert not any("AUC" in note for note in summary(steady).outcomes[0].notes)
    assert any("AUC is not stable" in note for note in summary(changing).outcomes[0].notes)


def test_dates_that_are_off_by_chance_are_not_called_unstable() -> None:
    """A year of independent dates has two off the mean in 12 of 100 cases, and seven figures."""
    for dates in range(1, 61):
        said = [is_rare(outside, dates) for outside in range(dates + 1)]
        least = said.index(True) if any(said) else dates + 1
        assert binom.sf(least - 1, dates, 0.05) < 0.01
        assert binom.sf(least - 2, dates, 0.05) >= 0.01
        assert said == [outside >= least for outside in range(dates + 1)]
    assert not is_rare(2, 12)
    assert is_rare(2, 2)


def test_json_of_a_back_test_is_plain() -> None:
    found = summary(snapshots_of(2, 1000)).as_json()
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert [one["date"] for one in found["dates"]] == ["2025-01-01", "2025-02-01"]
