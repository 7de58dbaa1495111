"""Sharing out a quantity: totals, negatives, whole units, and whether stated chances are true."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize

from folkmoot_coordinator.inference.allocation import (
    Needs,
    Rule,
    Threshold,
    allocate,
    whole_units,
)
from folkmoot_coordinator.inference.nonnegative import without_negatives
from folkmoot_operator.problems import Problem


def needs(seed: int, areas: int = 120, spread: float = 12.0, error: float = 8.0) -> Needs:
    rng = np.random.default_rng(seed)
    district = np.sort(rng.integers(0, 4, areas))
    deviation = np.where(district == 3, 2.5, 1.0) * error
    truth = np.maximum(30 + 5 * district + spread * rng.normal(size=areas), 0)
    return Needs(truth + deviation * rng.normal(size=areas), deviation**2, district)


def test_negatives_are_not_clipped_one_by_one() -> None:
    value = np.array([-4.0, 10.0, 14.0, 30.0])
    district = np.array([0, 0, 0, 1])
    found = without_negatives(value, np.ones(4), district)
    np.testing.assert_allclose(found, [0, 8, 12, 30])


def test_noisier_areas_give_way_more() -> None:
    found = without_negatives(
        np.array([-4.0, 10.0, 14.0]), np.array([1.0, 1.0, 3.0]), np.zeros(3, int)
    )
    np.testing.assert_allclose(found, [0, 9, 11])


def test_a_district_below_zero_gets_nothing() -> None:
    found = without_negatives(
        np.array([-4.0, -2.0, 10.0, 14.0]), np.ones(4), np.array([0, 0, 1, 1])
    )
    np.testing.assert_allclose(found, [0, 0, 7, 11])


@given(
    st.lists(st.floats(-50, 100), min_size=2, max_size=12).map(np.array),
    st.integers(0, 2**31),
)
def test_needs_are_the_closest_with_their_totals(value: np.ndarray, seed: int) -> None:
    rng = np.random.default_rng(seed)
    variance = rng.uniform(0.5, 20, len(value))
    district = rng.integers(0, 3, len(value))
    if value.sum() <= 1:
        return
    found = without_negatives(value, variance, district)
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(value.sum())
    for one in np.unique(district):
        inside = district == one
        total = float(found[inside].sum())
        if (value[inside].sum() >= 0) and (np.bincount(district, value) >= 0).all():
            assert total == pytest.approx(value[inside].sum(), abs=1e-6)
        # Optimal: no amount can move between two areas with gain.
        slope = (found - value)[inside] / variance[inside]
        held = slope[found[inside] > 1e-9]
        if len(held):
            assert np.ptp(held) < 1e-6
            assert (slope >= held.min() - 1e-6).all()


def test_the_closest_needs_are_those_of_a_solver() -> None:
    value, variance = np.array([-3.0, 2.0, 7.0, -1.0, 4.0]), np.array([1.0, 4.0, 2.0, 9.0, 1.0])
    best = optimize.minimize(
        lambda x: float(((x - value) ** 2 / variance).sum()),
        np.full(5, 1.8),
        bounds=[(0, None)] * 5,
        constraints={"type": "eq", "fun": lambda x: x.sum() - value.sum()},
        method="SLSQP",
        options={"ftol": 1e-12},
    )
    found = without_negatives(value, variance, np.zeros(5, int))
    np.testing.assert_allclose(found, best.x, atol=1e-4)


@pytest.mark.parametrize("left", [1e-9, 1e-7, 1e-3])
def test_a_total_that_is_small_beside_the_estimates_is_kept(left: float) -> None:
    value = np.array([-1e7, 1e7 + left, 0.0])
    found = without_negatives(value, np.array([1.0, 3.0, 2.0]), np.array([0, 0, 0]))
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(value.sum())


def test_shares_of_districts_stay_unbiased_where_clipping_would_not() -> None:
    """Fails by chance less than once in a million times: standard errors are printed below."""
    rng = np.random.default_rng(12)
    district = np.repeat([0, 1], 50)
    truth = np.where(district == 0, 2.0, 30.0)
    kept, clipped = [], []
    for _ in range(400):
        value = truth + 8 * rng.normal(size=100)
        found = without_negatives(value, np.full(100, 64.0), district)
        kept.append(found[:50].sum())
        clipped.append(np.maximum(value, 0)[:50].sum())
    error = 8 * 50**0.5 / 400**0.5
    assert abs(np.mean(kept) - 100) < 5 * error
    assert np.mean(clipped) - 100 > 20 * error


def test_without_need_nothing_can_be_shared_out() -> None:
    with pytest.raises(Problem, match="not above zero"):
        without_negatives(np.array([-5.0, 3.0]), np.ones(2), np.zeros(2, int))
    with pytest.raises(Problem, match="one area alone"):
        allocate(Needs(np.ones(1), np.ones(1), np.zeros(1, int)), 5, seed="r")
    with pytest.raises(ValueError, match="something"):
        allocate(needs(1), 0, seed="r")
    with pytest.raises(Problem, match="threshold"):
        allocate(needs(1), 10, seed="r", threshold=Threshold(need=1e6))


@given(
    st.lists(st.floats(0, 1e5), min_size=1, max_size=30),
    st.integers(0, 10**6),
    st.integers(0, 2**31),
)
def test_whole_units_add_up(weights: list[float], quantity: int, seed: int) -> None:
    share = np.array(weights)
    if share.sum() < 1e-3:
        return
    share = share / share.sum()
    district = np.random.default_rng(seed).integers(0, 4, len(share))
    units = whole_units(share, district, quantity)
    assert units.sum() == quantity
    assert (units >= 0).all()
    assert (np.abs(units - quantity * share) < 2 + 1e-6).all()
    totals = np.bincount(district, quantity * share)
    assert (np.abs(np.bincount(district, units) - totals) < 1 + 1e-6).all()
    assert (units[share == 0] == 0).all()


def test_alternatives_are_side_by_side_and_the_same_each_time() -> None:
    given_ = needs(2)
    found = allocate(given_, 5000, seed="round-7", threshold=Threshold(need=35.0))
    again = allocate(given_, 5000, seed="round-7", threshold=Threshold(need=35.0))
    other = allocate(given_, 5000, seed="round-8", threshold=Threshold(need=35.0))
    assert [one.rule for one in found.alternatives] == list(Rule)
    assert (found.lower == again.lower).all()
    assert not (found.lower == other.lower).all()
    for one in found.alternatives:
        assert one.areas.units.sum() == one.districts.units.sum() == 5000
        assert one.misplaced < one.misplaced_at_most < 5000
    proportional, threshold, shrunken = found.alternatives
    assert (threshold.areas.units == 0).any()
    assert shrunken.misplaced < proportional.misplaced < threshold.misplaced
    districts = np.bincount(given_.district, proportional.areas.units)
    assert districts.tolist() == proportional.districts.units.tolist()


def test_chosen_areas_share_equally_if_asked() -> None:
    found = allocate(
        needs(2), 5000, seed="r", threshold=Threshold(need=35.0, probability=0.9, equally=True)
    )
    units = found.alternatives[1].areas.units
    assert len(set(units[units > 0].tolist())) <= 3
    with pytest.raises(ValueError, match="between 0 and 1"):
        Threshold(need=3, probability=1.0)


def test_precise_needs_are_served_as_they_are_due() -> None:
    rng = np.random.default_rng(3)
    value = rng.uniform(10, 90, 40)
    found = allocate(Needs(value, np.full(40, 1e-6), np.zeros(40, int)), 10_000, seed="r")
    for one in found.alternatives:
        assert one.areas.under_served.max() == 0
        assert one.areas.over_served.max() == 0
        assert one.misplaced < 20  # rounding alone
    np.testing.assert_allclose(found.upper, 10_000 * value / value.sum(), rtol=1e-3)


def test_stated_chances_and_intervals_are_true() -> None:
    """60 tables of 120 areas; areas of a table hang together little, so 7,200 outcomes nearly.

    The share of outcomes then has a standard error of 0.006 at most; 5 of them are allowed, and
    the model's own error beside.
    """
    stated: dict[Rule, list[float]] = {rule: [] for rule in Rule}
    happened: dict[Rule, list[float]] = {rule: [] for rule in Rule}
    held, held_districts = [], []
    rng = np.random.default_rng(9)
    district = np.repeat(np.arange(4), 30)
    deviation = np.where(district == 3, 20.0, 8.0)
    for table in range(60):
        truth = np.maximum(60 + 5 * district + 12 * rng.normal(size=120), 0)
        value = truth + deviation * rng.normal(size=120)
        found = allocate(
            Needs(value, deviation**2, district),
            5000,
            seed=str(table),
            threshold=Threshold(need=60.0, probability=0.5),
        )
        due = 5000 * truth / truth.sum()
        held.append(((found.lower <= due) & (due <= found.upper)).mean())
        of_districts = np.bincount(district, due)
        held_districts.append(
            (found.district_lower <= of_districts) & (of_districts <= found.district_upper)
        )
        for one in found.alternatives:
            lacks = due - one.areas.units > np.maximum(0.1 * due, 1)
            stated[one.rule].append(float(one.areas.under_served.mean()))
            happened[one.rule].append(float(lacks.mean()))
    for rule in Rule:
        assert np.mean(happened[rule]) == pytest.approx(np.mean(stated[rule]), abs=0.03)
    assert np.mean(happened[Rule.PROPORTIONAL]) > np.mean(happened[Rule.SHRUNKEN])
    assert 0.93 < np.mean(held) < 0.97
    assert 0.9 < np.mean(held_districts) < 0.995
