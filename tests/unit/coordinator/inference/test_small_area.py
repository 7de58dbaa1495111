"""The Fay-Herriot model beside a likelihood that is written down and maximised independently."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import optimize

from folkmoot_coordinator.inference.small_area import fay_herriot, intercepts


def restricted_likelihood(
    own: float, value: np.ndarray, variance: np.ndarray, design: np.ndarray
) -> float:
    """Minus the restricted log likelihood, with dense matrices (Patterson and Thompson 1971)."""
    matrix = np.diag(own + variance)
    inverse = np.linalg.inv(matrix)
    information = design.T @ inverse @ design
    project = inverse - inverse @ design @ np.linalg.inv(information) @ design.T @ inverse
    return float(
        np.linalg.slogdet(matrix)[1]
        + np.linalg.slogdet(information)[1]
        + value @ project @ value
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(5))
def test_the_model_is_the_maximum_of_the_restricted_likelihood(seed: int) -> None:
    rng = np.random.default_rng(seed)
    variance = rng.uniform(1, 9, 40)
    design = np.column_stack([np.ones(40), rng.normal(size=40)])
    value = design @ [20.0, 3.0] + rng.normal(0, 3, 40) + np.sqrt(variance) * rng.normal(size=40)
    found = fay_herriot(value, variance, design)
    best = optimize.minimize_scalar(
        restricted_likelihood,
        bounds=(0, 100),
        args=(value, variance, design),
        method="bounded",
        options={"xatol": 1e-9},
    )
    assert found.model_variance == pytest.approx(best.x, abs=1e-4)
    # The best linear unbiased prediction by Henderson's equations.
    own = found.model_variance
    left = np.block([
        [design.T @ np.diag(1 / variance) @ design, design.T @ np.diag(1 / variance)],
        [np.diag(1 / variance) @ design, np.diag(1 / variance + 1 / own)],
    ])  # fmt: skip
    solved = np.linalg.solve(
        left, np.concatenate([design.T @ (value / variance), value / variance])
    )
    np.testing.assert_allclose(found.coefficients, solved[:2], rtol=1e-8)
    np.testing.assert_allclose(found.value, design @ solved[:2] + solved[2:], rtol=1e-8)


def test_the_mean_squared_error_is_what_simulations_have() -> None:
    """With 2,000 repeats and 30 areas the mean of squared errors is known to about 1 %."""
    rng = np.random.default_rng(7)
    variance = np.repeat([1.0, 4.0, 16.0], 10)
    squares, stated, plain = np.zeros(30), np.zeros(30), np.zeros(30)
    for _ in range(2000):
        truth = 10 + 2 * rng.normal(size=30)
        found = fay_herriot(truth + np.sqrt(variance) * rng.normal(size=30), variance)
        squares += (found.value - truth) ** 2 / 2000
        stated += found.mean_squared_error / 2000
        plain += variance * 4 / (4 + variance) / 2000
    by_noise = squares.reshape(3, 10).mean(axis=1)
    np.testing.assert_allclose(stated.reshape(3, 10).mean(axis=1), by_noise, rtol=0.06)
    assert (by_noise < [1.0, 4.0, 16.0]).all()
    # Leaving out that the variance was estimated would state too little.
    assert (plain.reshape(3, 10).mean(axis=1)[1:] < by_noise[1:] * 0.97).all()


def test_precise_areas_keep_their_estimate_and_noisy_ones_move() -> None:
    variance = np.array([0.0, 1e-6, 1.0, 1e8])
    value = np.array([10.0, 20.0, 30.0, 1000.0])
    found = fay_herriot(value, variance)
    np.testing.assert_allclose(found.value[:2], value[:2], atol=1e-6)
    assert found.value[3] == pytest.approx(found.regression[3], rel=1e-2)
    assert found.mean_squared_error[3] < 1e4


def test_areas_that_differ_by_noise_alone_are_shrunk_to_one_figure() -> None:
    value = np.array([9.0, 10.0, 11.0, 10.5, 9.5])
    found = fay_herriot(value, np.full(5, 100.0))
    assert found.model_variance == 0
    np.testing.assert_allclose(found.value, 10.0)
    assert (found.mean_squared_error > 0).all()


def test_districts_have_means_of_their_own() -> None:
    group = np.array([0, 0, 0, 5, 5, 5])
    value = np.array([10.0, 11.0, 9.0, 50.0, 49.0, 51.0])
    found = fay_herriot(value, np.full(6, 25.0), intercepts(group))
    np.testing.assert_allclose(found.value, [10, 10, 10, 50, 50, 50])


def test_exact_figures_are_kept() -> None:
    value = np.array([4.0, 9.0, 2.0])
    found = fay_herriot(value, np.zeros(3))
    np.testing.assert_allclose(found.value, value, rtol=1e-9)
    np.testing.assert_allclose(fay_herriot(np.full(3, 4.0), np.zeros(3)).value, 4.0)
    np.testing.assert_allclose(fay_herriot(np.zeros(3), np.zeros(3)).value, 0.0)


def test_what_cannot_be_fitted_is_refused() -> None:
    one = np.ones(3)
    with pytest.raises(ValueError, match="more areas"):
        fay_herriot(np.ones(1), np.ones(1))
    with pytest.raises(ValueError, match="depend"):
        fay_herriot(one, one, np.column_stack([one, 2 * one]))
    with pytest.raises(ValueError, match="negative"):
        fay_herriot(one, -one)
    with pytest.raises(ValueError, match="missing"):
        fay_herriot(one * np.nan, one)
    with pytest.raises(ValueError, match="same areas"):
        fay_herriot(one, np.ones(2))
