"""Two plans of the same question, at the same loss: which is better for which marginal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.privacy import NO_EPSILON, Epsilon, Rho, rho_at
from folkmoot.rounds import Mechanism
from folkmoot.strategy import Plan
from folkmoot.workload import Marginal, Workload
from folkmoot_coordinator.planning.forecast import Forecast
from folkmoot_coordinator.rounds.objective import Objective, planned

MATTERS = 0.01
"""Smaller differences between standard errors, as a part of them, are not counted."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """How a second plan differs from a first.

    Attributes:
        better: Names of the marginals that the second measures more precisely.
        worse: Names of those that it measures less precisely.
        largest: Largest standard error of a marginal under each, households.
        median: Median standard error of the marginals under each, households.
    """

    better: tuple[str, ...]
    worse: tuple[str, ...]
    largest: tuple[float, float]
    median: tuple[float, float]


def compare(
    marginals: Sequence[Marginal],
    first: Mapping[GssCode, Plan],
    second: Mapping[GssCode, Plan],
) -> Comparison:
    """Compares two plans of some marginals by the mean variance over cells of all councils."""
    one, two = (
        np.array([_error(plans, marginal) for marginal in marginals]) for plans in (first, second)
    )
    return Comparison(
        better=_names(marginals, two < (1 - MATTERS) * one),
        worse=_names(marginals, one < (1 - MATTERS) * two),
        largest=(float(one.max()), float(two.max())),
        median=(float(np.median(one)), float(np.median(two))),
    )


def other_objective(forecast: Forecast) -> tuple[Objective, Comparison] | None:
    """The same question planned for the other objective, compared with the plan as it is.

    None with discrete Laplace noise, which is planned for the least sum only.
    """
    if forecast.round.mechanism is Mechanism.DISCRETE_LAPLACE:
        return None
    sums = forecast.planning.objective is Objective.SUM
    other = Objective.MAXIMUM if sums else Objective.SUM
    round_ = forecast.round
    marginals = round_.workload.marginals
    written = Workload(
        round_.workload.attributes,
        tuple(
            Marginal(marginal.attributes, weight)
            for marginal, weight in zip(marginals, forecast.planning.weights, strict=True)
        ),
    )
    signed, _ = planned(written, round_.councils, other)
    asked = replace(round_, workload=signed)
    plans = {council: asked.plan(council) for council in asked.councils}
    return other, compare(marginals, forecast.plans, plans)


@dataclass(frozen=True, slots=True)
class OtherMechanism:
    """The same question under the other mechanism, at the same epsilon.

    Attributes:
        mechanism: The other mechanism.
        epsilon: Of both; pure, without a delta, for discrete Laplace noise.
        rho: What the other would cost in the councils' ledgers.
        comparison: Precision under the mechanism asked for, and under the other.
    """

    mechanism: Mechanism
    epsilon: float
    rho: Rho
    comparison: Comparison


def other_mechanism(forecast: Forecast) -> OtherMechanism | None:
    """Which mechanism is better for which marginal; None if the other cannot be asked for."""
    round_ = forecast.round
    epsilon = round_.epsilon_for()
    try:
        if round_.mechanism is Mechanism.DISCRETE_GAUSSIAN:
            pure = Epsilon.of(f"{epsilon:.9f}")
            asked = replace(
                round_, mechanism=Mechanism.DISCRETE_LAPLACE, epsilon=pure, loss=pure.rho
            )
        else:
            asked = replace(
                round_,
                mechanism=Mechanism.DISCRETE_GAUSSIAN,
                epsilon=NO_EPSILON,
                loss=rho_at(epsilon, round_.delta),
            )
    except ContractError:  # nested attributes, or too many marginals for the loss
        return None
    plans = {council: asked.plan(council) for council in asked.councils}
    compared = compare(round_.workload.marginals, forecast.plans, plans)
    return OtherMechanism(asked.mechanism, epsilon, asked.loss, compared)


def _error(plans: Mapping[GssCode, Plan], marginal: Marginal) -> float:
    variances = [plan.mean_variance(marginal.attributes) for plan in plans.values()]
    cells = [plan.cells(marginal.attributes) for plan in plans.values()]
    return float(np.sqrt(np.average(variances, weights=cells)))


def _names(marginals: Sequence[Marginal], which: NDArray[np.bool_]) -> tuple[str, ...]:
    return tuple(marginal.name for marginal, chosen in zip(marginals, which, strict=True) if chosen)
