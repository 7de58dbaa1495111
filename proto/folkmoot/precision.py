"""How precise a round's figures will be: known from the round alone, before anything is asked.

An estimate is called reliable by its coefficient of variation, the standard error divided by
the count. As the standard error does not depend on the count, each marginal has a smallest
count that will be reliable, and one under which counts will be unreliable.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from folkmoot.interval import half_width
from folkmoot.strategy import Plan

RELIABLE_BELOW = 0.10
"""Coefficient of variation under which an estimate is reliable."""
UNRELIABLE_ABOVE = 0.20
"""Coefficient of variation over which an estimate is unreliable."""


class Reliability(StrEnum):
    """How far an estimate can be relied on, by its coefficient of variation."""

    RELIABLE = "reliable"
    CAUTION = "use with caution"
    UNRELIABLE = "unreliable"


def reliability(coefficient_of_variation: float) -> Reliability:
    """What a coefficient of variation, 0 or more, says of an estimate."""
    if coefficient_of_variation < RELIABLE_BELOW:
        return Reliability.RELIABLE
    if coefficient_of_variation <= UNRELIABLE_ABOVE:
        return Reliability.CAUTION
    return Reliability.UNRELIABLE


@dataclass(frozen=True, slots=True)
class Precision:
    """How precise the cells of one marginal of one council will be.

    Attributes:
        cells: Number of cells.
        standard_error: Of the noise in a cell, in households: the root of the mean variance
            of the cells. They all have it unless areas are nested unevenly.
        half_width: Of the 95 % interval of such a cell, in households.
    """

    cells: int
    standard_error: float
    half_width: float

    @property
    def reliable_from(self) -> int:
        """Fewest households of a cell whose count will be reliable."""
        return math.floor(self.standard_error / RELIABLE_BELOW) + 1

    @property
    def usable_from(self) -> int:
        """Fewest households of a cell whose count will not be unreliable."""
        return max(1, math.ceil(self.standard_error / UNRELIABLE_ABOVE))

    def coefficient_of_variation(self, households: float) -> float:
        """Of the count of a cell with so many households, more than 0."""
        return self.standard_error / households


def precision(
    plan: Plan, attributes: Sequence[str], variance: float = 1.0, step: float = 1.0
) -> Precision:
    """How precise the marginal over some attributes will be under a council's plan.

    Args:
        plan: The plan.
        attributes: Their names.
        variance: In a series, variance of the estimate in units of that of a single round.
        step: In a series, the largest weight of a row in the estimate.
    """
    error = math.sqrt(variance * plan.mean_variance(attributes))
    return Precision(
        cells=plan.cells(attributes),
        standard_error=error,
        half_width=half_width(error, step * plan.largest_step(attributes), plan.quantile),
    )
