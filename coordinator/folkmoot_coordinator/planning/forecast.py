"""How precise a round will be, and at what loss, before anything is asked.

The standard errors follow from the round alone. Which figures will be reliable depends on the
households behind them too, so that needs an assumption (`cell_sizes`).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property

import numpy as np

from folkmoot.errors import ContractError
from folkmoot.geography import GssCode
from folkmoot.interval import half_width
from folkmoot.precision import Precision, precision
from folkmoot.privacy import Epsilon, Rho
from folkmoot.rounds import Mechanism, Round
from folkmoot.workload import Marginal
from folkmoot_coordinator.planning.cell_sizes import CellSizes
from folkmoot_coordinator.planning.coefficient_of_variation import (
    Variation,
    mean_households,
    reliable_share,
    usable_share,
)
from folkmoot_coordinator.rounds.objective import Planning

SHARED_HOUSEHOLDS = 2
"""Number of households for which the loss of a person is spelt out."""
FACTORS = (Fraction(1, 4), Fraction(1, 2), Fraction(1), Fraction(2), Fraction(4))
"""Parts of the loss asked for of which a forecast says what they would buy."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Which part of some cells will be reliable, if an assumption holds.

    Attributes:
        average: Mean households of a council's cell.
        reliable: Share of cells with a coefficient of variation under 10 %.
        usable: Share of cells with one of at most 20 %.
    """

    average: float
    reliable: float
    usable: float


@dataclass(frozen=True, slots=True)
class MarginalForecast:
    """One marginal.

    Attributes:
        marginal: What is asked, with the weight that is signed.
        weight: The weight that a person wrote.
        councils: How precise each council's figures will be, in the order of the round.
        region: How precise the region's will be, areas of councils summed.
        shares: Of the cells of all councils, if sizes are assumed.
    """

    marginal: Marginal
    weight: int
    councils: tuple[Precision, ...]
    region: Precision
    shares: Shares | None

    @property
    def typical(self) -> Precision:
        """The median council's, by standard error."""
        ordered = sorted(self.councils, key=lambda one: one.standard_error)
        return ordered[(len(ordered) - 1) // 2]

    @property
    def standard_errors(self) -> tuple[float, float]:
        """Smallest and largest of the councils'."""
        errors = [one.standard_error for one in self.councils]
        return min(errors), max(errors)

    @property
    def cells(self) -> tuple[int, int]:
        """Smallest and largest number of cells of a council."""
        cells = [one.cells for one in self.councils]
        return min(cells), max(cells)


@dataclass(frozen=True, slots=True)
class Budget:
    """What a loss would buy.

    Attributes:
        factor: Multiple of the loss asked for.
        rho: The loss.
        epsilon: The same at the round's delta.
        standard_error: Median over marginals and councils, households.
        usable: Share of all cells with a coefficient of variation of at most 20 %, if sizes
            are assumed.
    """

    factor: Fraction
    rho: Rho
    epsilon: float
    standard_error: float
    usable: float | None


class Forecast:
    """Precision and loss of a round that was not asked yet."""

    def __init__(self, round_: Round, planning: Planning, sizes: CellSizes | None = None) -> None:
        """Plans the round for each council.

        Args:
            round_: The question, with the weights to sign.
            planning: How these came about.
            sizes: What is assumed about the households in cells; None if nothing is.
        """
        self.round = round_
        self.planning = planning
        self.sizes = sizes
        self.plans = {council: round_.plan(council) for council in round_.councils}
        self._regions: dict[tuple[str, ...], Precision] = {}

    @cached_property
    def marginals(self) -> tuple[MarginalForecast, ...]:
        """Each marginal of the round, in its order."""
        return tuple(
            self._forecast(marginal, weight)
            for marginal, weight in zip(
                self.round.workload.marginals, self.planning.weights, strict=True
            )
        )

    def _forecast(self, marginal: Marginal, weight: int) -> MarginalForecast:
        variations = self._variations.get(marginal.attributes)
        return MarginalForecast(
            marginal=marginal,
            weight=weight,
            councils=tuple(self._precisions[marginal.attributes].values()),
            region=self._region(marginal.attributes),
            shares=_shares(variations) if variations else None,
        )

    @cached_property
    def _precisions(self) -> dict[tuple[str, ...], dict[GssCode, Precision]]:
        return {
            marginal.attributes: self._of_councils(marginal.attributes)
            for marginal in self.round.workload.marginals
        }

    def _of_councils(self, attributes: Sequence[str]) -> dict[GssCode, Precision]:
        return {council: precision(plan, attributes) for council, plan in self.plans.items()}

    def _region(self, attributes: Sequence[str]) -> Precision:
        """Councils' counts added up, over all areas; their noises are independent."""
        workload = self.round.workload
        shared = tuple(name for name in attributes if not workload.attribute(name).is_area)
        if shared not in self._regions:
            councils = self._precisions.get(shared) or self._of_councils(shared)
            error = math.sqrt(math.fsum(one.standard_error**2 for one in councils.values()))
            step = max(plan.largest_step(shared) for plan in self.plans.values())
            quantile = max(plan.quantile for plan in self.plans.values())
            cells = next(iter(councils.values())).cells
            self._regions[shared] = Precision(cells, error, half_width(error, step, quantile))
        return self._regions[shared]

    @cached_property
    def _variations(self) -> dict[tuple[str, ...], list[Variation]]:
        """What is expected of each marginal and council; empty without an assumption."""
        if self.sizes is None:
            return {}
        return {
            attributes: self.variations(attributes, found)
            for attributes, found in self._precisions.items()
        }

    def variations(
        self, attributes: Sequence[str], precisions: Mapping[GssCode, Precision]
    ) -> list[Variation]:
        """What is expected of each council's cells at some precision; needs an assumption."""
        assert self.sizes is not None
        return [
            Variation.of(found, self.sizes.households(attributes, council))
            for council, found in precisions.items()
        ]

    def variations_of(self, marginal: Marginal) -> list[Variation]:
        """What is expected of each council's cells of a marginal of the round."""
        return self._variations[marginal.attributes]

    @cached_property
    def _all(self) -> list[Variation]:
        return [one for variations in self._variations.values() for one in variations]

    @cached_property
    def shares(self) -> Shares | None:
        """Of all cells of all councils, if sizes are assumed."""
        return _shares(self._all) if self._all else None

    def loss_at(self, factor: float) -> tuple[Rho, float]:
        """A multiple of the loss as rho, and as epsilon at the round's delta.

        All variances of a plan are in inverse proportion to rho. That of discrete Laplace noise
        is so but for a sixth of a household squared.

        Raises:
            ContractError: If that cannot be asked for.
        """
        round_ = self.round
        if round_.mechanism is Mechanism.DISCRETE_LAPLACE:
            epsilon = Epsilon(round(round_.epsilon.nano * math.sqrt(factor)))
            asked = replace(round_, epsilon=epsilon, loss=epsilon.rho)
        else:
            asked = replace(round_, loss=Rho(round(round_.loss.nano * factor)))
        return asked.loss, asked.epsilon_for()

    def standard_error_at(self, factor: float) -> float:
        """Median over marginals and councils at a multiple of the loss, see `loss_at`."""
        return self._median / math.sqrt(factor)

    @cached_property
    def _median(self) -> float:
        return float(
            np.median([one.standard_error for made in self.marginals for one in made.councils])
        )

    @cached_property
    def budgets(self) -> tuple[Budget, ...]:
        """How precise less and more loss would be, within what can be asked for."""
        found = []
        for factor in FACTORS:
            try:
                rho, epsilon = self.loss_at(float(factor))
            except ContractError:
                continue
            found.append(
                Budget(
                    factor=factor,
                    rho=rho,
                    epsilon=epsilon,
                    standard_error=self.standard_error_at(float(factor)),
                    usable=usable_share(self._all, float(factor)) if self._all else None,
                )
            )
        return tuple(found)


def _shares(variations: Sequence[Variation]) -> Shares:
    return Shares(mean_households(variations), reliable_share(variations), usable_share(variations))
