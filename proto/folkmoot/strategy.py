"""What is measured to answer a workload, and the loss spent on each part.

A workload is measured in the residual basis of ResidualPlanner (Xiao, He, Zhang and Kifer,
NeurIPS 2023), which is optimal among linear Gaussian mechanisms for marginals of attributes
without nesting. A *component* is a set of attributes, one level of an axis each; what is
measured is the Kronecker product of their contrasts (see `hierarchy`). The marginal over a
set of attributes is the sum of the components over all its subsets, so each component is
measured once however many marginals need it, and all marginals agree with each other.

Both sides compute the plan from the round alone, so that no noise scale has to be believed:
the coordinator knows the variance that the node must have used. Every operation is one that
IEEE 754 rounds correctly (sums by `math.fsum`), so two machines get the same plan.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product

from folkmoot.geography import GssCode
from folkmoot.hierarchy import Axis
from folkmoot.interval import GAUSSIAN_QUANTILE
from folkmoot.privacy import NO_EPSILON, Epsilon, Rho
from folkmoot.workload import Workload

Depths = tuple[int, ...]
"""One depth for each axis; 0 where the axis is summed over."""


@dataclass(frozen=True, slots=True)
class Component:
    """What a release says about one component.

    Attributes:
        depths: The component.
        tau_squared: Its estimate has the variance that noise of scale `tau` times its
            sensitivity gives it; see `Axis.variance_factors`.
    """

    depths: Depths
    tau_squared: float


@dataclass(frozen=True, slots=True)
class Measurement:
    """What is measured at once, and the loss spent on it.

    Attributes:
        depths: Depth on each axis of what is measured.
        attributes: Their names; () for the whole council.
        rows: Number of whole numbers that are measured.
        rho: Loss of this measurement. For contrasts with discrete Gaussian noise of scale
            `tau * sqrt(s)` on the rows of squared sensitivity `s`, it is `1 / (2 tau^2)`,
            whichever rows a household is in: it is in one group of each axis.
        epsilon: Pure loss of this measurement if it is a marginal with discrete Laplace
            noise; zero for contrasts.
    """

    depths: Depths
    attributes: tuple[str, ...]
    rows: int
    rho: Rho
    epsilon: Epsilon = NO_EPSILON

    @property
    def tau_squared(self) -> float:
        """Squared noise scale per unit of sensitivity: `1 / (2 rho)`.

        Source: Canonne, Kamath and Steinke 2020, theorem 4.
        """
        return 1 / (2 * self.rho.value)

    @property
    def name(self) -> str:
        """For people: `band*lsoa`, or `total`."""
        return "*".join(self.attributes) or "total"


@dataclass(frozen=True)
class Plan:
    """How one council answers a round.

    Attributes:
        axes: The attributes the round counts by, nested ones together.
        measurements: What is measured, in the order of the release.
        components: What is known from it, each component once.
        quantile: How many standard errors an interval reaches either way; see `interval`.
    """

    axes: tuple[Axis, ...]
    measurements: tuple[Measurement, ...]
    components: tuple[Component, ...]
    quantile: float = GAUSSIAN_QUANTILE

    @cached_property
    def is_pure(self) -> bool:
        """True if marginals are measured under pure differential privacy."""
        return any(measurement.epsilon.nano for measurement in self.measurements)

    @property
    def rows(self) -> int:
        """Number of whole numbers that the release holds."""
        return sum(measurement.rows for measurement in self.measurements)

    @cached_property
    def largest(self) -> tuple[Depths, ...]:
        """Depths of the tables that give all others, none of them below another."""
        found: list[Depths] = []
        for measurement in sorted(self.measurements, key=lambda one: -sum(one.depths)):
            if not any(is_below(measurement.depths, depths) for depths in found):
                found.append(measurement.depths)
        return tuple(found)

    @cached_property
    def _places(self) -> dict[str, tuple[int, int]]:
        """For each attribute its axis, and its depth there."""
        return {
            level.attribute: (at, depth)
            for at, axis in enumerate(self.axes)
            for depth, level in enumerate(axis.levels, start=1)
        }

    def depths(self, attributes: Sequence[str]) -> Depths:
        """Depth on each axis of a marginal over these attributes; each must have an axis."""
        found = [0] * len(self.axes)
        for name in attributes:
            at, depth = self._places[name]
            found[at] = depth
        return tuple(found)

    def cells(self, attributes: Sequence[str]) -> int:
        """Number of cells of a marginal over these attributes."""
        return math.prod(map(Axis.size, self.axes, self.depths(attributes)))

    @cached_property
    def _by_depths(self) -> dict[Depths, Component]:
        return {component.depths: component for component in self.components}

    def parts(self, depths: Depths) -> tuple[Component, ...]:
        """The components that a marginal of these depths is the sum of, in their order."""
        found = (self._by_depths.get(component) for component in components(depths))
        return tuple(component for component in found if component is not None)

    def mean_variance(self, attributes: Sequence[str]) -> float:
        """Mean variance over the cells of a marginal, households squared.

        Without nesting all cells of a marginal have this variance. The variance of the
        discrete Gaussian is at most its squared scale, and equals it from scale 1 on to
        three digits.
        """
        depths = self.depths(attributes)
        total = math.fsum(
            part.tau_squared * reach(self.axes, part.depths, depths) for part in self.parts(depths)
        )
        return total / math.prod(map(Axis.size, self.axes, depths))

    def largest_step(self, attributes: Sequence[str]) -> float:
        """By how much an estimate can move at most when one whole number changes by one."""
        depths = self.depths(attributes)
        if self.is_pure:
            return 1.0
        return max(
            math.prod(
                axis.largest_step(own, asked)
                for axis, own, asked in zip(self.axes, part.depths, depths, strict=True)
                if asked
            )
            for part in self.parts(depths)
        )


def depths_of(axes: Sequence[Axis], attributes: Sequence[str]) -> Depths:
    """Depth on each axis of a marginal over these attributes."""
    return tuple(
        next((depth for name in attributes if (depth := axis.depth(name))), 0) for axis in axes
    )


def components(depths: Depths) -> Iterator[Depths]:
    """The components that a marginal of these depths is the sum of, in ascending order."""
    return product(*(range(depth + 1) for depth in depths))


def is_below(component: Depths, other: Depths) -> bool:
    """True if a table over `other` gives the component."""
    return all(own <= held for own, held in zip(component, other, strict=True))


def reach(axes: Sequence[Axis], component: Depths, marginal: Depths) -> float:
    """Sum over the cells of a marginal of a component's variance at tau 1."""
    return math.prod(
        axis.variance_factor_sum(own, asked)
        for axis, own, asked in zip(axes, component, marginal, strict=True)
        if asked  # else the axis is summed over, and its factor is 1
    )


