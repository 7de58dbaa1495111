"""Sets of true figures beside the predictions of the model that they are drawn from."""

from __future__ import annotations

import numpy as np
import pytest

from folkmoot_coordinator.inference.plausible import plausible_figures
from folkmoot_coordinator.inference.small_area import fay_herriot, intercepts


def test_draws_have_the_mean_and_error_of_the_predictions() -> None:
    """Of 4,000 draws a mean has an error of 1.6 % of a standard error, a variance of 2.2 %."""
    rng = np.random.default_rng(1)
    variance = np.repeat([1.0, 9.0], 40)
    value = 20 + 3 * rng.normal(size=80) + np.sqrt(variance) * rng.normal(size=80)
    model = fay_herriot(value, variance, intercepts(np.arange(80) % 4))
    drawn = plausible_figures(value, variance, model, "round", 4000)
    away = (drawn.mean(axis=0) - model.value) / model.standard_error
    assert np.abs(away).max() < 0.15
    np.testing.assert_allclose(drawn.var(axis=0), model.mean_squared_error, rtol=0.15)


def test_areas_of_a_district_move_together() -> None:
    rng = np.random.default_rng(2)
    district = np.repeat([0, 1], 20)
    variance = np.full(40, 100.0)
    value = 50 + 10 * rng.normal(size=40)  # as much as noise has
    model = fay_herriot(value, variance, intercepts(district))
    drawn = plausible_figures(value, variance, model, "round", 4000)
    sums = drawn[:, :20].sum(axis=1)
    # A district's total is known with the noise of its areas together, whatever the model is.
    assert sums.std() == pytest.approx((20 * 100) ** 0.5, rel=0.08)
    assert sums.mean() == pytest.approx(value[:20].sum(), abs=5)


def test_few_areas_are_drawn_with_the_estimated_variance() -> None:
    value, variance = np.array([3.0, 5.0]), np.ones(2)
    drawn = plausible_figures(value, variance, fay_herriot(value, variance), "round", 500)
    assert drawn.shape == (500, 2)
    assert np.isfinite(drawn).all()


def test_exact_figures_are_drawn_as_they_are() -> None:
    value = np.array([3.0, 5.0, 9.0, 2.0, 8.0])
    drawn = plausible_figures(value, np.zeros(5), fay_herriot(value, np.zeros(5)), "round", 50)
    np.testing.assert_allclose(drawn, np.tile(value, (50, 1)), rtol=1e-4)
