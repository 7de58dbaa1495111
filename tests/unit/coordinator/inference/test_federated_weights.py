"""Weights from tables: equal to a usual fit where tables say all, and what is refused."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from folkmoot_coordinator.inference.federated_weights import (
    CellWeights,
    Factor,
    Tables,
    TooFewEvents,
    Weights,
    fit_weights,
)
from folkmoot_coordinator.inference.joint_distribution import most_even

Float64 = NDArray[np.float64]
SIZES = (2, 3)
FACTORS = [Factor("first", ("no", "yes"), "no"), Factor("second", ("a", "b", "c"), "a")]


def full(seed: int = 1) -> Float64:
    """Households by two factors and outcome."""
    rng = np.random.default_rng(seed)
    return rng.integers(100, 900, (*SIZES, 2)).astype(float)


def tables(cells: Float64, variance: float = 0.0, *, paired: bool = True) -> Tables:
    """All tables of one and two factors, with independent noise in each cell."""
    size = cells.ndim - 1
    outcome = [
        cells.sum(axis=tuple(other for other in range(size) if other != at)) for at in range(size)
    ]
    pairs = {
        pair: cells.sum(axis=(*(at for at in range(size) if at not in pair), size))
        for pair in combinations(range(size), 2)
    }
    if not paired:
        pairs = {}

    def covariance(weights: CellWeights) -> Float64:
        found = [table.reshape(len(table), -1) for table in weights.values()]
        return np.asarray(sum(variance * one @ one.T for one in found))

    return Tables(
        outcome,
        [np.full(one.shape, variance) for one in outcome],
        pairs,
        {pair: np.full(one.shape, variance) for pair, one in pairs.items()},
        covariance,
    )


def usual_fit(cells: Float64) -> tuple[Float64, Float64]:
    """Coefficients and standard errors of a logistic regression, with another library."""
    from sklearn.linear_model import LogisticRegression

    rows, counted, event = [], [], []
    for first in range(SIZES[0]):
        for second in range(SIZES[1]):
            for happened in (0, 1):
                rows.append([first, second == 1, second == 2])
                counted.append(cells[first, second, happened])
                event.append(happened)
    design, weights = np.array(rows, dtype=float), np.array(counted)
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000)
    model.fit(design, event, sample_weight=weights)
    chance = model.predict_proba(design)[:, 1]
    whole = np.column_stack([np.ones(len(design)), design])
    information = whole.T @ (whole * (weights * chance * (1 - chance))[:, None])
    found = np.concatenate([model.intercept_, model.coef_[0]])
    return found, np.sqrt(np.diag(np.linalg.inv(information)))


def fitted(found: Weights) -> Float64:
    values = [one.value for one in found.coefficients if one.error > 0]
    return np.array([found.intercept, *values], dtype=float)


def test_two_factors_are_fitted_as_from_the_records() -> None:
    cells = full()
    found = fit_weights(FACTORS, tables(cells))
    expected, errors = usual_fit(cells)
    np.testing.assert_allclose(fitted(found), expected, atol=1e-5)
    np.testing.assert_allclose(
        [one.error for one in found.coefficients if one.error], errors[1:], rtol=1e-4
    )
    assert all(one.noise_error == 0 for one in found.coefficients)
    assert all(one.left_open < 1e-6 for one in found.coefficients)
    assert found.of("second")[0].value == 0.0
    assert found.unpaired == ()


def test_one_factor_alone_has_its_odds_ratio() -> None:
    found = fit_weights([FACTORS[0]], tables(np.array([[900.0, 100.0], [600.0, 200.0]])))
    assert found.of("first")[1].value == pytest.approx(np.log(200 / 600 / (100 / 900)), abs=1e-6)


def test_without_the_pair_factors_that_go_together_are_both_credited() -> None:
    """Only the first factor matters; the second goes along with it."""
    cells = np.zeros((2, 2, 2))
    for first, second, size in ((0, 0, 8000), (0, 1, 2000), (1, 0, 2000), (1, 1, 8000)):
        rate = 0.3 if first else 0.1
        cells[first, second] = size * (1 - rate), size * rate
    factors = [FACTORS[0], Factor("second", ("no", "yes"), "no")]
    known = fit_weights(factors, tables(cells))
    blind = fit_weights(factors, tables(cells, paired=False))
    assert known.of("second")[1].value == pytest.approx(0, abs=1e-5)
    assert (blind.of("second")[1].value or 0) > 0.5
    assert blind.unpaired == (("first", "second"),)


def test_errors_grow_with_the_noise() -> None:
    cells = full() * 10
    small, large = (fit_weights(FACTORS, tables(cells, v)) for v in (25.0, 400.0))
    for one, other in zip(small.coefficients, large.coefficients, strict=True):
        if one.error:
            assert other.noise_error == pytest.approx(4 * one.noise_error, rel=0.02)
            assert one.error**2 > one.noise_error**2


def test_a_level_too_small_to_judge_has_no_weight_and_joins_the_reference() -> None:
    cells = full() * 10
    cells[:, 2, 1] = 1.0
    found = fit_weights(FACTORS, tables(cells, 100.0))
    assert [one.value is None for one in found.of("second")] == [False, False, True]


def test_another_level_is_the_reference_where_the_first_is_too_small() -> None:
    cells = full() * 10
    cells[:, 0, 1] = 0.0
    found = fit_weights(FACTORS, tables(cells, 4.0))
    assert [one.value is None for one in found.of("second")] == [True, False, False]
    assert found.of("second")[1].value == 0.0


def test_too_few_events_are_refused_with_how_many_are_needed() -> None:
    cells = full()
    cells[..., 1] = 5.5
    with pytest.raises(TooFewEvents, match="30 are needed") as refused:
        fit_weights(FACTORS, tables(cells, 4.0))
    assert refused.value.needed == 30
    assert refused.value.events < 33


def test_tables_that_no_weights_can_give_are_refused() -> None:
    """Every household with the level has the event, by noisy counts."""
    wrong = tables(np.array([[900.0, 100.0], [11.0, 2000.0]]))
    wrong.outcome[0][1] = 11.0, 2000.0
    other = tables(full())
    broken = Tables(
        [wrong.outcome[0], other.outcome[1]],
        other.outcome_variance,
        {(0, 1): np.array([[900.0, 900.0, 900.0], [10.0, 10.0, 10.0]])},
        other.together_variance,
        other.covariance,
    )
    with pytest.raises(ValueError, match="no weights give"):
        fit_weights(FACTORS, broken)


def test_factors_of_which_nothing_is_known_are_refused() -> None:
    cells = np.array([[900.0, 100.0], [4.0, 3.0]])
    with pytest.raises(ValueError, match="no factor has two levels"):
        fit_weights([FACTORS[0]], tables(cells, 4.0))


def test_too_many_combinations_are_refused() -> None:
    sizes = (10,) * 5
    with pytest.raises(ValueError, match="too many"):
        most_even(sizes, {(at,): np.ones(10) for at in range(5)}, {})


def test_the_most_even_distribution_has_its_tables_and_no_other_dependence() -> None:
    """It is what iterative proportional fitting reaches."""
    rng = np.random.default_rng(2)
    truth = rng.integers(20, 300, (2, 3, 2)).astype(float)
    pairs = {(0, 1): truth.sum(2), (0, 2): truth.sum(1), (1, 2): truth.sum(0)}
    nothing = {place: np.zeros(table.shape) for place, table in pairs.items()}
    found = most_even((2, 3, 2), pairs, nothing).households.reshape(2, 3, 2)
    fitted_by_turns = np.ones((2, 3, 2))
    for _ in range(2000):
        for axis, (_, table) in zip((2, 1, 0), pairs.items(), strict=True):
            fitted_by_turns *= np.expand_dims(table / fitted_by_turns.sum(axis), axis)
    np.testing.assert_allclose(found, fitted_by_turns, rtol=1e-4)


def test_cells_below_zero_are_met_within_their_noise() -> None:
    table = np.array([[1000.0, -8.0], [40.0, 500.0]])
    found = most_even((2, 2), {(0, 1): table}, {(0, 1): np.full((2, 2), 64.0)})
    cells = found.households.reshape(2, 2)
    assert (cells > 0).all()
    assert (np.abs(cells - table) < 2 * 8.0).all()
    with pytest.raises(ValueError, match="no households"):
        most_even((2,), {(0,): np.array([-5.0, -1.0])}, {(0,): np.ones(2)})
