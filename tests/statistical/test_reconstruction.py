"""Estimates have the variance that is published, no bias, and agree with each other.

Releases of one table are drawn again and again through the node's noise path and
reconstructed as the coordinator does. Each comparison fails once in a million times though
nothing is wrong.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from folkmoot.hierarchy import Axis
from folkmoot.privacy import Rho
from folkmoot.strategy import Depths, Plan, plan
from folkmoot_coordinator.aggregation.reconstruct import Estimates, Reconstruction
from tests.statistical.fit import FALSE_ALARM, Float64, is_mean_of
from tests.statistical.questions import (
    TRAFFORD,
    exact,
    full_depths,
    households,
    release,
    sum_up,
    workload,
)
from tests.tables import measured

REPEATS = 1_000
WARDS = (1, 2, 3, 7)
ASKED = workload({TRAFFORD: WARDS})
MARGINALS = [one.attributes for one in ASKED.marginals]


def planned(rho: str) -> Plan:
    return plan(ASKED, TRAFFORD, Rho.of(rho))


def truth(made: Plan, attributes: tuple[str, ...], seed: int) -> Float64:
    """The marginal of the exact table, axes in the marginal's order (which is the plan's)."""
    depths = made.depths(attributes)
    counts = sum_up(made, households(made, 20, seed), depths)
    sizes = [axis.size(depth) for axis, depth in zip(made.axes, depths, strict=True) if depth]
    return counts.reshape(sizes).astype(float)


def errors(made: Plan, repeats: int) -> dict[tuple[str, ...], Float64]:
    """Errors of each marginal, shape (repeats, cells)."""
    counts = exact(made, households(made, 20, seed=1))
    found: dict[tuple[str, ...], list[Float64]] = {one: [] for one in MARGINALS}
    for _ in range(repeats):
        reconstruction = Reconstruction(made, release(made, counts))
        for attributes, list_ in found.items():
            estimates = reconstruction.marginal(attributes)
            list_.append((estimates.value - truth(made, attributes, 1)).ravel())
    return {attributes: np.array(list_) for attributes, list_ in found.items()}


def has_predicted_variance(error: Float64, expected: Float64) -> bool:
    """The mean over the cells; releases are independent, the cells of one are not.

    As a chi-squared with the degrees of freedom that the correlations of the cells leave
    (Satterthwaite 1946). The spread of the squares that are judged would do worse: it is small
    where they are.
    """
    repeats, cells = error.shape
    correlation = np.atleast_2d(np.corrcoef(error.T))
    ratio = float((error**2 / expected).mean())
    return are_near_one(np.array(ratio), repeats * cells**2 / float((correlation**2).sum()))


def are_near_one(ratios: Float64, freedom: float) -> bool:
    """True unless a sample variance over the true one is not, for noise that is nearly normal."""
    lower, upper = stats.chi2.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], freedom) / freedom
    return bool(((lower < ratios) & (ratios < upper)).all())


def predicted(made: Plan, attributes: tuple[str, ...]) -> Float64:
    return estimates_of(made, attributes).variance.ravel()


def estimates_of(made: Plan, attributes: tuple[str, ...]) -> Estimates:
    nothing = np.zeros(made.rows, dtype=np.int64)
    return Reconstruction(made, nothing).marginal(attributes)


@pytest.mark.slow
def test_variance_is_the_predicted_one_for_each_cell_and_marginal() -> None:
    """Three comparisons for each of some 70 cells, and one for each marginal's mean."""
    made = planned("0.05")  # scales from 5 on, where the variance is the squared scale
    uneven = 0
    for attributes, error in errors(made, REPEATS).items():
        expected = predicted(made, attributes)
        assert are_near_one(error.var(axis=0, ddof=1) / expected, REPEATS - 1), attributes
        assert has_predicted_variance(error, expected), attributes
        assert made.mean_variance(attributes) == pytest.approx(expected.mean(), rel=1e-9)
        for values, variance in zip(error.T, expected, strict=True):
            assert is_mean_of(values, 0, float(variance))
        if attributes == ("lsoa", "age"):  # enough cells to see five per cent of scale
            assert not has_predicted_variance(error, expected * 1.05**2)
            assert not has_predicted_variance(error, expected / 1.05**2)
        # The same variance for all cells of unequal groups would be wrong, and is seen to be.
        if np.ptp(expected) > 0.5 * expected.mean():
            flat = error.var(axis=0, ddof=1) / expected.mean()
            uneven += not are_near_one(flat, REPEATS - 1)
    assert uneven >= 2


