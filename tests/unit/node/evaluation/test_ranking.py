"""AUC and average precision agree with scikit-learn's and with formulas written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_node.evaluation.measures.observed import Observed
from folkmoot_node.evaluation.measures.orders import order_of_whole
from folkmoot_node.evaluation.measures.ranking import (
    PARTS,
    auc,
    auc_interval,
    average_precision,
    ranking,
)
from folkmoot_node.evaluation.measures.tally import Tally, tally

NONE = np.empty(0, dtype=np.int64)
households = st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=2, max_size=40).filter(
    lambda rows: len({event for _, event in rows}) == 2
)


def counted(score, event) -> Tally:
    seen = Observed(len(score), np.flatnonzero(event), NONE, NONE)
    return tally(order_of_whole(np.asarray(score, dtype=np.int32)), seen)


@given(households)
def test_figures_are_those_of_scikit_learn(rows) -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    score, event = (np.array(one) for one in zip(*rows, strict=True))
    found = counted(score, event)
    assert auc(found.events, found.others) == pytest.approx(metrics.roc_auc_score(event, score))
    assert average_precision(found.events, found.others) == pytest.approx(
        metrics.average_precision_score(event, score)
    )


@given(households)
def test_the_interval_of_delong_is_that_of_pairs(rows) -> None:
    score, event = (np.array(one) for one in zip(*rows, strict=True))
    pairs = (score[event][:, None] > score[~event]) + (score[event][:, None] == score[~event]) / 2
    area, (e, n) = pairs.mean(), pairs.shape
    spread = [
        ((pairs.mean(axis=axis) - area) ** 2).sum() / max(1, pairs.shape[1 - axis] - 1)
        for axis in (1, 0)
    ]
    variance = spread[0] / e + spread[1] / n
    interval = auc_interval(counted(score, event))
    assert 0 <= interval.low <= area <= interval.high <= 1
    if 0 < area < 1 and variance > 1e-12:
        half = 1.959964 * math.sqrt(variance) / (area * (1 - area))
        for limit, sign in ((interval.low, -1), (interval.high, 1)):
            assert limit == pytest.approx(1 / (1 + (1 / area - 1) * math.exp(-sign * half)), 1e-5)


def test_many_values_give_the_intervals_that_keeping_all_apart_would(monkeypatch) -> None:
    draw = np.random.default_rng(3)
    score = draw.integers(0, 100_000, 20_000)
    event = draw.random(20_000) < 0.02 + 0.1 * (score > 80_000)
    found = counted(score, event)
    assert np.count_nonzero(found.observed) > 10 * PARTS
    coarse = ranking(found, resamples=1000, seed=(1,))
    monkeypatch.setattr("folkmoot_node.evaluation.measures.ranking.PARTS", 10**6)
    monkeypatch.setattr("folkmoot_node.evaluation.measures.ranking.AT_ONCE", 50)
    fine = ranking(found, resamples=300, seed=(1,))
    assert (coarse.auc, coarse.average_precision) == (fine.auc, fine.average_precision)
    for one, other in (
        (coarse.auc_interval, fine.auc_interval),
        (coarse.average_precision_interval, fine.average_precision_interval),
    ):
        width = other.high - other.low
        assert one.low == pytest.approx(other.low, abs=0.15 * width)
        assert one.high == pytest.approx(other.high, abs=0.15 * width)


def test_a_seed_gives_the_same_intervals_and_another_seed_others() -> None:
    draw = np.random.default_rng(5)
    score = draw.integers(0, 50, 500)
    found = counted(score, draw.random(500) < score / 200)
    one, again, other = (ranking(found, resamples=200, seed=(at,)) for at in (1, 1, 2))
    assert one == again
    assert one.auc == other.auc
    assert one.auc_interval != other.auc_interval


def test_a_perfect_order_has_an_interval_that_is_no_point() -> None:
    found = counted([0] * 20 + [1] * 20, np.arange(40) >= 20)
    assert auc(found.events, found.others) == 1
    assert 0.5 < auc_interval(found).low < 1 == auc_interval(found).high
