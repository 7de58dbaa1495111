"""Precision from the round alone."""

from __future__ import annotations

import math

import pytest

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.interval import GAUSSIAN_QUANTILE, LAPLACE_QUANTILE
from folkmoot.precision import Precision, Reliability, precision, reliability
from folkmoot.privacy import Delta, Epsilon, Rho, epsilon_at, rho_at
from folkmoot.pure import plan_pure
from folkmoot.strategy import plan
from folkmoot.workload import Marginal, Workload

TRAFFORD = GssCode("E08000009")
BAND = Workload((Attribute("band", ("a", "b", "c", "d")),), (Marginal(("band",)),))


def test_one_marginal_by_hand() -> None:
    """At rho 0.5 each of four bands has variance 1; a step of the total moves a cell by 1/4."""
    made = precision(plan(BAND, TRAFFORD, Rho.of("0.5")), ("band",))
    assert (made.cells, made.standard_error) == (4, pytest.approx(1))
    assert made.half_width == pytest.approx(GAUSSIAN_QUANTILE + 0.25 / 2)


def test_laplace_intervals_are_of_laplace_noise() -> None:
    made = precision(plan_pure(BAND, TRAFFORD, Epsilon.of("0.1")), ("band",))
    assert made.standard_error == pytest.approx(math.sqrt(2) / 0.1, rel=1e-3)
    assert made.half_width == pytest.approx(LAPLACE_QUANTILE * made.standard_error + 0.5)


@pytest.mark.parametrize(
    ("variation", "verdict"),
    [
        (0.0999, Reliability.RELIABLE),
        (0.1, Reliability.CAUTION),
        (0.2, Reliability.CAUTION),
        (0.2001, Reliability.UNRELIABLE),
        (math.inf, Reliability.UNRELIABLE),
    ],
)
def test_what_a_coefficient_of_variation_says(variation: float, verdict: Reliability) -> None:
    assert reliability(variation) is verdict


@pytest.mark.parametrize("error", [0.01, 0.4, 1.0, 3.55, 17.4])
def test_smallest_counts_are_the_smallest(error: float) -> None:
    made = Precision(1, error, 2 * error)

    def verdict(households: int) -> Reliability:
        return reliability(made.coefficient_of_variation(households))

    assert verdict(made.usable_from) is not Reliability.UNRELIABLE
    assert verdict(made.reliable_from) is Reliability.RELIABLE
    if made.usable_from > 1:
        assert verdict(made.usable_from - 1) is Reliability.UNRELIABLE
    if made.reliable_from > 1:
        assert verdict(made.reliable_from - 1) is not Reliability.RELIABLE


@pytest.mark.parametrize("rho", ["0.000001", "0.1", "2", "40"])
def test_rho_at_is_the_inverse_of_epsilon_at(rho: str) -> None:
    delta = Delta.of("1e-6")
    found = rho_at(epsilon_at(Rho.of(rho), delta), delta)
    assert found.value == pytest.approx(float(rho), abs=1e-9, rel=1e-6)
    assert epsilon_at(rho_at(1.0, delta), delta) <= 1.0 + 1e-9
    assert epsilon_at(rho_at(1.0, delta) + Rho(10), delta) > 1.0