@pytest.mark.parametrize("rho", ["0.001", "0.5", "100"])
def test_marginals_agree_to_the_last_bits(rho: str) -> None:
    """Whatever is asked for twice is told once: exact up to floating point."""
    made = planned(rho)
    reconstruction = Reconstruction(made, release(made, exact(made, households(made, 20, 2))))
    fine = reconstruction.marginal(("lsoa", "age")).value
    close = {"rel": 1e-12, "abs": 1e-9}
    assert fine.sum(axis=1) == pytest.approx(reconstruction.marginal(("lsoa",)).value, **close)
    assert fine.sum(axis=0) == pytest.approx(reconstruction.marginal(("age",)).value, **close)
    assert fine.sum() == pytest.approx(float(reconstruction.marginal(()).value), **close)
    by_ward = np.add.reduceat(fine, np.cumsum([0, *WARDS[:-1]]), axis=0)
    assert by_ward == pytest.approx(reconstruction.marginal(("ward", "age")).value, **close)
    tenure = reconstruction.marginal(("ward", "tenure")).value
    assert tenure.sum(axis=1) == pytest.approx(by_ward.sum(axis=1), **close)
    pairs = reconstruction.marginal(("tenure", "age")).value
    assert pairs.sum(axis=1) == pytest.approx(tenure.sum(axis=0), **close)


def test_without_noise_every_marginal_is_exact() -> None:
    made = planned("0.5")
    reconstruction = Reconstruction(made, measured(made, households(made, 20, 3)))
    for attributes in [*MARGINALS, ("age",), ("ward", "age")]:
        assert reconstruction.marginal(attributes).value == pytest.approx(
            truth(made, attributes, 3), abs=1e-9
        )


def test_the_estimate_is_the_best_linear_one() -> None:
    """Generalised least squares over the dense matrix of all measurements gives the same.

    Gauss and Markov: no other linear unbiased estimate has a smaller variance in any cell.
    """
    made = planned("0.5")
    cells = math.prod(map(Axis.size, made.axes, full_depths(made)))
    unit = np.eye(cells, dtype=np.int64)
    matrix = np.array([measured(made, row) for row in unit], dtype=float).T
    variances = np.concatenate([row_variances(made, one.depths) for one in made.measurements])
    weighted = matrix / variances[:, None]
    information = matrix.T @ weighted
    noisy = release(made, exact(made, households(made, 20, 4)))
    reconstruction = Reconstruction(made, noisy)
    for attributes in MARGINALS:
        depths = made.depths(attributes)
        query = np.array([sum_up(made, row, depths) for row in unit], dtype=float).T
        inverse = np.linalg.pinv(information, rcond=1e-10)
        estimates = reconstruction.marginal(attributes)
        assert query @ inverse @ (weighted.T @ noisy) == pytest.approx(
            estimates.value.ravel(), abs=1e-6
        )
        assert np.diag(query @ inverse @ query.T) == pytest.approx(
            estimates.variance.ravel(), rel=1e-6
        )


def row_variances(made: Plan, depths: Depths) -> Float64:
    """Squared noise scale of each row of a component, from the sizes of its groups."""
    (part,) = (one for one in made.measurements if one.depths == depths)
    found = np.array([part.tau_squared])
    for axis, depth in zip(made.axes, depths, strict=True):
        if depth:
            level = axis.levels[depth - 1]
            sizes = np.array([level.group_sizes[cell] for cell in level.row_cells], dtype=float)
            found = np.outer(found, np.where(sizes == 2, 1, sizes * (sizes - 1))).ravel()
    return found
