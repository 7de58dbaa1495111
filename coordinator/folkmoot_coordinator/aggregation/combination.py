"""Weighted sums of estimates, with their errors: of areas, of councils, between months.

Errors of published cells do not add up, because cells share noise. Every estimate is a weighted
sum of the noisy numbers that were released, which are independent of each other, so the
weights of a sum of cells are found from those of its cells, and its variance is the sum over
the noisy numbers of squared weight times variance. Weights are taken apart along the
residual basis, as `reconstruct` puts estimates together, so that nothing larger than a marginal
is ever built.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from folkmoot.hierarchy import Axis, AxisLevel
from folkmoot.pure import contrast_share, laplace_variance, precision
from folkmoot.strategy import Depths, Measurement, Plan
from folkmoot_coordinator.aggregation import fieller
from folkmoot_coordinator.aggregation.reconstruct import along

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Measured:
    """Noisy numbers of one release; those of different releases are independent.

    Attributes:
        plan: The council's plan.
        counts: The numbers, int64, shape (plan.rows,).
        factor: By how much their variance is larger than the plan's; not 1 in a series.
    """

    plan: Plan
    counts: Int64
    factor: float = 1.0

    @cached_property
    def variances(self) -> Float64:
        """Variance of the noise in each number: float64, shape (plan.rows,), never missing."""
        return row_variances(self.plan) * self.factor


@dataclass(frozen=True, slots=True)
class Interval:
    """A figure with its error.

    Attributes:
        value: The estimate; None for a quotient by zero.
        standard_error: Of the noise; None for a quotient by zero.
        lower: Lower end of the 95 % interval; None if it has none.
        upper: Upper end of it; None if it has none.
    """

    value: float | None
    standard_error: float | None
    lower: float | None
    upper: float | None


class Combination:
    """A weighted sum of noisy numbers of some releases.

    Args:
        releases: The releases that it may be from.
    """

    def __init__(self, releases: Mapping[Hashable, Measured]) -> None:
        self._releases = releases
        self._weights: dict[Hashable, Float64] = {}

    def add(self, release: Hashable, weights: Float64) -> None:
        """Adds weighted numbers of one release.

        Args:
            release: Its key.
            weights: For each of its numbers, float64, shape (plan.rows,).
        """
        known = self._weights.get(release)
        self._weights[release] = weights.copy() if known is None else known + weights

    @property
    def value(self) -> float:
        """The sum, in households where the weights are 1."""
        return float(sum(one @ self._releases[key].counts for key, one in self._weights.items()))

    def covariance(self, other: Combination) -> float:
        """Covariance of the noise of two sums over the same releases; with itself the variance."""
        total = 0.0
        for key, weights in self._weights.items():
            others = other._weights.get(key)
            if others is not None:
                total += float(np.sum(weights * others * self._releases[key].variances))
        return total

    @property
    def step(self) -> float:
        """By how much the sum moves at most when one noisy number changes by one."""
        return max((float(np.abs(one).max(initial=0)) for one in self._weights.values()), default=0)

    @property
    def quantile(self) -> float:
        """How many standard errors the 95 % interval reaches either way."""
        return max((self._releases[key].plan.quantile for key in self._weights), default=0.0)

    def estimate(self) -> Interval:
        """The sum with its error; the interval is that of `interval.half_width`."""
        value, error = self.value, self.covariance(self) ** 0.5
        reach = self.quantile * error + self.step / 2
        return Interval(value, error, value - reach, value + reach)


def share(part: Combination, whole: Combination) -> Interval:
    """The quotient of two sums, with its error.

    The standard error is by the delta method. The interval is Fieller's, which holds for a small
    denominator too.

    Returns:
        The quotient; without an interval where the denominator is not significantly different
        from zero, for then it has no ends.
    """
    numerator, denominator = part.value, whole.value
    if denominator == 0:
        return Interval(None, None, None, None)
    ratio = numerator / denominator
    own, both, other = part.covariance(part), part.covariance(whole), whole.covariance(whole)
    error = max(0.0, own - 2 * ratio * both + ratio**2 * other) ** 0.5 / abs(denominator)
    squared = max(part.quantile, whole.quantile) ** 2
    leading = denominator**2 - squared * other
    middle = numerator * denominator - squared * both
    last = numerator**2 - squared * own
    return Interval(ratio, error, *(fieller.ends(leading, middle, last) or (None, None)))


def row_weights(plan: Plan, wanted: Mapping[Depths, Float64]) -> Float64:
    """How often each noisy number of a release enters a weighted sum of estimated cells.

    Args:
        plan: The council's plan.
        wanted: By depths of a marginal, weights of its cells in the plan's order of axes.

    Returns:
        float64, shape (plan.rows,), never missing.
    """
    axes = plan.axes
    parts: dict[Depths, Float64] = {}
    for depths, weights in wanted.items():
        for part in plan.parts(depths):
            gathered = _gather(weights, axes, part.depths, depths)
            known = parts.get(part.depths)
            parts[part.depths] = gathered if known is None else known + gathered
    if plan.is_pure:
        for component in plan.components:
            if component.depths in parts:
                scale = component.tau_squared * contrast_share(axes, component.depths)
                parts[component.depths] = parts[component.depths] * scale
        rows = [_of_marginal(plan, one, parts) for one in plan.measurements]
    else:
        rows = [_of_contrast(axes, one, parts) for one in plan.measurements]
    return np.concatenate(rows)


def row_variances(plan: Plan) -> Float64:
    """Variance of the noise in each number of a release: float64, shape (plan.rows,).

    All are above 0, none is missing. Of the discrete Gaussian it is taken to be the squared scale,
    which it is at most.
    """
    return np.concatenate([variances_of(plan.axes, one) for one in plan.measurements])


def variances_of(axes: Sequence[Axis], measured: Measurement) -> Float64:
    """Variance of the noise in each row of a measurement: float64, shape (rows,), never missing."""
    if measured.epsilon.nano:
        return np.full(measured.rows, laplace_variance(measured.epsilon))
    squares: Float64 = np.full(1, measured.tau_squared)
    for axis, depth in zip(axes, measured.depths, strict=True):
        if depth:
            sensitivities = np.array(axis.levels[depth - 1].row_sensitivities, dtype=np.float64)
            squares = np.multiply.outer(squares, sensitivities).ravel()
    return squares


def _gather(weights: Float64, axes: Sequence[Axis], own: Depths, asked: Depths) -> Float64:
    """The transpose of giving each cell of a marginal its mean share of a component's cell."""
    for at, (axis, above, below) in enumerate(zip(axes, own, asked, strict=True)):
        if above < below:
            weights = weights * along(axis.shares(above, below), at, len(axes))
            if above:
                moved = np.moveaxis(weights, at, 0)
                summed = np.zeros((axis.size(above), *moved.shape[1:]))
                np.add.at(summed, np.array(axis.ancestors(above, below)), moved)
                weights = np.moveaxis(summed, 0, at)
            else:
                weights = weights.sum(axis=at, keepdims=True)
    return weights


