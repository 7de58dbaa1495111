"""Presentable tables: whole, not negative, and all sums agree."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from folkmoot.hierarchy import Axis
from folkmoot.strategy import Depths
from folkmoot_coordinator.aggregation.consistent_tables.fit import presentable
from folkmoot_coordinator.aggregation.consistent_tables.fitting_order import (
    FittingOrder,
    fitting_order,
)
from folkmoot_coordinator.aggregation.consistent_tables.nested_axes import CellGrid
from tests.unit.coordinator.aggregation.nested_tables import (
    Case,
    Table,
    axis,
    cases,
    plain,
    sizes,
    sums,
)


def order_of(case: Case) -> FittingOrder:
    return fitting_order(case.asked, sizes(case.axes), case.areas)


def check_agreement(axes: tuple[Axis, ...], tables: dict[Depths, Table]) -> None:
    """Each two tables have the same sums over what they share."""
    domain = CellGrid(axes)
    for (one, first), (other, second) in combinations(tables.items(), 2):
        shared = tuple(map(min, one, other))
        np.testing.assert_array_equal(
            domain.total(first, one, shared), domain.total(second, other, shared)
        )


@settings(max_examples=300, deadline=None)
@given(cases(), st.sampled_from([0.2, 3.0, 40.0]), st.sampled_from([0.5, 4.0, 30.0]))
def test_tables_are_whole_and_not_negative_and_agree(case: Case, mean: float, noise: float) -> None:
    order = order_of(case)
    estimates = case.estimates(mean, noise)
    found = presentable(estimates, CellGrid(case.axes), order)

    assert set(found) | set(order.left_out) == set(case.asked)
    assert not set(found) & set(order.left_out)
    for depths, table in found.items():
        assert table.dtype == np.int64
        assert table.shape == estimates[depths].shape
        assert table.min(initial=0) >= 0
    check_agreement(case.axes, found)
    total = max(0.0, float(np.rint(estimates[order.presented[0]].sum())))
    assert {int(table.sum()) for table in found.values()} <= {int(total)}


@settings(max_examples=200, deadline=None)
@given(cases(), st.sampled_from([0.2, 3.0, 1000.0]))
def test_what_is_presentable_already_is_not_changed(case: Case, mean: float) -> None:
    exact = sums(case.axes, case.households(mean), case.asked)
    order = order_of(case)
    blurred = {depths: table + 1e-9 for depths, table in exact.items()}
    for estimates in (exact, blurred):
        found = presentable(
            {depths: table.astype(np.float64) for depths, table in estimates.items()},
            CellGrid(case.axes),
            order,
        )
        for depths, table in found.items():
            np.testing.assert_array_equal(table, exact[depths])


@settings(max_examples=100, deadline=None)
@given(cases())
def test_the_same_estimates_give_the_same_tables(case: Case) -> None:
    estimates = case.estimates(2.0, 5.0)
    first, second = (presentable(estimates, CellGrid(case.axes), order_of(case)) for _ in range(2))
    for depths, table in first.items():
        np.testing.assert_array_equal(table, second[depths])


@given(st.integers(2, 6), st.integers(2, 6), st.randoms(use_true_random=False))
def test_codes_in_another_order_give_the_same_table(rows: int, columns: int, random) -> None:  # type: ignore[no-untyped-def]
    """Of one marginal, which is fitted one-way; ties do not occur among random numbers."""
    rng = np.random.default_rng(random.randrange(2**32))
    estimates = rng.normal(3, 4, (rows, columns))
    swaps = rng.permutation(rows), rng.permutation(columns)
    axes = (plain(rows), plain(columns))
    order = fitting_order([(1, 1)], sizes(axes))
    table = presentable({(1, 1): estimates}, CellGrid(axes), order)[1, 1]
    swapped = presentable({(1, 1): estimates[np.ix_(*swaps)]}, CellGrid(axes), order)[1, 1]
    np.testing.assert_array_equal(swapped, table[np.ix_(*swaps)])


def test_a_small_table_by_hand() -> None:
    """-2, 1, 5.4 sum to 4.4: of the total of 4, 0.2 are taken from 1 and 5.4 each, and then -2
    is below 0; so (0, 1 - t, 5.4 - t) with t = 1.2 would leave 1 below 0: (0, 0, 4)."""
    axes = (plain(3),)
    order = fitting_order([(1,)], sizes(axes))
    found = presentable({(1,): np.array([-2.0, 1.0, 5.4])}, CellGrid(axes), order)
    assert found[1,].tolist() == [0, 0, 4]
    # 6.6 in all, so 7: each cell is raised by 0.4 / 3, and 1.33 is rounded up.
    found = presentable({(1,): np.array([0.2, 1.4, 5.0])}, CellGrid(axes), order)
    assert found[1,].tolist() == [0, 2, 5]


def test_a_negative_total_gives_empty_tables() -> None:
    axes = (plain(2), plain(2))
    order = fitting_order([(1, 1)], sizes(axes))
    found = presentable({(1, 1): np.array([[-3.0, 1.0], [0.0, 1.0]])}, CellGrid(axes), order)
    assert found[1, 1].sum() == 0


def test_an_area_without_areas_below_has_no_household() -> None:
    """Ward 1 has no LSOA, so no household is counted there, whatever noise says."""
    axes = (axis([0, 0, 0], [0, 2, 2]), plain(2))
    asked = [(2, 1), (1, 1), (1, 0)]
    order = fitting_order(asked, sizes(axes), {0: 1})
    rng = np.random.default_rng(3)
    estimates = sums(axes, rng.normal(9, 2, (3, 2)), asked)
    estimates[1, 0][1] = 40.0  # a component of its own may say so
    found = presentable(estimates, CellGrid(axes), order)
    assert found[1, 0].ravel().tolist()[1] == 0
    check_agreement(axes, found)


def test_a_council_without_codes_has_no_household() -> None:
    axes = (axis([]), plain(3))
    asked = [(1, 1), (0, 1)]
    order = fitting_order(asked, [[1, 4], [1, 3]], {0: 1})
    found = presentable(
        {(1, 1): np.zeros((0, 3)), (0, 1): np.array([[4.0, 1.0, -2.0]])}, CellGrid(axes), order
    )
    assert found[1, 1].shape == (0, 3)
    assert found[0, 1].tolist() == [[0, 0, 0]]


def test_a_round_of_the_most_attributes_is_presented() -> None:
    axes = (plain(5), *(plain(2) for _ in range(63)))
    asked = [tuple(int(at in pair) for at in range(64)) for pair in combinations(range(64), 2)][
        :100
    ]
    order = fitting_order(asked, sizes(axes), {0: 1})
    assert not order.left_out
    rng = np.random.default_rng(0)
    codes = np.stack([rng.integers(0, one.size(1), 300) for one in axes])
    exact = {}
    for table in asked:
        exact[table] = np.zeros(CellGrid(axes).shape(table))
        np.add.at(exact[table], tuple(np.where(np.array(table)[:, None], codes, 0)), 1)
    found = presentable(exact, CellGrid(axes), order)
    for table in asked:
        np.testing.assert_array_equal(found[table], exact[table])


@pytest.mark.parametrize("circle", ["pairs", "pairs in areas", "ring"])
def test_marginals_in_circles_are_as_near_as_unbiased_ones(circle: str) -> None:
    """Each two of three or more attributes, where no junction tree of the marginals exists."""
    axes = (axis([0] * 8, [at // 5 for at in range(40)]), *(plain(3) for _ in range(4)))
    inside = list(combinations(range(1, 5), 2))
    if circle == "ring":
        inside = [(1, 2), (2, 3), (3, 4), (1, 4)]
    depth = 0 if circle == "pairs" else 2
    asked = [(depth, *(int(at in pair) for at in range(1, 5))) for pair in inside]
    order = fitting_order(asked, sizes(axes), {0: 1})
    assert not order.left_out
    rng = np.random.default_rng(17)
    shape = tuple(one.size(len(one.levels)) for one in axes)
    shares = rng.dirichlet(np.full(81, 0.3)).reshape(1, 3, 3, 3, 3)
    truth = rng.poisson(400 * shares, shape)
    scale = 4 / np.sqrt(9 if depth else 9 * 40)  # about 4 households in a cell asked for
    estimates = sums(axes, truth + scale * rng.normal(size=shape), asked)
    exact = sums(axes, truth, asked)
    found = presentable(estimates, CellGrid(axes), order)
    check_agreement(axes, found)
    for table in asked:
        noise = np.sqrt(((estimates[table] - exact[table]) ** 2).mean())
        error = np.sqrt(((found[table] - exact[table]) ** 2).mean())
        assert error < 1.2 * noise + 0.3


def test_sums_of_many_small_cells_stay_near_their_estimates() -> None:
    """Most cells of an LSOA are empty; their bias must not pile up in its other marginals."""
    areas, bands, ages = 60, 5, 6
    axes = (plain(areas), plain(bands), plain(ages), plain(2))
    asked = [(1, 1, 1, 1), (1, 0, 0, 1), (0, 1, 1, 0)]
    rng = np.random.default_rng(5)
    shares = rng.dirichlet(np.full(bands * ages * 2, 0.2)).reshape(bands, ages, 2)
    truth = rng.poisson(300 * shares, (areas, bands, ages, 2))
    estimates = sums(axes, truth + 3 * rng.normal(size=truth.shape), asked)
    order = fitting_order(asked, sizes(axes), {0: 1})
    found = presentable(estimates, CellGrid(axes), order)
    clipped = sums(axes, np.maximum(estimates[1, 1, 1, 1], 0), asked)
    for table in asked[1:]:
        off, naive = (np.abs(one[table] - estimates[table]).mean() for one in (found, clipped))
        assert off < naive / 4
