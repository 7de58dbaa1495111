"""Variance and quantiles against scipy-free direct summation."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.discrete_gaussian import half_width, variance


def masses(sigma: float) -> dict[int, float]:
    last = math.ceil(40 * sigma) + 5
    raw = {k: math.exp(-(k * k) / (2 * sigma * sigma)) for k in range(-last, last + 1)}
    total = math.fsum(raw.values())
    return {k: value / total for k, value in raw.items()}


@pytest.mark.parametrize("sigma", [0.3, 0.5, 1.0, 2.5, 9.9, 10.1, 25.0])
def test_variance_is_the_sum(sigma: float) -> None:
    exact = math.fsum(k * k * mass for k, mass in masses(sigma).items())
    assert variance(sigma) == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("sigma", [0.5, 1.0, 3.0, 7.7, 9.9, 10.1, 31.0])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_the_interval_is_the_smallest_that_covers(sigma: float, confidence: float) -> None:
    h = half_width(sigma * sigma, confidence)
    distribution = masses(sigma)

    def covered(width: int) -> float:
        return math.fsum(mass for k, mass in distribution.items() if abs(k) <= width)

    assert covered(h) >= confidence - 1e-6
    assert h == 0 or covered(h - 1) < confidence + 1e-6


@given(st.floats(0.01, 1e6), st.floats(0.01, 1e6))
def test_more_variance_never_narrows_the_interval(a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert half_width(low) <= half_width(high)
