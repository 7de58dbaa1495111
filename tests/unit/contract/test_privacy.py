"""Privacy loss: exact sums, OpenDP's epsilon, group privacy."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from folkmoot.errors import ContractError
from folkmoot.privacy import Delta, Rho, delta_of, epsilon_at, guess_rate

losses = st.integers(min_value=0, max_value=10**12).map(Rho)


@given(st.lists(losses, max_size=20))
def test_sums_are_exact_in_any_order(parts: list[Rho]) -> None:
    forwards, backwards = Rho(0), Rho(0)
    for part in parts:
        forwards += part
    for part in reversed(parts):
        backwards += part
    assert forwards == backwards == Rho(sum(part.nano for part in parts))


@given(losses)
def test_a_loss_reads_back_as_it_is_written(rho: Rho) -> None:
    assert Rho.of(str(rho)) == rho


@pytest.mark.parametrize("value", ["-0.1", "nan", "inf", "0.0000000001", "", "half", "1e30"])
def test_what_is_no_loss_is_refused(value: str) -> None:
    with pytest.raises(ContractError):
        Rho.of(value)


@pytest.mark.parametrize("value", ["0", "1", "-1e-6", "nan", "inf", "1e-13", "x"])
def test_what_is_no_delta_is_refused(value: str) -> None:
    with pytest.raises(ContractError):
        Delta.of(value)


@pytest.mark.parametrize("rho", ["0.001", "0.05", "0.1", "0.5", "1", "4", "25"])
@pytest.mark.parametrize("delta", ["1e-12", "1e-9", "1e-6", "0.01"])
def test_epsilon_is_opendps(rho: str, delta: str) -> None:
    from opendp.combinators import make_zCDP_to_approxDP
    from opendp.domains import atom_domain
    from opendp.measurements import make_gaussian
    from opendp.metrics import absolute_distance
    from opendp.mod import enable_features

    enable_features("contrib")
    loss = Rho.of(rho)
    gaussian = make_gaussian(
        atom_domain(T="i64"), absolute_distance(T="i64"), scale=(1 / (2 * loss.value)) ** 0.5
    )
    theirs = make_zCDP_to_approxDP(gaussian).map(1).epsilon(float(delta))
    assert epsilon_at(loss, Delta.of(delta)) == pytest.approx(theirs, rel=1e-9)


@given(st.integers(10**5, 10**11).map(Rho), st.integers(1, 10**11).map(Delta))
def test_epsilon_never_understates(rho: Rho, delta: Delta) -> None:
    epsilon = epsilon_at(rho, delta)
    assert delta_of(rho.value, epsilon) <= delta.value * (1 + 1e-9)
    assert delta_of(rho.value, epsilon * 0.999) > delta.value or epsilon < 1e-6


def test_a_person_in_two_households_loses_four_times_as_much() -> None:
    assert Rho.of("0.1").for_person(2) == Rho.of("0.4")


@pytest.mark.parametrize("rho", ["0.001", "0.05", "0.2", "1", "5"])
def test_no_guess_beats_the_rate_that_is_stated(rho: str) -> None:
    """The best guess between a noisy count and the same count plus one, summed exactly."""
    loss = Rho.of(rho)
    weights = {k: math.exp(-loss.value * k * k) for k in range(-400, 401)}  # sigma^2 = 1/(2 rho)
    total = sum(weights.values())
    distance = sum(abs(weights[k] - weights[k - 1]) for k in range(-399, 401)) / (2 * total)
    best = (1 + distance) / 2
    assert best <= guess_rate(loss) <= min(1.0, best + 0.08)


def test_nothing_spent_leaves_a_coin_toss() -> None:
    assert guess_rate(Rho(0)) == 0.5
    assert guess_rate(Rho.of(1_000)) == 1.0
