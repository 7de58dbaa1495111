"""From one council's noisy numbers to estimates of the marginals it was asked for.

The contrasts of different components are orthogonal, so the best linear unbiased estimate of
a marginal is the sum, over the components below it, of what each says about each cell (Xiao,
He, Zhang and Kifer, ResidualPlanner, NeurIPS 2023, section 5). Marginals reconstructed so
agree with each other, and along nested areas, to the last bits of floating point. Nothing
larger than a marginal is ever built.

Under pure differential privacy marginals were measured themselves (`folkmoot.pure`); each
component is then the average of what the marginals above it say, weighted by precision.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from folkmoot.hierarchy import Axis, AxisLevel
from folkmoot.pure import contrast_share, precision
from folkmoot.strategy import Depths, Measurement, Plan

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Number = TypeVar("Number", np.float64, np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Estimates:
    """One marginal of one council, or a sum of such.

    Attributes:
        value: Households, unbiased; shape of the marginal, axes in the marginal's order.
        variance: Of the noise, households squared; the same shape.
        step: By how much a value can move when one whole number of noise changes by one.
        quantile: How many standard errors an interval reaches either way.
    """

    value: Float64
    variance: Float64
    step: float
    quantile: float


class VarianceTables:
    """Variances by marginal, shared by councils whose plans do not differ but in their codes."""

    def __init__(self) -> None:
        self._known: dict[Hashable, Float64] = {}

    def of(self, plan: Plan, depths: Depths) -> Float64:
        """As `variances` gives them: float64, shape of the marginal, never missing.

        Do not write to the array: it is shared.
        """
        parents = tuple(level.parents for axis in plan.axes for level in axis.levels)
        levels = tuple(len(axis.levels) for axis in plan.axes)
        key = depths, levels, parents, plan.components
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = variances(plan, depths)
        return found


class Reconstruction:
    """What one council's release says about any marginal below those asked for."""

    def __init__(
        self, plan: Plan, noisy: Int64 | Float64, variances: VarianceTables | None = None
    ) -> None:
        """Takes a release apart.

        Args:
            plan: The council's plan.
            noisy: Its noisy whole numbers, or a weighted sum of several, shape (plan.rows,).
            variances: Those that councils share, if several are taken apart.
        """
        self._plan = plan
        self._variances = variances or VarianceTables()
        self._values: dict[Depths, Float64] = {}
        self._components: dict[Depths, Float64] = {}
        first = 0
        for measured in plan.measurements:
            rows = noisy[first : first + measured.rows]
            first += measured.rows
            if measured.epsilon.nano:
                self._add_marginal(measured, rows)
            else:
                self._components[measured.depths] = _invert(plan.axes, measured.depths, rows)
        if plan.is_pure:
            for part in plan.components:
                weight = part.tau_squared * contrast_share(plan.axes, part.depths)
                self._components[part.depths] *= weight

    def _add_marginal(self, measured: Measurement, rows: Int64 | Float64) -> None:
        """Adds what one noisy marginal says of each component below it, by its precision."""
        axes = self._plan.axes
        shape = tuple(map(Axis.size, axes, measured.depths))
        table = rows.reshape(shape).astype(np.float64)
        for part in self._plan.parts(measured.depths):
            values = table
            for at, depth in enumerate(part.depths):
                if depth:
                    values = values - values.mean(axis=at, keepdims=True)
                else:
                    values = values.sum(axis=at, keepdims=True)
            weighted = values * precision(axes, measured, part.depths)
            known = self._components.get(part.depths)
            self._components[part.depths] = weighted if known is None else known + weighted

    def marginal(self, attributes: Sequence[str]) -> Estimates:
        """Estimates of the marginal over some attributes, in that order.

        Any marginal below one that was asked for is known, asked for or not.
        """
        depths = self._plan.depths(attributes)
        order = axis_order(self._plan.axes, attributes)
        return Estimates(
            arrange(self.values(depths), order),
            arrange(self._variances.of(self._plan, depths), order),
            self._plan.largest_step(attributes),
            self._plan.quantile,
        )

    def values(self, depths: Depths) -> Float64:
        """Estimates of the marginal of these depths.

        Returns:
            float64, households, never missing; shape of the marginal, axes in the plan's order.
            They are kept: do not write to them.
        """
        found = self._values.get(depths)
        if found is None:
            axes = self._plan.axes
            found = np.zeros(tuple(map(Axis.size, axes, depths)))
            for part in self._plan.parts(depths):
                found += _spread(self._components[part.depths], axes, part.depths, depths)
            self._values[depths] = found
        return found


