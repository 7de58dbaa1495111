"""Projections are the closest tables: against all active sets, and by optimality conditions."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot_coordinator.aggregation.consistent_tables.projection import (
    OneWay,
    TwoWay,
    TwoWayProjection,
    project_one_way,
)
from tests.unit.coordinator.aggregation.nested_tables import Table

VALUES = st.floats(-20, 20, allow_subnormal=False)


def one_way(group: list[int], totals: list[int]) -> OneWay:
    return OneWay(np.array(group, dtype=np.int64), np.array(totals, dtype=np.int64))


def two_way(truth: Table) -> TwoWay:
    """The sums of a table of shape (blocks, rows, columns)."""
    blocks, rows, columns = truth.shape
    cells = np.arange(truth.size)
    row = cells // columns
    column = cells // (rows * columns) * columns + cells % columns
    return TwoWay(
        OneWay(row, truth.sum(axis=2).ravel()),
        OneWay(column, truth.sum(axis=1).ravel()),
        np.arange(blocks * rows) // rows,
        np.arange(blocks * columns) // columns,
    )


def incidence(*sums: OneWay) -> tuple[Table, Table]:
    """The sums as linear equations."""
    matrix = np.concatenate(
        [one.group == np.arange(len(one.totals))[:, None] for one in sums]
    ).astype(np.float64)
    return matrix, np.concatenate([one.totals for one in sums]).astype(np.float64)


def closest(target: Table, matrix: Table, wanted: Table) -> Table:
    """The quadratic programme by trying every set of cells that may be positive."""
    best, least = None, np.inf
    for free in product((False, True), repeat=len(target)):
        found = np.zeros(len(target))
        part = matrix[:, free]
        missing = wanted - part @ target[list(free)]
        found[list(free)] = target[list(free)] + np.linalg.pinv(part) @ missing
        distance = ((found - target) ** 2).sum()
        if (
            np.allclose(matrix @ found, wanted, atol=1e-7)
            and found.min(initial=0) > -1e-9
            and distance < least
        ):
            best, least = found, distance
    assert best is not None
    return best


@settings(deadline=None)
@given(
    st.lists(st.tuples(VALUES, st.integers(0, 2)), min_size=1, max_size=8),
    st.lists(st.integers(0, 12), min_size=3, max_size=3),
)
def test_one_way_is_the_closest(cells: list[tuple[float, int]], totals: list[int]) -> None:
    target = np.array([value for value, _ in cells])
    group = [at for _, at in cells]
    totals = [total if at in group else 0 for at, total in enumerate(totals)]
    sums = one_way(group, totals)
    found = project_one_way(target, sums)
    np.testing.assert_allclose(found, closest(target, *incidence(sums)), atol=1e-7)


@settings(deadline=None, max_examples=50)
@given(
    st.lists(st.integers(0, 3), min_size=6, max_size=6),
    st.lists(VALUES, min_size=6, max_size=6),
)
def test_two_way_is_the_closest(truth: list[int], target: list[float]) -> None:
    sums = two_way(np.array(truth).reshape(1, 2, 3))
    found = TwoWayProjection(sums, tolerance=1e-9)(np.array(target))
    expected = closest(np.array(target), *incidence(sums.rows, sums.columns))
    np.testing.assert_allclose(found, expected, atol=1e-5)


@settings(deadline=None, max_examples=50)
@given(
    st.integers(1, 3), st.integers(1, 12), st.integers(1, 8), st.integers(0, 2**32),
    st.sampled_from([0.1, 2.0, 100.0]),
)  # fmt: skip
def test_no_table_with_the_sums_is_closer(
    blocks: int, rows: int, columns: int, seed: int, mean: float
) -> None:
    """On the way from the closest to any other such table the distance rises at once."""
    rng = np.random.default_rng(seed)
    truth = rng.poisson(mean, (blocks, rows, columns))
    target = (truth + rng.normal(0, 4, truth.shape)).ravel()
    sums = two_way(truth)
    project = TwoWayProjection(sums, tolerance=1e-9)
    project(target[::-1].copy())  # where the last projection ended does not matter
    found = project(target)
    matrix, wanted = incidence(sums.rows, sums.columns)
    np.testing.assert_allclose(matrix @ found, wanted, atol=1e-8)
    assert found.min() >= 0
    other = truth.copy()
    for _ in range(100):
        block = rng.integers(blocks)
        first, second = rng.integers(rows, size=2)
        left, right = rng.integers(columns, size=2)
        moved = min(other[block, first, left], other[block, second, right])
        if first != second and left != right:
            other[block, [first, second], [left, right]] -= moved
            other[block, [first, second], [right, left]] += moved
        assert (found - target) @ (other.ravel() - found) > -1e-4


@pytest.mark.parametrize("project", ["one-way", "two-way"])
def test_what_has_the_sums_is_not_moved(project: str) -> None:
    truth = np.random.default_rng(1).poisson(2, (3, 4, 5))
    sums = two_way(truth)
    how: Callable[[Table], Table] = TwoWayProjection(sums)
    if project == "one-way":

        def how(target: Table) -> Table:
            return project_one_way(target, sums.rows)

    np.testing.assert_array_equal(how(truth.ravel().astype(np.float64)), truth.ravel())


@given(st.integers(0, 2**32))
def test_cells_in_another_order_are_projected_alike(seed: int) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.poisson(2, (2, 4, 3))
    target = (truth + rng.normal(0, 3, truth.shape)).ravel()
    sums = two_way(truth)
    swap = rng.permutation(truth.size)
    swapped = TwoWay(
        OneWay(sums.rows.group[swap], sums.rows.totals),
        OneWay(sums.columns.group[swap], sums.columns.totals),
        sums.row_block,
        sums.column_block,
    )
    np.testing.assert_allclose(
        TwoWayProjection(swapped, 1e-9)(target[swap]),
        TwoWayProjection(sums, 1e-9)(target)[swap],
        atol=1e-7,
    )
    np.testing.assert_allclose(
        project_one_way(target[swap], swapped.rows),
        project_one_way(target, sums.rows)[swap],
        atol=1e-9,
    )


def test_a_large_sparse_table_has_its_sums_within_the_tolerance() -> None:
    rng = np.random.default_rng(2)
    truth = rng.poisson(0.05 * rng.gamma(0.5, 2, (60, 17, 60)))
    target = (truth + rng.normal(0, 3, truth.shape)).ravel()
    sums = two_way(truth)
    found = TwoWayProjection(sums)(target)
    for one in (sums.rows, sums.columns):
        off = np.bincount(one.group, weights=found) - one.totals
        assert np.abs(off).max() <= 0.02