def _of_contrast(
    axes: Sequence[Axis], measured: Measurement, parts: Mapping[Depths, Float64]
) -> Float64:
    """The transpose of estimating a component's cells from the rows of its contrast."""
    weights = parts.get(measured.depths)
    if weights is None:
        return np.zeros(measured.rows)
    for at, (axis, depth) in enumerate(zip(axes, measured.depths, strict=True)):
        if depth:
            weights = _rows_of_axis(weights, at, axis.levels[depth - 1])
    return weights.ravel()


def _rows_of_axis(weights: Float64, at: int, level: AxisLevel) -> Float64:
    moved = np.moveaxis(weights, at, 0)
    parents, sizes = np.array(level.parents), np.array(level.group_sizes, dtype=np.float64)
    sums = np.zeros((int(parents.max(initial=0)) + 1, *moved.shape[1:]))
    np.add.at(sums, parents, moved)
    column = (-1,) + (1,) * (moved.ndim - 1)
    # The row of a pair is the difference of its cells, that of a larger group m times a cell.
    divisors = np.where(sizes == 2, 1.0, sizes).reshape(column)
    centred = (moved - sums[parents] / sizes.reshape(column)) / divisors
    return np.moveaxis(centred[np.array(level.row_cells, dtype=np.intp)], 0, at)


def _of_marginal(plan: Plan, measured: Measurement, parts: Mapping[Depths, Float64]) -> Float64:
    """The transpose of what a marginal that was measured itself says of the parts below it."""
    shape = tuple(map(Axis.size, plan.axes, measured.depths))
    found = np.zeros(shape)
    for part in plan.parts(measured.depths):
        if part.depths not in parts:
            continue
        weights = parts[part.depths] * precision(plan.axes, measured, part.depths)
        for at, depth in enumerate(part.depths):
            if depth:
                weights = weights - weights.mean(axis=at, keepdims=True)
        found += weights  # broadcast along the axes that are summed over
    return found.ravel()
