"""Orders, cuts and counts: equal values stand together, and the order of rows says nothing."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot_node.evaluation.measures import orders
from folkmoot_node.evaluation.measures.observed import Observed
from folkmoot_node.evaluation.measures.orders import moved, order_of, order_of_whole, thousandths
from folkmoot_node.evaluation.measures.tally import tally

NONE = np.empty(0, dtype=np.int64)
values = st.lists(
    st.none() | st.integers(-5, 5) | st.floats(-5, 5).map(lambda one: round(one, 2)),
    min_size=1,
    max_size=30,
)


@given(values)
def test_an_order_is_that_of_the_values_and_the_unknown_come_last(given) -> None:
    points = np.array([np.nan if one is None else one for one in given], dtype=np.float64)
    order = order_of(points)
    assert order.code.dtype == np.int32
    assert order.count.sum() == len(points)
    np.testing.assert_array_equal(order.values[order.code], points)
    filled = np.where(np.isnan(points), -100, points)
    for one, other in itertools.combinations(range(len(points)), 2):
        apart = np.sign(filled[one] - filled[other])
        assert np.sign(int(order.code[one]) - int(order.code[other])) == apart


@given(st.lists(st.integers(-2_000_000, 2_000_000), min_size=1, max_size=30))
def test_sorting_and_counting_give_the_same_order(given) -> None:
    whole = np.array(given, dtype=np.int32)
    found = order_of_whole(whole)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(orders, "MAX_CODES", 0)
        by_sorting = order_of_whole(whole)
    np.testing.assert_array_equal(found.values[found.code], by_sorting.values[by_sorting.code])
    np.testing.assert_array_equal(np.argsort(found.code, kind="stable"),
                                  np.argsort(by_sorting.code, kind="stable"))  # fmt: skip
    np.testing.assert_array_equal(found.count[found.count > 0], by_sorting.count)


@given(
    st.lists(st.tuples(st.integers(-9, 9), st.integers(-9, 9)), min_size=1, max_size=30),
    st.booleans(),
)
def test_counting_those_that_moved_gives_the_order_of_all(drawn, is_sorted) -> None:
    before, by = np.array(drawn, dtype=np.int32).T
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(orders, "MAX_CODES", 0 if is_sorted else 100)
        patch.setattr(orders, "MAX_CODES_EACH", 100)
        order, rows = order_of_whole(before), np.flatnonzero(by)
        found, whole = moved(order, rows, by[rows]), order_of_whole(before + by)
    for one in (found, whole):
        np.testing.assert_array_equal(np.rint(one.values[one.code] * 1000), before + by)
        np.testing.assert_array_equal(np.bincount(one.code, minlength=one.codes), one.count)
    np.testing.assert_array_equal(found.count[found.count > 0], whole.count[whole.count > 0])
    np.testing.assert_array_equal(order.values[order.code] * 1000, before)  # it stays as it was


def test_points_become_whole_thousandths() -> None:
    assert thousandths(np.array([0.1 + 0.2, 30.0])).tolist() == [300, 30000]


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.booleans()), min_size=1, max_size=6),
    st.integers(1, 8),
)
def test_ties_are_counted_by_expectation(households, capacity) -> None:
    """The mean over all ways in which rows of equal scores can stand."""
    score = np.array([one for one, _ in households], dtype=np.int32)
    events = np.array([one for _, one in households])
    order = order_of_whole(score)
    counted = tally(order, Observed(len(score), np.flatnonzero(events), NONE, NONE))
    cut = counted.cut(capacity)
    found, times = np.zeros(len(score)), 0
    for rows in itertools.permutations(range(len(score))):
        chosen = sorted(rows, key=lambda row: -score[row])[:capacity]
        found[chosen] += 1
        times += 1
    assert cut.visited == min(capacity, len(score))
    assert cut.weights(order.code) == pytest.approx(found / times)
    assert cut.of(counted.events) == pytest.approx(found[events].sum() / times)
    assert cut.of(counted.considered) == pytest.approx(cut.visited)
