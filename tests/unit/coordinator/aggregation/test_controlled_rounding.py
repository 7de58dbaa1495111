"""Whole numbers next to a table's cells, with exactly its sums."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot_coordinator.aggregation.consistent_tables.controlled_rounding import (
    round_one_way,
    round_two_way,
)
from folkmoot_coordinator.aggregation.consistent_tables.projection import OneWay, TwoWayProjection
from tests.unit.coordinator.aggregation.test_projection import one_way, two_way


def test_largest_remainders_by_hand() -> None:
    """1.4 + 2.3 + 0.3 is 4: one is left over after 1, 2, 0, and 1.4 has the largest remainder.
    Of equal remainders the first cell gets it."""
    sums = one_way([0, 0, 0, 1, 1], [4, 3])
    assert round_one_way(np.array([1.4, 2.3, 0.3, 1.5, 1.5]), sums).tolist() == [2, 2, 0, 2, 1]


@given(st.integers(0, 2**32), st.integers(1, 40), st.integers(1, 6))
def test_one_way_keeps_sums_and_stays_near(seed: int, cells: int, groups: int) -> None:
    rng = np.random.default_rng(seed)
    group = rng.integers(0, groups, cells)
    totals = np.bincount(group, minlength=groups) * rng.integers(0, 9)
    values = rng.exponential(size=cells)
    sums = np.bincount(group, weights=values, minlength=groups)
    values *= (totals / np.where(sums > 0, sums, 1))[group]
    found = round_one_way(values, OneWay(group, totals))
    np.testing.assert_array_equal(np.bincount(group, weights=found, minlength=groups), totals)
    assert (np.abs(found - values) < 1 + 1e-9).all()


@settings(deadline=None)
@given(
    st.integers(0, 2**32),
    st.integers(1, 4),
    st.integers(1, 30),
    st.integers(1, 12),
    st.sampled_from([0.05, 1.0, 500.0]),
)
def test_two_way_keeps_rows_and_columns_and_stays_near(
    seed: int, blocks: int, rows: int, columns: int, mean: float
) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.poisson(mean, (blocks, rows, columns))
    sums = two_way(truth)
    values = TwoWayProjection(sums)((truth + rng.normal(0, 3, truth.shape)).ravel())
    found = round_two_way(values, sums).reshape(truth.shape)
    np.testing.assert_array_equal(found.sum(axis=2), truth.sum(axis=2))
    np.testing.assert_array_equal(found.sum(axis=1), truth.sum(axis=1))
    assert found.min() >= 0
    assert (np.abs(found.ravel() - values) < 1.1).all()


@given(st.integers(0, 2**32))
def test_two_way_mends_any_table_whatever_its_sums(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.poisson(2, (2, 6, 4))
    sums = two_way(truth)
    for values in (np.zeros(truth.size), rng.exponential(5, truth.size)):
        found = round_two_way(values, sums).reshape(truth.shape)
        np.testing.assert_array_equal(found.sum(axis=2), truth.sum(axis=2))
        np.testing.assert_array_equal(found.sum(axis=1), truth.sum(axis=1))
        assert found.min() >= 0


def test_rounding_does_not_favour_common_codes() -> None:
    """Sixty areas of one household each, who are seven to three of code 0: largest remainders
    area by area would make them all so."""
    values = np.tile([0.7, 0.3], 60)
    truth = np.zeros((1, 60, 2), dtype=np.int64)
    truth[0, :42, 0] = 1
    truth[0, 42:, 1] = 1
    found = round_two_way(values, two_way(truth)).reshape(60, 2)
    assert found.sum(axis=0).tolist() == [42, 18]
    # Nor the codes of one end of the list: any run of areas gets its share, within one.
    runs = np.cumsum(found[:, 0]) - 0.7 * np.arange(1, 61)
    assert np.abs(runs).max() < 2
