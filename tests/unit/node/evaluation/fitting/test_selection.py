"""Who is visited, and comparisons of two scores."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_node.evaluation.fitting.selection import compare_areas, compare_recall, inclusion


@given(
    st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1),
    st.integers(1, 60),
    st.randoms(),
)
def test_visits_add_up_and_the_order_of_rows_is_nothing(rows, capacity, random):
    if not any(considered for _, considered in rows):
        return
    score, considered = (np.array(one) for one in zip(*rows, strict=True))
    found = inclusion(score * 1000, considered, capacity)
    assert found.sum() == pytest.approx(min(capacity, considered.sum()))
    assert not found[~considered].any()
    inside = found[considered]
    assert (np.diff(inside[np.argsort(score[considered], kind="stable")]) >= -1e-12).all()
    order = list(range(len(rows)))
    random.shuffle(order)
    assert inclusion(score[order] * 1000, considered[order], capacity) == pytest.approx(
        found[order]
    )


def test_ties_share_what_is_left():
    score = np.array([5, 3, 3, 3, 1])
    found = inclusion(score, np.ones(5, bool), 2)
    assert found.tolist() == pytest.approx([1, 1 / 3, 1 / 3, 1 / 3, 0])


def test_areas_are_those_of_scikit_learn_and_their_difference_is_paired():
    from sklearn.metrics import roc_auc_score

    draw = np.random.default_rng(2)
    event = draw.random(3000) < 0.1
    one = np.round(draw.normal(0, 1, 3000) + event, 1)
    other = np.round(one + draw.normal(0, 0.3, 3000), 1)
    found = compare_areas(one, other, event)
    assert found.present == pytest.approx(roc_auc_score(event, one))
    assert found.proposed == pytest.approx(roc_auc_score(event, other))
    width = found.interval.high - found.interval.low
    assert found.interval.low < found.difference < found.interval.high
    unrelated = compare_areas(one, draw.permutation(other), event).interval
    assert width < (unrelated.high - unrelated.low) / 2


def test_the_same_score_differs_from_itself_by_nothing():
    event = np.arange(50) < 10
    score = np.arange(50) % 7
    area = compare_areas(score, score, event)
    assert (area.difference, area.interval.low, area.interval.high) == (0, 0, 0)
    chance = inclusion(score, np.ones(50, bool), 15)
    recall = compare_recall(chance, chance, event, np.arange(50))
    assert recall.difference == 0
    assert recall.interval.high == -recall.interval.low == pytest.approx(1.96 / 12, abs=1e-3)


def test_the_interval_of_a_difference_of_shares_is_that_of_agresti_and_min():
    """53 pairs, of which 16 differ one way and 6 the other."""
    one = np.repeat([1.0, 0.0, 1.0, 0.0], [16, 6, 20, 11])
    other = np.repeat([0.0, 1.0, 1.0, 0.0], [16, 6, 20, 11])
    found = compare_recall(other, one, np.ones(53, bool), np.arange(53))
    assert found.difference == pytest.approx(10 / 53)
    middle, error = 10 / 55, np.sqrt(16.5 + 6.5 - 10**2 / 55) / 55
    assert found.interval.low == pytest.approx(middle - 1.96 * error, abs=1e-4)
    assert found.interval.high == pytest.approx(middle + 1.96 * error, abs=1e-4)


def test_a_household_that_is_seen_on_more_dates_is_no_more_evidence():
    draw = np.random.default_rng(3)
    present, proposed = draw.random(200), draw.random(200)
    event, household = draw.random(200) < 0.4, np.arange(200)
    once = compare_recall(present, proposed, event, household)
    again = compare_recall(*(np.tile(one, 4) for one in (present, proposed, event, household)))
    assert again.difference == pytest.approx(once.difference)
    assert again.interval.low == pytest.approx(once.interval.low)
    assert again.interval.high == pytest.approx(once.interval.high)
    apart = compare_recall(*(np.tile(one, 4) for one in (present, proposed, event)), np.arange(800))
    width = once.interval.high - once.interval.low
    assert apart.interval.high - apart.interval.low == pytest.approx(width / 2, rel=0.05)
