"""Intervals of shares and of their differences agree with published figures and with SciPy."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot_node.intervals import Interval, difference, two_sided, wilson


@given(st.integers(1, 500).flatmap(lambda of: st.tuples(st.integers(0, of), st.just(of))))
def test_intervals_of_shares_are_scipys(counts) -> None:
    stats = pytest.importorskip("scipy.stats")
    theirs = stats.binomtest(*counts).proportion_ci(0.95, method="wilson")
    ours = wilson(*counts)
    assert (ours.low, ours.high) == pytest.approx((theirs.low, theirs.high), abs=1e-12)
    assert two_sided() == pytest.approx(1.959964, abs=1e-6)


def test_differences_are_those_of_newcombe() -> None:
    """Newcombe (1998), Statistics in Medicine 17, 873-890, table II (a), method 10."""
    one, other = 56 / 70, 48 / 80
    found = difference(one, wilson(56, 70), other, wilson(48, 80))
    assert (found.low, found.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)


def test_a_share_less_itself_is_nothing() -> None:
    own = wilson(20, 50)
    assert difference(0.4, own, 0.4, own, correlation=1.0) == Interval(
        pytest.approx(0, abs=0.03), pytest.approx(0, abs=0.03)
    )
