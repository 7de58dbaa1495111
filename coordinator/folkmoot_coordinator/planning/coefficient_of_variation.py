"""Coefficients of variation of the cells of a question, under an assumption about their sizes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folkmoot.precision import RELIABLE_BELOW, UNRELIABLE_ABOVE, Precision

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Variation:
    """What is expected of one marginal of one council.

    Attributes:
        coefficients: Coefficients of variation, infinite for empty cells; they represent the
            cells of the council, and there need not be as many.
        cells: Number of cells.
        households: Mean number in a cell.
    """

    coefficients: Float64
    cells: int
    households: float

    @classmethod
    def of(cls, precision: Precision, households: Float64) -> Variation:
        """The coefficient of variation of cells with this many households."""
        with np.errstate(divide="ignore"):
            coefficients = precision.standard_error / households
        return cls(coefficients, precision.cells, float(households.mean()))


def reliable_share(variations: Sequence[Variation]) -> float:
    """Share of the cells of all councils that will be reliable."""
    return _share([one.coefficients < RELIABLE_BELOW for one in variations], variations)


def usable_share(variations: Sequence[Variation], factor: float = 1.0) -> float:
    """Share of the cells of all councils that will not be unreliable.

    Args:
        variations: Of each council.
        factor: Multiple of the loss at which they are asked for.
    """
    limit = UNRELIABLE_ABOVE * math.sqrt(factor)
    return _share([one.coefficients <= limit for one in variations], variations)


def factor_for(variations: Sequence[Variation], share: float) -> float | None:
    """Multiple of the loss at which a share of the cells is usable; None if no loss does it."""
    found = np.concatenate([one.coefficients for one in variations])
    weights = np.concatenate(
        [np.full(len(one.coefficients), one.cells / len(one.coefficients)) for one in variations]
    )
    order = np.argsort(found)
    reached = np.cumsum(weights[order]) >= share * weights.sum() * (1 - 1e-12)
    needed = float(found[order][np.argmax(reached)])
    return (needed / UNRELIABLE_ABOVE) ** 2 if math.isfinite(needed) else None


def mean_households(variations: Sequence[Variation]) -> float:
    """Mean number of households in a cell of a council."""
    means = [one.households for one in variations]
    return float(np.average(means, weights=[one.cells for one in variations]))


def _share(which: Sequence[NDArray[np.bool_]], variations: Sequence[Variation]) -> float:
    parts = [float(np.mean(one)) for one in which]
    return float(np.average(parts, weights=[one.cells for one in variations]))
