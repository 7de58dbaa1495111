"""Weighted sums of cells: their values and errors, against dense matrices."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.hierarchy import Axis
from folkmoot.privacy import Epsilon
from folkmoot.rounds import Mechanism, Round
from folkmoot.strategy import Plan
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.aggregation.combination import (
    Combination,
    Measured,
    row_variances,
    row_weights,
    share,
)
from folkmoot_coordinator.aggregation.reconstruct import Reconstruction, variances
from tests.unit.coordinator.conftest import BOLTON, small_round

PARENTS = {"L1": "W1", "L2": "W1", "L3": "W1", "L4": "W2", "L5": "W2", "L6": "W3"}


def nested() -> Workload:
    return Workload(
        (
            Attribute("band", ("none", "low", "high")),
            Attribute("owner", ("no", "yes")),
            Attribute("ward", by_council={BOLTON: ("W1", "W2", "W3")}, others=True),
            Attribute(
                "lsoa",
                by_council={BOLTON: tuple(PARENTS)},
                others=True,
                within="ward",
                parents=PARENTS,
            ),
        ),
        (
            Marginal(("band", "lsoa"), 3),
            Marginal(("owner", "ward")),
            Marginal(("band", "owner")),
            Marginal(()),
        ),
    )


def flat() -> Workload:
    return Workload(
        (Attribute("band", ("none", "low", "high")), Attribute("owner", ("no", "yes"))),
        (Marginal(("band", "owner")), Marginal(("band",), 2), Marginal(())),
    )


def rounds() -> Iterator[Round]:
    yield small_round((BOLTON,), workload=nested())
    yield small_round((BOLTON,), workload=flat())
    pure = {"mechanism": Mechanism.DISCRETE_LAPLACE, "epsilon": Epsilon.of("0.7")}
    for_pure = small_round((BOLTON,), workload=flat())
    yield replace(for_pure, loss=Epsilon.of("0.7").rho, **pure)


PLANS = [round_.plan(BOLTON) for round_ in rounds()]


def shape(plan: Plan, attributes: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(map(Axis.size, plan.axes, plan.depths(attributes)))


@pytest.mark.parametrize("plan", PLANS, ids=["nested", "flat", "pure"])
def test_weights_of_rows_give_the_estimate_and_its_variance(plan: Plan) -> None:
    rng = np.random.default_rng(3)
    noisy = rng.integers(-1000, 1000, plan.rows)
    made = Reconstruction(plan, noisy)
    attributes = [("band",), (), ("band", "owner")]
    if len(plan.axes) > 2:
        attributes += [("lsoa",), ("band", "lsoa"), ("ward",), ("band", "ward"), ("owner", "ward")]
    for names in attributes:
        depths = plan.depths(names)
        for at in np.ndindex(shape(plan, names)):
            wanted = np.zeros(shape(plan, names))
            wanted[at] = 1
            sum_ = Combination({BOLTON: Measured(plan, noisy)})
            sum_.add(BOLTON, row_weights(plan, {depths: wanted}))
            assert sum_.value == pytest.approx(made.values(depths)[at], abs=1e-8)
            assert sum_.covariance(sum_) == pytest.approx(variances(plan, depths)[at], rel=1e-9)
            assert sum_.step <= plan.largest_step(names) * (1 + 1e-9)


@pytest.mark.parametrize("plan", PLANS, ids=["nested", "flat", "pure"])
def test_covariances_are_those_of_dense_matrices(plan: Plan) -> None:
    """The matrix of reconstruction, column by column, times the variances of the rows."""
    first, second = plan.depths(("band",)), plan.depths(("band", "owner"))
    columns = []
    for row in range(plan.rows):
        unit = np.zeros(plan.rows, dtype=np.int64)
        unit[row] = 1
        made = Reconstruction(plan, unit)
        columns.append(np.concatenate([made.values(first).ravel(), made.values(second).ravel()]))
    matrix = np.array(columns).T
    covariance = matrix @ np.diag(row_variances(plan)) @ matrix.T
    rng = np.random.default_rng(4)
    of_cells = rng.normal(size=(2, len(matrix)))
    sums = []
    for weights in of_cells:
        sum_ = Combination({BOLTON: Measured(plan, np.zeros(plan.rows, dtype=np.int64))})
        cells = shape(plan, ("band",))
        count = int(np.prod(cells))
        sum_.add(
            BOLTON,
            row_weights(
                plan,
                {
                    first: weights[:count].reshape(cells),
                    second: weights[count:].reshape(shape(plan, ("band", "owner"))),
                },
            ),
        )
        sums.append(sum_)
    for one, mine in zip(of_cells, sums, strict=True):
        for other, its in zip(of_cells, sums, strict=True):
            assert mine.covariance(its) == pytest.approx(one @ covariance @ other, rel=1e-9)


def two(values: tuple[int, int]) -> dict[GssCode, Measured]:
    """Two numbers, which are two independent cells with errors of their own."""
    plan = small_round((BOLTON,), workload=Workload((), (Marginal(()),)), rho="0.02").plan(BOLTON)
    return {
        GssCode(code): Measured(plan, np.array([value]))
        for code, value in zip(("E08000001", "E08000002"), values, strict=True)
    }


def quotient(values: tuple[int, int]) -> tuple[Combination, Combination]:
    releases = two(values)
    part, whole = Combination(releases), Combination(releases)
    first, second = releases
    part.add(first, np.ones(1))
    whole.add(first, np.ones(1))
    whole.add(second, np.ones(1))
    return part, whole


def test_shares_have_errors_by_the_delta_method_and_intervals_by_fieller() -> None:
    """Noise of scale 5 on both numbers; 300 of 300 + 700 is 0.3."""
    found = share(*quotient((300, 700)))
    assert found.value == pytest.approx(0.3)
    variance = (1 - 0.3) ** 2 * 25 + 0.3**2 * 25
    assert found.standard_error == pytest.approx(variance**0.5 / 1000)
    assert found.lower == pytest.approx(0.3 - 1.96 * found.standard_error, abs=1e-4)
    assert found.upper == pytest.approx(0.3 + 1.96 * found.standard_error, abs=1e-4)


def test_a_share_of_next_to_nothing_has_no_interval() -> None:
    small = share(*quotient((3, 7)))
    assert (small.value, small.lower, small.upper) == (pytest.approx(0.3), None, None)
    assert share(*quotient((5, -5))).value is None
