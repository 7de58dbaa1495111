"""How a round under pure differential privacy is measured: each marginal, with Laplace noise.

Discrete Laplace noise depends on the L1 sensitivity, which the contrasts of the residual basis
have large, and one marginal has small: one household changes one cell by one. So the marginals
that are asked for are measured themselves, each with a share of epsilon, and what they say of
the same component is averaged with weights inverse to the variances. Noise that is the same in
every cell of a marginal is uncorrelated between its components, so that average is the best
linear unbiased estimate, and marginals agree as they do under the residual basis.

Attributes that nest are not taken: the noise of sums over groups of unequal size is not the
same in every cell.
"""

from __future__ import annotations

import math
from itertools import product

from folkmoot.geography import GssCode
from folkmoot.hierarchy import Axis
from folkmoot.interval import LAPLACE_QUANTILE
from folkmoot.privacy import Epsilon
from folkmoot.strategy import Component, Depths, Measurement, Plan, depths_of, names_of
from folkmoot.workload import Workload

MIN_VARIANCE = 1e-200
"""Stands for no noise at all: an absurd loss can be planned, so that a person can see it."""


def plan_pure(workload: Workload, council: GssCode, loss: Epsilon) -> Plan:
    """The plan with the least weighted sum of variances of the marginals as measured.

    A cell's variance is about `2 / epsilon^2` (`laplace_variance`), so the shares of epsilon
    are in proportion to the cube root of `weight * cells`. They are whole nano-epsilon and
    never sum to more than `loss`.

    Args:
        workload: What is asked; without nested attributes.
        council: Whose areas are asked about; each attribute has codes of it.
        loss: At least one nano-epsilon for each marginal.
    """
    axes = workload.axes(council)
    asked = [depths_of(axes, marginal.attributes) for marginal in workload.marginals]
    roots = [
        math.cbrt(marginal.weight * math.prod(map(Axis.size, axes, depths)))
        for marginal, depths in zip(workload.marginals, asked, strict=True)
    ]
    total = math.fsum(roots)
    spare = loss.nano - len(roots)  # each gets one nano-epsilon at least
    shares = [1 + int(spare * (root / total)) for root in roots]
    shares[shares.index(max(shares))] -= max(0, sum(shares) - loss.nano)
    measurements = tuple(
        Measurement(
            depths=depths,
            attributes=names_of(axes, depths),
            rows=math.prod(map(Axis.size, axes, depths)),
            rho=Epsilon(share).rho,
            epsilon=Epsilon(share),
        )
        for depths, share in zip(asked, shares, strict=True)
    )
    return Plan(axes, measurements, _components(axes, measurements), LAPLACE_QUANTILE)


def laplace_variance(epsilon: Epsilon) -> float:
    """Variance of discrete Laplace noise of scale `1 / epsilon`, households squared.

    The mass of k is proportional to `exp(-epsilon |k|)` (Ghosh, Roughgarden and Sundararajan
    2012); the variance is `2 q / (1 - q)^2` with `q = exp(-epsilon)`, or `MIN_VARIANCE`.
    """
    exact = 2 * math.exp(-epsilon.value) / math.expm1(-epsilon.value) ** 2
    return max(exact, MIN_VARIANCE)


def precision(axes: tuple[Axis, ...], measured: Measurement, component: Depths) -> float:
    """What one marginal says about a component below it: one over the variance of its contrast.

    The contrast compares sums over the cells of the axes that the component leaves out.
    """
    summed = math.prod(
        axis.size(own)
        for axis, own, asked in zip(axes, measured.depths, component, strict=True)
        if own and not asked
    )
    return 1 / (laplace_variance(measured.epsilon) * summed)


def _components(
    axes: tuple[Axis, ...], measurements: tuple[Measurement, ...]
) -> tuple[Component, ...]:
    found: dict[Depths, list[float]] = {}
    for measured in measurements:
        for component in product(*(range(depth + 1) for depth in measured.depths)):
            found.setdefault(component, []).append(precision(axes, measured, component))
    components = []
    for depths, precisions in sorted(found.items()):
        share = contrast_share(axes, depths)
        if share > 0:  # else one axis has a single cell, and there is no contrast
            components.append(Component(depths, 1 / (math.fsum(precisions) * share)))
    return tuple(components)


def contrast_share(axes: tuple[Axis, ...], depths: Depths) -> float:
    """Variance that is left of noise in one cell when the means of its groups are taken away."""
    return math.prod(
        1 - 1 / axis.size(depth) for axis, depth in zip(axes, depths, strict=True) if depth
    )
