"""Tables of some councils together, with the covariance of the noise of all their cells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from folkmoot.geography import GssCode
from folkmoot.strategy import Plan, is_below
from folkmoot_coordinator.aggregation.combination import row_variances, row_weights
from folkmoot_coordinator.aggregation.reconstruct import (
    Reconstruction,
    VarianceTables,
    axis_order,
)
from folkmoot_coordinator.publication.estimable import Estimable

Float64 = NDArray[np.float64]
Names = tuple[str, ...]


class NoisyTables:
    """Tables over attributes that councils share, of what a round says of its latest figures.

    Args:
        known: The releases.
        councils: Those whose households are counted together; all of them released.
    """

    def __init__(self, known: Estimable, councils: Sequence[GssCode]) -> None:
        self._plans: dict[GssCode, Plan] = {}
        self._made: dict[GssCode, Reconstruction] = {}
        self._scale: dict[GssCode, float] = {}
        shared = VarianceTables()
        for council in councils:
            plan = known.round_.plan(council)
            of_releases = known.weights[known.latest][council]
            numbers = np.sum(
                [times * known.releases[key].counts for key, times in of_releases.items()], axis=0
            )
            scale = sum(times**2 * known.releases[key].factor for key, times in of_releases.items())
            self._plans[council], self._scale[council] = plan, float(scale)
            self._made[council] = Reconstruction(plan, numbers, shared)

    @property
    def quantile(self) -> float:
        """How many standard errors a 95 % interval of the noise reaches."""
        return max(plan.quantile for plan in self._plans.values())

    def has(self, names: Names) -> bool:
        """Whether a table over these attributes was asked for, or follows from one that was."""
        plan = next(iter(self._plans.values()))
        depths = plan.depths(names)
        return any(is_below(depths, asked) for asked in plan.largest)

    def values(self, names: Names) -> Float64:
        """Estimates of a table.

        Returns:
            float64, households, shape (codes of the first attribute, of the next, ...), none
            missing.
        """
        tables = [made.marginal(names).value for made in self._made.values()]
        return np.asarray(np.sum(tables, axis=0), dtype=np.float64)

    def variances(self, names: Names) -> Float64:
        """Of the noise of each cell of a table.

        Returns:
            float64, households squared, in the shape of `values`, none missing.
        """
        tables = [
            self._scale[council] * made.marginal(names).variance
            for council, made in self._made.items()
        ]
        return np.asarray(np.sum(tables, axis=0), dtype=np.float64)

    def covariance(self, weights: Mapping[Names, Float64]) -> Float64:
        """Covariance of the noise of weighted sums of cells, of one table or several.

        Args:
            weights: By table the weights of its cells in each sum: float64, shape
                (sums, codes of the first attribute, ...).

        Returns:
            float64, shape (sums, sums), none missing.
        """
        sums = len(next(iter(weights.values())))
        found = np.zeros((sums, sums))
        for council, plan in self._plans.items():
            rows = np.stack(
                [
                    row_weights(
                        plan,
                        {
                            plan.depths(names): _in_plan(plan, names, table[at])
                            for names, table in weights.items()
                        },
                    )
                    for at in range(sums)
                ]
            )
            found += self._scale[council] * (rows * row_variances(plan)) @ rows.T
        return found


def _in_plan(plan: Plan, names: Names, table: Float64) -> Float64:
    """A table with the plan's axes, in the plan's order."""
    order = np.argsort(axis_order(plan.axes, names))
    sizes = [axis.size(depth) for axis, depth in zip(plan.axes, plan.depths(names), strict=True)]
    return table.transpose(order).reshape(sizes)
