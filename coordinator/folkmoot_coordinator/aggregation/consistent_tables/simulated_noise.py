"""Noise like that of a round, for simulation. It protects nobody, and nothing is released."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from folkmoot.hierarchy import Axis
from folkmoot.strategy import Depths, Measurement, Plan
from folkmoot_coordinator.aggregation.combination import variances_of
from folkmoot_coordinator.aggregation.reconstruct import Reconstruction

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


class SimulatedNoise:
    """Draws estimates as if a council had released some tables under its plan.

    A rounded normal stands in for the discrete Gaussian; their variances differ by 1/12.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan

    def __call__(
        self, rng: np.random.Generator, truth: Mapping[Depths, Int64]
    ) -> dict[Depths, Float64]:
        """Unbiased estimates around tables that agree, by depths, axes in the plan's order."""
        rows = [_rows(self._plan.axes, one, rng) for one in self._plan.measurements]
        noise = Reconstruction(self._plan, np.concatenate(rows))
        return {depths: table + noise.values(depths) for depths, table in truth.items()}


def _rows(axes: Sequence[Axis], measured: Measurement, rng: np.random.Generator) -> Int64:
    if measured.epsilon.nano:
        # The difference of two geometric numbers is discrete Laplace.
        stops = -np.expm1(-measured.epsilon.value)
        first, second = rng.geometric(stops, (2, measured.rows))
        return np.asarray(first - second, dtype=np.int64)
    return np.rint(rng.normal(scale=np.sqrt(variances_of(axes, measured)))).astype(np.int64)
