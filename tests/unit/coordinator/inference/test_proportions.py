"""Shares with noise in part and whole."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from folkmoot.interval import GAUSSIAN_QUANTILE
from folkmoot_coordinator.inference.proportions import proportions


def test_a_share_of_an_exact_total_is_the_count_by_it() -> None:
    found = proportions(np.array([25.0]), np.array([100.0]), np.array([16.0]), np.zeros(1))
    assert found.value[0] == 0.25
    assert found.standard_error[0] == pytest.approx(0.04)
    assert found.lower[0] == pytest.approx(0.25 - GAUSSIAN_QUANTILE * 0.04)
    assert found.upper[0] == pytest.approx(0.25 + GAUSSIAN_QUANTILE * 0.04)


def test_ends_are_the_shares_that_are_barely_significant() -> None:
    count, total, own, other, both = 30.0, 80.0, 25.0, 100.0, 12.0
    found = proportions(
        np.array([count]), np.array([total]), np.array([own]), np.array([other]), covariance=both
    )
    for end in (found.lower[0], found.upper[0]):
        z = (count - end * total) / np.sqrt(own - 2 * end * both + end**2 * other)
        assert abs(z) == pytest.approx(GAUSSIAN_QUANTILE)


def test_a_total_near_zero_gives_no_share() -> None:
    found = proportions(
        np.array([3.0, 3.0, 3.0]), np.array([5.0, 0.0, -40.0]), np.ones(3), np.full(3, 9.0)
    )
    assert not found.total_is_certain.any()
    for one in (found.value, found.standard_error, found.lower, found.upper):
        assert np.isnan(one).all()
    with pytest.raises(ValueError, match="negative"):
        proportions(np.ones(1), np.ones(1), -np.ones(1), np.ones(1))


def test_intervals_hold_the_share_for_correlated_noise() -> None:
    """Fails by chance once in a million times."""
    rng = np.random.default_rng(8)
    noise = rng.multivariate_normal([0, 0], [[36, 30], [30, 64]], 20_000)
    found = proportions(
        12 + noise[:, 0],
        50 + noise[:, 1],
        np.full(20_000, 36.0),
        np.full(20_000, 64.0),
        covariance=30.0,
    )
    assert found.total_is_certain.mean() > 0.999
    held = ((found.lower <= 0.24) & (0.24 <= found.upper))[found.total_is_certain].sum()
    kept = int(found.total_is_certain.sum())
    assert stats.binom.ppf(1e-6, kept, 0.95) <= held
    assert held <= stats.binom.isf(1e-6, kept, 0.951)