def variances(plan: Plan, depths: Depths) -> Float64:
    """Variance of each cell of a marginal; a function of the round alone.

    Returns:
        float64, households squared, never missing; shape of the marginal, axes in the plan's
        order.
    """
    found = np.zeros(tuple(map(Axis.size, plan.axes, depths)))
    for part in plan.parts(depths):
        term = np.full((1,) * len(plan.axes), part.tau_squared)
        for at, (axis, own, asked) in enumerate(zip(plan.axes, part.depths, depths, strict=True)):
            if asked:
                term = term * along(axis.variance_factors(own, asked), at, len(plan.axes))
        found += term
    return found


def _invert(axes: Sequence[Axis], depths: Depths, rows: Int64 | Float64) -> Float64:
    """Least squares estimate of a component's contrast in each cell."""
    shape = tuple(map(Axis.rows, axes, depths))
    values = rows.reshape(shape).astype(np.float64)
    for at, (axis, depth) in enumerate(zip(axes, depths, strict=True)):
        if depth:
            values = _invert_axis(values, at, axis.levels[depth - 1])
    return values


def _invert_axis(values: Float64, at: int, level: AxisLevel) -> Float64:
    """The pseudo-inverse of one axis' contrast: from rows to cells.

    For a group of m > 2 it takes away the mean of the group's rows and divides by m; for a
    pair it gives half the difference to one cell and takes it from the other.
    """
    moved = np.moveaxis(values, at, 0)
    rows = np.array(level.row_cells, dtype=np.intp)
    parents, sizes = np.array(level.parents), np.array(level.group_sizes, dtype=np.float64)
    cells = np.zeros((len(level.codes), *moved.shape[1:]))
    cells[rows] = moved
    groups = int(parents.max(initial=0)) + 1
    if groups == 1 and 0 < len(moved) < moved.size:
        # Much faster, and as exact: rows are added one by one, as they are below.
        sums = np.ascontiguousarray(moved).sum(axis=0, keepdims=True)
    else:
        sums = np.zeros((groups, *moved.shape[1:]))
        np.add.at(sums, parents[rows], moved)
    columns = (-1,) + (1,) * (moved.ndim - 1)
    # The second cell of a pair has no row and holds 0: taking away half the pair's row
    # leaves a half in the first and minus a half in the second.
    weight = np.where(sizes == 2, 1.0, sizes).reshape(columns)
    cells = (cells - sums[parents] / sizes.reshape(columns)) / weight
    return np.moveaxis(cells, 0, at)


def _spread(values: Float64, axes: Sequence[Axis], own: Depths, asked: Depths) -> Float64:
    """Gives each cell of a marginal its mean share of a component's cell."""
    for at, (axis, above, below) in enumerate(zip(axes, own, asked, strict=True)):
        if above < below:
            if above:
                values = values.take(np.array(axis.ancestors(above, below)), axis=at)
            values = values * along(axis.shares(above, below), at, len(axes))
    return values


def along(factors: Sequence[float], at: int, axes: int) -> Float64:
    """Factors of the cells of one axis, to be broadcast over a table.

    Returns:
        float64, shape (1, ..., cells, ..., 1) with as many dimensions as `axes`, never missing.
    """
    shape = [1] * axes
    shape[at] = -1
    return np.array(factors).reshape(shape)


def axis_order(axes: Sequence[Axis], attributes: Sequence[str]) -> list[int]:
    """For each attribute, in the marginal's order, its place among the axes."""
    return [
        next(at for at, axis in enumerate(axes) if axis.depth(attribute))
        for attribute in attributes
    ]


def arrange(values: NDArray[Number], order: Sequence[int]) -> NDArray[Number]:
    """Puts axes in the marginal's order, and drops those that are summed over.

    Returns:
        The same values in the type of `values`, none missing; shape of the marginal.
    """
    others: list[int] = [at for at in range(values.ndim) if at not in order]
    return values.transpose([*order, *others]).reshape([values.shape[at] for at in order])
