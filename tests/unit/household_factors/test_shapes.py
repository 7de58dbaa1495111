"""What the household factors share: ramps, reasons, sizes, tables by code."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_plugin_household_factors.code_scores import by_code, check_ascending
from folkmoot_plugin_household_factors.graded import graded, rising
from folkmoot_plugin_household_factors.ramp import ramp
from folkmoot_plugin_household_factors.reasons import strongest

NAN = np.nan


def column(*values):
    array = np.array(values, dtype=np.float64)
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    ("none_at", "full_at", "expected"),
    [(0, 8, [0, 0, 0.25, 1, 1, NAN]), (8, 0, [1, 1, 0.75, 0, 0, NAN])],
)
def test_a_ramp_is_a_straight_line_between_its_ends_in_either_direction(none_at, full_at, expected):
    np.testing.assert_allclose(ramp(column(-5, 0, 2, 8, 100, NAN), none_at, full_at), expected)


def test_a_ramp_can_overwrite_what_it_is_given():
    values = np.array([2.0, NAN])
    assert ramp(values, 0, 8, out=values) is values
    np.testing.assert_allclose(values, [0.25, NAN])


@pytest.mark.parametrize(
    ("required", "first", "second", "expected"),
    [
        (0.2, 0.5, 0.1, 0.5),
        (0.2, NAN, NAN, 0.2),
        (0.0, NAN, NAN, 0.0),
        (NAN, 0.0, NAN, NAN),
        (NAN, 0.0, 0.0, NAN),
        (NAN, NAN, 0.1, 0.1),
        (NAN, NAN, NAN, NAN),
    ],
)
def test_an_optional_reason_settles_an_unknown_one_only_by_being_there(
    required, first, second, expected
):
    np.testing.assert_equal(strongest(column(required), column(first), column(second)), [expected])


@pytest.mark.parametrize(
    ("present", "size", "expected"),
    [
        (0, 90, 0),
        (0, NAN, 0),
        (1, NAN, 0.4),
        (1, 0, 0.4),
        (1, 50, 0.7),
        (1, 500, 1),
        (NAN, 50, 0.7),
        (NAN, 0, 0),
        (NAN, NAN, NAN),
    ],
)
def test_a_size_counts_only_with_what_it_is_the_size_of(present, size, expected):
    np.testing.assert_allclose(graded(column(present), column(size), 0.4, 100), [expected])


@given(base=st.floats(0, 1), share=st.floats(0, 1))
def test_rising_stays_between_base_and_one(base, share):
    (result,) = rising(base, column(share))
    assert base <= result <= 1


def test_index_minus_one_is_unknown():
    np.testing.assert_equal(by_code(0.0, 0.5)[np.array([1, -1, 0])], [0.5, NAN, 0.0])


def test_scores_may_stay_but_not_fall():
    check_ascending("packages", 0.2, 0.2, 0.5)
    with pytest.raises(ValueError, match="the scores of packages do not ascend"):
        check_ascending("packages", 0.2, 0.5, 0.4)
