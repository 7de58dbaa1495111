"""What a round's plan minimises: the sum of variances, or the largest of them.

A node plans for the least weighted sum over cells, in closed form, from the weights that are
signed with the round (`folkmoot.strategy.plan`). The plan for the least maximum is also such a
plan, for the right weights, and those are found here; so a node need not know which objective
was meant.

For marginals S of weight w with N cells in all councils together, let V be the mean variance
of a cell, over the cells of all councils. The least of `max w V` over all allocations of the
loss is, by convex duality, the largest over `u` in the simplex of

    F(u) = the least of the sum of u w V = sum over councils of (sum over components of
           sqrt(c(u)))^2 / (2 rho),  c(u) = sum over S of u w R / N,

where R is what S needs from a component (`strategy.reach`). For given `u` each council
minimises by itself the sum of `u w / N` times the variance of each cell. That is the plan in
closed form for weights in proportion to `u w / N`, the same for all councils.

F is concave. Each square root of a sum is at least a concave function of the roots of its
terms that touches it (Cauchy and Schwarz), and the squares are convex; maximising that bound
gives the step `u <- u g^2 / norm`, where `g = w V` is the gradient. So F never falls (a
minorise-maximise algorithm, Hunter and Lange 2004). At every step `max g` is what a plan
attains, and `sum u g = F(u)` is less than any plan can attain: the difference bounds what is
missing to the optimum.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from folkmoot.geography import GssCode
from folkmoot.hierarchy import Axis
from folkmoot.strategy import components, depths_of, reach
from folkmoot.workload import MAX_WEIGHT, Marginal, Workload

TOLERANCE = 0.001
"""The ascent ends when the largest weighted variance is at most this part above the least."""
MAX_SCALES = 64
"""So many scales of whole weights are tried, unless one is good enough before."""
_GOOD_ENOUGH = 1.1
MAX_STEPS = 5_000
"""The ascent ends here at the latest; a hundred steps are usual."""

Float64 = NDArray[np.float64]


class Objective(StrEnum):
    """What a plan minimises, at the loss given."""

    SUM = "sum"
    """The sum over all cells of weight times variance."""
    MAXIMUM = "maximum"
    """The largest over marginals of weight times mean variance of a cell."""

    @property
    def meaning(self) -> str:
        """For people."""
        return (
            "the least "
            + {
                Objective.SUM: "sum over all cells of weight times variance",
                Objective.MAXIMUM: "maximum over marginals of weight times mean variance of a cell",
            }[self]
        )


@dataclass(frozen=True, slots=True)
class Planning:
    """How the weights that are signed with a round came about.

    Attributes:
        objective: What its plan minimises.
        weights: For each marginal the weight that a person wrote.
        excess: How far the objective is at most above the least that any plan attains, as a
            part of it; the weights that are signed are whole numbers, and this counts that.
    """

    objective: Objective
    weights: tuple[int, ...]
    excess: float

    @classmethod
    def as_written(cls, workload: Workload) -> Planning:
        """The planning of a workload whose weights are those a person wrote."""
        return cls(Objective.SUM, tuple(marginal.weight for marginal in workload.marginals), 0.0)

    def to_json(self) -> str:
        """For keeping with a round."""
        return json.dumps(
            {"objective": self.objective, "weights": self.weights, "excess": self.excess}
        )

    @classmethod
    def from_json(cls, text: str) -> Planning:
        """What `to_json` gave."""
        kept = json.loads(text)
        return cls(Objective(kept["objective"]), tuple(kept["weights"]), kept["excess"])


def planned(
    workload: Workload, councils: Sequence[GssCode], objective: Objective
) -> tuple[Workload, Planning]:
    """The workload with the weights to sign, so that nodes plan for the objective.

    Args:
        workload: What is asked, with the weights that a person wrote.
        councils: Councils invited; each attribute has codes of each.
        objective: What the plans of all councils together minimise.

    Returns:
        The same marginals with weights from 1 to 2^32 - 1, and how they came about.
    """
    written = Planning.as_written(workload)
    if objective is Objective.SUM:
        return workload, written
    problem = _Minimax(workload, councils)
    weights, excess = _whole(problem, problem.solve())
    signed = Workload(
        workload.attributes,
        tuple(
            Marginal(marginal.attributes, weight)
            for marginal, weight in zip(workload.marginals, weights, strict=True)
        ),
    )
    return signed, Planning(objective, written.weights, excess)


def _whole(problem: _Minimax, multipliers: Float64) -> tuple[tuple[int, ...], float]:
    """Whole numbers for multipliers, and the bound on what they are above the optimum.

    Weights are used by their proportions alone, and the small ones lose most by rounding. So
    where that matters several scales are tried.
    """
    wanted = multipliers * problem.weights / problem.cells
    best: tuple[tuple[int, ...], float] = ((), math.inf)
    for scale in np.linspace(1, 0.5, MAX_SCALES):
        rounded = np.clip(np.rint(wanted / wanted.max() * scale * MAX_WEIGHT), 1, None)
        reached = rounded * problem.cells / problem.weights
        excess = problem.excess(reached / reached.sum())
        if excess < best[1]:
            best = tuple(int(weight) for weight in rounded), excess
        if excess <= _GOOD_ENOUGH * TOLERANCE:
            break
    return best


class _Minimax:
    """The least maximum over marginals of weight times mean variance, at 2 rho = 1."""

    def __init__(self, workload: Workload, councils: Sequence[GssCode]) -> None:
        axes = [workload.axes(council) for council in councils]
        marginals = workload.marginals
        self.weights: Float64 = np.array([float(marginal.weight) for marginal in marginals])
        self.cells: Float64 = np.array(
            [
                float(sum(workload.size(marginal, council) for council in councils))
                for marginal in marginals
            ]
        )
        needs, self._marginal, component = _needs(axes, workload)
        needs *= (self.weights / self.cells)[self._marginal]
        # What each council needs, once in the order of marginals, once of components.
        self._by_marginal = needs
        self._first_of_marginal = _starts(self._marginal)
        order = np.argsort(component, kind="stable")
        self._by_component = np.ascontiguousarray(needs[:, order])
        self._marginal_by_component = self._marginal[order]
        self._first_of_component = _starts(component[order])
        self._component = component

    def gradient(self, multipliers: Float64) -> Float64:
        """Weight times mean variance of each marginal under the plan for `multipliers`."""
        products = self._by_component * multipliers[self._marginal_by_component]
        collected = np.add.reduceat(products, self._first_of_component, axis=1)
        # A component that no council can measure is needed by nobody: 0 of 0.
        roots = np.sqrt(np.where(collected > 0, collected, 1.0))
        sums = np.sum(np.where(collected > 0, roots, 0.0), axis=1)
        terms = self._by_marginal * (sums[:, None] / roots)[:, self._component]
        found: Float64 = np.add.reduceat(terms, self._first_of_marginal, axis=1).sum(axis=0)
        return found

    def excess(self, multipliers: Float64) -> float:
        """Bound on how far the plan for `multipliers` is above the optimum, as a part of it."""
        return _excess(multipliers, self.gradient(multipliers))

    def solve(self) -> Float64:
        """Multipliers in the simplex, within the tolerance of the optimum."""
        multipliers = np.full(len(self.weights), 1 / len(self.weights))
        for _ in range(MAX_STEPS):
            gradient = self.gradient(multipliers)
            if _excess(multipliers, gradient) <= TOLERANCE:
                break
            multipliers = multipliers * (gradient / gradient.max()) ** 2
            multipliers /= multipliers.sum()
        return multipliers


def _excess(multipliers: Float64, gradient: Float64) -> float:
    return max(0.0, float(gradient.max() / np.dot(multipliers, gradient)) - 1)


def _needs(
    axes: Sequence[tuple[Axis, ...]], workload: Workload
) -> tuple[Float64, NDArray[np.intp], NDArray[np.intp]]:
    """What each marginal needs from each component.

    Returns:
        Needs, shape (councils, pairs); the marginal of each pair, ascending; its component.
    """
    number: dict[tuple[int, ...], int] = {}
    needs: list[list[float]] = []
    marginals: list[int] = []
    of_component: list[int] = []
    for at, marginal in enumerate(workload.marginals):
        # Councils differ in the cells of an axis, never in its levels.
        depths = depths_of(axes[0], marginal.attributes)
        for component in components(depths):
            needs.append([reach(held, component, depths) for held in axes])
            marginals.append(at)
            of_component.append(number.setdefault(component, len(number)))
    return (
        np.array(needs, dtype=np.float64).T.copy(),
        np.array(marginals, dtype=np.intp),
        np.array(of_component, dtype=np.intp),
    )


def _starts(ascending: NDArray[np.intp]) -> NDArray[np.intp]:
    """Where each run of equal numbers begins."""
    return np.flatnonzero(np.diff(ascending, prepend=-1))
