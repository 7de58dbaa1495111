"""Plans have the least error that any Gaussian mechanism can have, or nearly.

Nothing here is random. The optimum is computed from the workload's matrix (`matrix_mechanism`),
by nothing of Folkmoot's.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest

from folkmoot.attributes import Attribute
from folkmoot.hierarchy import Axis
from folkmoot.privacy import Rho
from folkmoot.strategy import Plan, plan
from folkmoot.workload import Marginal, Workload
from tests.matrix_mechanism import least_total_variance
from tests.statistical.questions import TRAFFORD, Float64, areas, full_depths, sum_up

RHO = 0.5


def matrix(asked: Workload, made: Plan) -> Float64:
    """One row for each cell of each marginal, times the root of its weight."""
    cells = math.prod(map(Axis.size, made.axes, full_depths(made)))
    unit = np.eye(cells, dtype=np.int64)
    return np.vstack(
        [
            math.sqrt(one.weight)
            * np.array([sum_up(made, row, made.depths(one.attributes)) for row in unit]).T
            for one in asked.marginals
        ]
    )


def planned_total(asked: Workload, made: Plan) -> float:
    """Weighted sum of variances of all cells, as planned."""
    return sum(
        one.weight * asked.size(one, TRAFFORD) * made.mean_variance(one.attributes)
        for one in asked.marginals
    )


@pytest.mark.parametrize("ways", [1, 2, 3])
def test_without_nesting_the_plan_is_optimal(ways: int) -> None:
    """It meets the bound to a millionth: no Gaussian mechanism has less error."""
    sizes = {"area": 7, "band": 4, "age": 3, "flag": 2}
    asked = Workload(
        tuple(Attribute(name, tuple(f"c{at}" for at in range(n))) for name, n in sizes.items()),
        tuple(
            Marginal(names, 1 + len(names))
            for size in range(ways + 1)
            for names in combinations(sizes, size)
        ),
    )
    made = plan(asked, TRAFFORD, Rho.of(RHO))
    bounds = least_total_variance(matrix(asked, made), RHO, steps=5)
    assert bounds.svd == pytest.approx(bounds.lower, rel=1e-6)  # all cells are alike
    assert planned_total(asked, made) == pytest.approx(bounds.lower, rel=1e-6)


@pytest.mark.parametrize(
    "sizes, at_most",
    [((4, 4, 4, 4), 1e-6), ((4, 5, 5, 6), 0.005), ((3, 4, 5, 6), 0.01), ((1, 2, 3, 10), 0.1)],
)
@pytest.mark.parametrize("weight", [1, 4])
def test_nested_areas_are_planned_near_the_optimum(
    sizes: tuple[int, ...], at_most: float, weight: int
) -> None:
    """Our extension of the residual basis: RMSE above the least that is possible."""
    asked = Workload(
        (*areas({TRAFFORD: sizes}), Attribute("tenure", ("own", "rent"))),
        (Marginal(("lsoa", "tenure")), Marginal(("ward", "tenure"), weight), Marginal(())),
    )
    made = plan(asked, TRAFFORD, Rho.of(RHO))
    bounds = least_total_variance(matrix(asked, made), RHO)
    assert bounds.upper == pytest.approx(bounds.lower, rel=1e-4)
    excess = math.sqrt(planned_total(asked, made) / bounds.lower) - 1
    print(f"wards {sizes}, weight {weight}: {excess:.4%} above the optimum")
    assert -1e-6 <= excess <= at_most
