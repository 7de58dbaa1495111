"""Ends of intervals of quotients."""

from __future__ import annotations

import numpy as np
import pytest

from folkmoot_coordinator.aggregation import fieller


def test_a_number_divided_by_itself_is_1_however_products_are_rounded() -> None:
    drawn = np.random.default_rng(3)
    sizes, variances = drawn.uniform(1e2, 1e5, 500), drawn.uniform(1, 1e3, 500)
    for size, variance in zip(sizes, variances, strict=True):
        # Part and whole are the same sum, of which each variance is added up in its own order.
        rounded = variance * (1 + 4e-16 * drawn.integers(-1, 2))
        leading, last = size**2 - 3.8 * variance, size**2 - 3.8 * rounded
        found = fieller.ends(leading, size * size - 3.8 * variance, last)
        assert found is not None
        assert found == (pytest.approx(1, abs=1e-4), pytest.approx(1, abs=1e-4))


def test_there_are_no_ends_where_the_denominator_may_be_0_or_nothing_solves_it() -> None:
    assert fieller.ends(0.0, 1.0, 1.0) is None
    assert fieller.ends(-1.0, 1.0, 1.0) is None
    assert fieller.ends(1.0, 0.5, 1.0) is None
    assert fieller.ends(1.0, 3.0, 8.0) == (2.0, 4.0)
