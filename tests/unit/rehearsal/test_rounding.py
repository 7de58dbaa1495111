"""Whole numbers that add up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from folkmoot_rehearsal.raking import rake
from folkmoot_rehearsal.rounding import controlled, largest_remainder

weights = arrays.arrays(
    np.float64, st.integers(1, 40), elements=st.floats(0.001, 1000, allow_nan=False)
)


@given(weights, st.integers(0, 100_000))
def test_shares_add_up_and_are_the_exact_share_rounded(weight, total):
    counts = largest_remainder(weight, total)
    exact = weight * (total / weight.sum())
    assert counts.sum() == total
    assert np.all(np.abs(counts - exact) < 1)


@pytest.mark.parametrize("wrong", [[-1.0, 2.0], [0.0, 0.0]])
def test_weights_that_cannot_be_shared_are_refused(wrong):
    with pytest.raises(ValueError, match="weights"):
        largest_remainder(wrong, 10)


def _table(seed: int, rows: int, columns: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    table = rng.gamma(0.5, size=(rows, columns)) + 1e-6
    sums = rng.integers(1, 200, size=rows)
    return table * (sums / table.sum(axis=1))[:, None]


@given(st.integers(0, 10_000), st.integers(1, 60), st.integers(1, 12))
def test_a_rounded_table_keeps_rows_and_each_cell_is_rounded_up_or_down(seed, rows, columns):
    expected = _table(seed, rows, columns)
    counts = controlled(expected)
    assert np.array_equal(counts.sum(axis=1), np.rint(expected.sum(axis=1)))
    assert np.all(counts >= np.floor(expected + 1e-9))
    assert np.all(counts <= np.ceil(expected - 1e-9))


@given(st.integers(0, 2_000))
def test_a_rounded_table_nearly_keeps_columns(seed):
    expected = _table(seed, 200, 5)
    error = controlled(expected).sum(axis=0) - expected.sum(axis=0)
    assert np.all(np.abs(error) < 2)


def test_rare_categories_survive_rounding():
    # Alone, each row would round 0.3 to 0 and the category would vanish.
    expected = np.tile([99.7, 0.3], (100, 1))
    assert abs(controlled(expected)[:, 1].sum() - 30) <= 1


def test_a_row_that_is_not_whole_is_refused():
    with pytest.raises(ValueError, match="whole"):
        controlled(np.array([[0.5, 0.7]]))


def test_raking_meets_the_margins_and_keeps_odds_ratios_and_zeros():
    rng = np.random.default_rng(1)
    seed = rng.random((3, 4)) + 0.1
    seed[0, 0] = 0
    rows, columns = np.array([10.0, 20.0, 30.0]), np.array([6.0, 14.0, 25.0, 15.0])
    raked = rake(seed, [((0,), rows), ((1,), columns)])
    assert raked.sum(axis=1) == pytest.approx(rows)
    assert raked.sum(axis=0) == pytest.approx(columns)
    assert raked[0, 0] == 0

    def odds(table):
        return table[1, 1] * table[2, 2] / (table[1, 2] * table[2, 1])

    assert odds(raked) == pytest.approx(odds(seed))


def test_raking_over_two_axes_at_once():
    rng = np.random.default_rng(2)
    target = rng.random((2, 3, 4)) + 0.1
    margins = [((0, 1), target.sum(axis=2)), ((1, 2), target.sum(axis=0))]
    raked = rake(np.ones((2, 3, 4)), margins)
    for axes, wanted in margins:
        other = ({0, 1, 2} - set(axes)).pop()
        assert raked.sum(axis=other) == pytest.approx(wanted)
