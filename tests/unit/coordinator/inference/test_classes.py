"""Classes of a map, and when an area is certain."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_coordinator.inference.classes import (
    CERTAIN_FROM,
    classify,
    quantile_breaks,
)

NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60).map(np.array)


@given(NUMBERS, st.integers(1, 5))
def test_breaks_ascend_and_have_areas_on_both_sides(value: np.ndarray, classes: int) -> None:
    breaks = quantile_breaks(value, classes)
    assert len(breaks) <= classes - 1
    assert (np.diff(breaks) > 0).all()
    assert all((value < one).any() and (value >= one).any() for one in breaks)


def test_quantile_breaks_are_round_and_share_areas_evenly() -> None:
    value = np.random.default_rng(5).normal(163.7, 41.3, 1000)
    breaks = quantile_breaks(value)
    assert len(breaks) == 4
    assert (breaks % 1 == 0).all()
    numbers = classify(value, np.ones(1000), breaks).number
    assert np.bincount(numbers).min() > 100


def test_a_class_holds_its_lower_end() -> None:
    found = classify(np.array([9.0, 10.0, 20.0, 31.0]), np.full(4, 1e-9), np.array([10.0, 20.0]))
    assert found.number.tolist() == [0, 1, 2, 2]


def test_precise_areas_are_certain_and_those_at_a_break_are_not() -> None:
    value = np.array([2.0, 9.9, 10.1, 30.0, 50.0, 19.0])
    found = classify(value, np.full(6, 0.25), np.array([10.0, 20.0]))
    assert found.number.tolist() == [0, 0, 1, 2, 2, 1]
    assert found.certain.tolist() == [True, False, False, True, True, True]
    assert 0.5 < found.probability[1] < 0.65


def test_noise_alone_is_never_certain() -> None:
    rng = np.random.default_rng(1)
    value = 20 + rng.normal(size=1817)
    found = classify(value, np.ones(1817), quantile_breaks(value))
    assert found.certain.mean() < 0.01


def test_probabilities_are_kept_where_truth_and_noise_are_normal() -> None:
    """Standard error of a mean of 40 x 500 outcomes of 0 or 1: below 0.0036; 5 of them allowed."""
    rng = np.random.default_rng(2)
    stated, right = [], []
    sure: list[np.ndarray] = []
    for _ in range(40):
        error = rng.choice([1.0, 3.0], 500)
        truth = rng.normal(50, 3, 500)
        value = truth + error * rng.normal(size=500)
        breaks = quantile_breaks(value)
        found = classify(value, error**2, breaks)
        inside = np.searchsorted(breaks, truth, side="right") == found.number
        stated.append(found.probability)
        right.append(inside)
        sure.append(inside[found.certain])
    assert abs(np.mean(stated) - np.mean(right)) < 0.018
    assert len(np.concatenate(sure)) > 300
    assert np.concatenate(sure).mean() >= CERTAIN_FROM


@pytest.mark.parametrize("value", [np.array([5.0]), np.array([5.0, 5.0, 5.0]), np.zeros(0)])
def test_areas_that_do_not_differ_are_in_one_class(value: np.ndarray) -> None:
    assert len(quantile_breaks(value)) == 0
    assert classify(value, np.zeros(len(value)), np.zeros(0)).certain.all()


def test_a_map_has_at_most_five_classes() -> None:
    with pytest.raises(ValueError, match="1 to 5"):
        quantile_breaks(np.arange(9.0), 6)
    with pytest.raises(ValueError, match="missing"):
        quantile_breaks(np.array([1.0, np.nan]))
    with pytest.raises(ValueError, match="ascend"):
        classify(np.arange(3.0), np.ones(3), np.array([2.0, 1.0]))
