"""The model against scikit-learn, and what its limits and penalty promise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot_node.evaluation.fitting.additive_model import (
    curvature,
    fit,
    largest_penalty,
    refitted_intercept,
)
from folkmoot_node.evaluation.fitting.known_dates import Patterns


def drawn(effects, households=4000, seed=1) -> Patterns:
    draw = np.random.default_rng(seed)
    levels = draw.choice([0, 0, 250, 500, 1000], (households, len(effects))).astype(np.uint16)
    odds = np.exp(-2.5 + levels / 1000 @ np.array(effects))
    event = draw.random(households) < odds / (1 + odds)
    found, index = np.unique(levels, axis=0, return_inverse=True)
    counts = [np.bincount(index.ravel(), part, len(found)) for part in (np.ones(households), event)]
    return Patterns(found, *counts)


def free(count):
    return np.zeros(count), np.full(count, np.inf)


def test_it_agrees_with_scikit_learn_where_no_effect_is_negative():
    from sklearn.linear_model import LogisticRegression

    data = drawn([2.0, 1.0, 0.6])
    found = fit(data, *free(3))
    rows = np.vstack([data.levels, data.levels]) / 1000
    event = np.repeat([1, 0], len(data.levels))
    weight = np.concatenate([data.events, data.households - data.events])
    known = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    known.fit(rows, event, sample_weight=weight)
    assert found.effects == pytest.approx(known.coef_[0], abs=1e-4)
    assert found.intercept == pytest.approx(known.intercept_[0], abs=1e-4)
    assert found.log_odds(data.levels) == pytest.approx(
        known.decision_function(data.levels / 1000), abs=1e-3
    )


def test_what_lowers_the_risk_has_no_effect():
    found = fit(drawn([2.0, -1.5]), *free(2))
    assert found.effects[0] > 1
    assert found.effects[1] == 0


@settings(max_examples=25, deadline=None)
@given(
    st.lists(st.floats(-1, 2.5), min_size=2, max_size=4),
    st.floats(0, 0.5),
    st.integers(1, 1000),
    st.data(),
)
def test_no_step_within_the_limits_is_better(effects, share, seed, data):
    """The conditions of Karush, Kuhn and Tucker, by differences of the loss itself."""
    observed = drawn(effects, 800, seed)
    lower = np.array([data.draw(st.sampled_from([0.0, 0.1])) for _ in effects])
    upper = np.array([data.draw(st.sampled_from([0.2, 1.0, np.inf])) for _ in effects])
    penalty = share * largest_penalty(observed)
    found = fit(observed, lower, upper, penalty=penalty)
    assert (found.effects >= lower - 1e-9).all()
    assert (found.effects <= upper + 1e-9).all()

    mean = observed.households @ observed.levels / observed.households.sum()
    spread = np.sqrt(observed.households @ (observed.levels - mean) ** 2 / 800) / 1000

    def loss(intercept, values):
        odds = intercept + observed.levels / 1000 @ values
        rest = observed.households @ np.logaddexp(0, odds) - observed.events @ odds
        return rest / observed.events.sum() + penalty * values @ spread

    best = loss(found.intercept, found.effects)
    for at in range(len(effects)):
        for step in (1e-3, -1e-3):
            moved = found.effects.copy()
            moved[at] += step
            if lower[at] <= moved[at] <= upper[at]:
                assert loss(found.intercept, moved) >= best - 1e-9
    for step in (1e-3, -1e-3):
        assert loss(found.intercept + step, found.effects) >= best - 1e-9


def test_from_the_largest_penalty_on_nothing_is_left():
    data = drawn([2.0, 1.0, 0.6])
    largest = largest_penalty(data)
    assert not fit(data, *free(3), penalty=1.001 * largest).effects.any()
    assert fit(data, *free(3), penalty=0.9 * largest).effects.any()


def test_a_penalty_does_not_hang_on_the_unit_of_a_factor():
    data = drawn([1.5, 1.5])
    less = Patterns(data.levels // np.array([1, 5], np.uint16), data.households, data.events)
    penalty = 0.3 * largest_penalty(data)
    found, other = (fit(one, *free(2), penalty=penalty) for one in (data, less))
    assert other.effects == pytest.approx(found.effects * [1, 5], rel=1e-3)


def test_the_curvature_is_that_of_the_loss():
    data = drawn([1.5, 0.7])
    found = fit(data, *free(2))
    at = np.concatenate([[found.intercept], found.effects])
    rows = np.hstack([np.ones((len(data.levels), 1)), data.levels / 1000])

    def slope(values):
        chance = 1 / (1 + np.exp(-rows @ values))
        return rows.T @ (data.households * chance - data.events)

    step = 1e-5
    numeric = [(slope(at + step * one) - slope(at - step * one)) / (2 * step) for one in np.eye(3)]
    assert curvature(data, found) == pytest.approx(np.array(numeric), rel=1e-5, abs=1e-4)


def test_the_intercept_of_another_season_expects_its_events():
    data = drawn([1.5, 0.7])
    odds = fit(data, *free(2)).log_odds(data.levels)
    fewer = Patterns(data.levels, data.households, data.events / 3)
    add = refitted_intercept(fewer, odds)
    assert add < -0.5
    assert data.households @ (1 / (1 + np.exp(-odds - add))) == pytest.approx(fewer.events.sum())
