"""The presentable tables of a round beside its unbiased estimates, and how far they are off."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folkmoot.geography import GssCode
from folkmoot.hierarchy import Axis
from folkmoot.rounds import Round
from folkmoot.strategy import Depths, depths_of
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.aggregation.consistent_tables.bias import (
    MAX_COUNCILS,
    Bias,
    BiasMeasurement,
    draws,
)
from folkmoot_coordinator.aggregation.consistent_tables.fit import presentable
from folkmoot_coordinator.aggregation.consistent_tables.fitting_order import LeftOut, fitting_order
from folkmoot_coordinator.aggregation.consistent_tables.nested_axes import CellGrid
from folkmoot_coordinator.aggregation.consistent_tables.simulated_noise import SimulatedNoise
from folkmoot_coordinator.aggregation.reconstruct import Reconstruction, arrange, axis_order
from folkmoot_operator.problems import ExitCode, Problem

Int64 = NDArray[np.int64]

_LARGEST = 2**31
"""Households beyond which sums in binary fractions of a household would not be exact."""


@dataclass(frozen=True, slots=True)
class BiasReport:
    """How far presentable values are off.

    Attributes:
        draws: Number of draws of noise, each used with both signs.
        councils: Number of councils that were simulated.
        rows: For each marginal the councils' cells and the region's, by size.
    """

    draws: int
    councils: int
    rows: dict[Marginal, tuple[Bias, ...]]


class Presentation:
    """How a round's marginals are made presentable: the same for all of its councils.

    Marginals are chosen by weight, the first of equal ones first.
    """

    def __init__(self, round_: Round) -> None:
        self._round = round_
        axes = [round_.workload.axes(council) for council in round_.councils]
        self._marginals = {
            depths_of(axes[0], marginal.attributes): marginal
            for marginal in sorted(round_.workload.marginals, key=lambda one: -one.weight)
        }
        sizes = [
            [max(axis.size(depth) for axis in same) for depth in range(len(same[0].levels) + 1)]
            for same in zip(*axes, strict=True)
        ]
        self._areas, self._outside = _areas(round_.workload, axes[0])
        self._order = fitting_order(list(self._marginals), sizes, self._areas)

    @property
    def left_out(self) -> dict[Marginal, LeftOut]:
        """Marginals that are not presented, and why."""
        return {self._marginals[depths]: why for depths, why in self._order.left_out.items()}

    def tables(self, council: GssCode, reconstruction: Reconstruction) -> dict[Marginal, Int64]:
        """Presentable tables of one council.

        Returns:
            For each presented marginal its households: int64, not negative, never missing, in
            the shape of the marginal; all sums agree.

        Raises:
            Problem: If an estimate is beyond what any council could hold.
        """
        axes = self._round.workload.axes(council)
        estimates = {depths: reconstruction.values(depths) for depths in self._order.presented}
        if any(np.abs(table).max(initial=0) > _LARGEST for table in estimates.values()):
            raise Problem(
                f"the release has a count beyond +-{_LARGEST} households",
                where=f"release of {council}",
                remedy="Ask the council what it sent",
                exit_code=ExitCode.VERIFICATION,
            )
        found = presentable(estimates, CellGrid(axes), self._order)
        return {
            marginal: arrange(found[depths], axis_order(axes, marginal.attributes))
            for depths, marginal in self._marginals.items()
            if depths in found
        }

    def bias(self, tables: Mapping[GssCode, Mapping[Marginal, Int64]], seed: bytes) -> BiasReport:
        """How far presentable values are off, by simulation.

        Args:
            tables: Presentable tables by council, in any shape.
            seed: Decides the simulated noise.
        """
        councils = sorted(tables)
        simulated = set(_drawn(councils, seed))
        cells = sum(table.size for council in simulated for table in tables[council].values())
        count = draws(cells)
        share = len(simulated) / max(1, len(councils))
        measured = BiasMeasurement(self._order, self._areas, count, share, self._outside)
        for at, council in enumerate(councils):
            axes = self._round.workload.axes(council)
            domain = CellGrid(axes)
            in_plan_order = {
                depths: _in_plan_order(tables[council][marginal], axes, depths, marginal)
                for depths, marginal in self._marginals.items()
                if marginal in tables[council]
            }
            if council in simulated:
                rng = np.random.default_rng([int.from_bytes(seed), at])
                noise = SimulatedNoise(self._round.plan(council))
                measured.add(in_plan_order, domain, noise, rng)
            else:
                measured.add_without_simulation(in_plan_order, domain)
        return BiasReport(
            count,
            len(simulated),
            {self._marginals[depths]: rows for depths, rows in measured.result().items()},
        )


def _drawn(councils: Sequence[GssCode], seed: bytes) -> Sequence[GssCode]:
    """The councils that are simulated, without replacement; all if there are few."""
    if len(councils) <= MAX_COUNCILS:
        return councils
    rng = np.random.default_rng([int.from_bytes(seed), len(councils)])
    return [councils[at] for at in rng.choice(len(councils), MAX_COUNCILS, replace=False)]


def _areas(
    workload: Workload, axes: Iterable[Axis]
) -> tuple[dict[int, int], dict[int, frozenset[int]]]:
    """The axes that are areas, each with the depth from which it is, and which depths have others.

    The cell of others comes last at its depth, and lies outside every area.
    """
    first: dict[int, int] = {}
    outside: dict[int, frozenset[int]] = {}
    for at, axis in enumerate(axes):
        for depth, level in enumerate(axis.levels, start=1):
            attribute = workload.attribute(level.attribute)
            if attribute.is_area:
                first.setdefault(at, depth)
                if attribute.others:
                    outside[at] = outside.get(at, frozenset()) | {depth}
    return first, outside


def _in_plan_order(
    table: Int64, axes: tuple[Axis, ...], depths: Depths, marginal: Marginal
) -> Int64:
    """Undoes `arrange`."""
    order = axis_order(axes, marginal.attributes)
    shape = [axis.size(depth) for axis, depth in zip(axes, depths, strict=True)]
    moved = table.reshape([shape[at] for at in order])
    return moved.transpose(np.argsort(order)).reshape(shape)