def plan(workload: Workload, council: GssCode, loss: Rho) -> Plan:
    """The plan with the least weighted sum of variances over all cells of the workload.

    The sum over cells of `weight * variance` is `sum of c / (2 rho)` over the components,
    where `c` collects how much each marginal needs from a component. For a given total loss it
    is minimised if each component gets a share in proportion to `sqrt(c)` (Cauchy and Schwarz).
    The shares are whole nano-rho, rounded down, so that they never sum to more than `loss`.

    Args:
        workload: What is asked.
        council: Whose areas are asked about; each attribute has codes for it.
        loss: At least one nano-rho for each part of the workload, `Workload.parts`.
    """
    axes = workload.axes(council)
    needs: dict[Depths, list[float]] = {}
    for marginal in workload.marginals:
        depths = depths_of(axes, marginal.attributes)
        for component in components(depths):
            reached = reach(axes, component, depths)
            if reached > 0:  # else no group has two cells, so there is nothing to measure
                needs.setdefault(component, []).append(marginal.weight * reached)
    roots = {component: math.sqrt(math.fsum(found)) for component, found in needs.items()}
    total = math.fsum(roots.values())
    spare = loss.nano - len(roots)  # each gets one nano-rho at least
    shares = {component: 1 + int(spare * (root / total)) for component, root in roots.items()}
    excess = sum(shares.values()) - loss.nano
    if excess > 0:  # the last bits of the divisions
        shares[max(shares, key=shares.__getitem__)] -= excess
    measurements = tuple(
        Measurement(
            depths=component,
            attributes=names_of(axes, component),
            rows=math.prod(map(Axis.rows, axes, component)),
            rho=Rho(shares[component]),
        )
        for component in sorted(shares)
    )
    known = (Component(measured.depths, measured.tau_squared) for measured in measurements)
    return Plan(axes, measurements, tuple(known))


def names_of(axes: Sequence[Axis], depths: Depths) -> tuple[str, ...]:
    """Names of the attributes at these depths."""
    return tuple(
        axis.levels[depth - 1].attribute for axis, depth in zip(axes, depths, strict=True) if depth
    )
