"""What a fit keeps of a date: who is judged, what is unknown, and equal rows together."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_node.evaluation.fitting.known_dates import (
    households_with_event,
    households_without_event,
    known_date,
    patterns,
    to_levels,
)
from tests.evaluation_snapshots import in_points, snapshot_of
from tests.fitted_policies import known_dates


@pytest.fixture(scope="module")
def snapshot():
    return snapshot_of(2000, lost=0.2, before=0.3)[0]


@pytest.mark.parametrize("repeated", [True, False])
def test_who_was_lost_or_had_the_event_before_is_not_judged(snapshot, repeated):
    found = known_date(snapshot, "homeless", repeated=repeated)
    happened = snapshot.happened["homeless"]
    had = ~np.isnat(happened.first)
    lost = ~np.isnat(happened.ended) & ~had
    assert lost.any()
    assert not found.judged[lost].any()
    considered = np.ones(2000, bool) if repeated else ~happened.before
    assert found.considered.tolist() == considered.tolist()
    assert found.judged.tolist() == (considered & ~lost).tolist()
    assert found.event.tolist() == (considered & had).tolist()


def test_an_unknown_factor_adds_nothing_as_in_the_score(snapshot):
    found = known_date(snapshot, "homeless", repeated=True)
    unknown = np.isnan(in_points(snapshot))
    assert unknown.any()
    assert not found.levels[unknown].any()
    score = found.levels @ snapshot.weights / 1000
    assert score == pytest.approx(snapshot.score, abs=0.1)  # thousandths of a factor are rounded


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 1000)), min_size=1, max_size=5))
def test_levels_are_the_thousandths_of_the_factor_score(drawn):
    score, weight = np.array(drawn).T
    points = np.rint(score * weight * 1000)[None, :].astype(np.int32)
    found = to_levels(points, weight)[0]
    assert (np.abs(found - score * 1000) <= 0.5 + 0.5 / weight + 1e-6).all()


def test_equal_rows_together_are_the_same_households(snapshot):
    dates = known_dates([snapshot, snapshot_of(1000, seed=9)[0]])
    factors = np.array([1, 2, 4])
    weights = [np.where(one.event, 2.0, 1.0) for one in dates]
    found = patterns(dates, factors, weights)
    rows = np.concatenate([one.levels[one.judged][:, factors] for one in dates])
    events = np.concatenate([one.event[one.judged] for one in dates])
    assert len(np.unique(found.levels, axis=0)) == len(found.levels) < len(rows)
    assert found.households.sum() == len(rows) + events.sum()
    assert found.events.sum() == 2 * events.sum()
    assert found.levels.T @ found.events == pytest.approx(2 * rows[events].sum(axis=0))


def test_a_household_counts_once_however_many_dates_see_its_event(snapshot):
    [one] = known_dates([snapshot])
    twice = [one, dataclasses.replace(one)]
    assert households_with_event(twice) == one.event.sum()
    assert households_without_event(twice) == (one.judged & ~one.event).sum()
