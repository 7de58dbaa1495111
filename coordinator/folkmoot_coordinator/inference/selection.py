"""Who is selected: share of households from each band upwards, by group, from noisy counts.

A rate has the intervals of `validation.Rate`. Each group is compared with all others together.
Groups of one council share noise, which the covariance of their cells holds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from folkmoot_coordinator.inference.validation import (
    Agreement,
    Figure,
    Groups,
    Rate,
    agreements,
)

Float64 = NDArray[np.float64]


def from_each_band(
    names: tuple[str, ...], value: Float64, covariance: Float64, quantile: float
) -> Groups:
    """Counts by band as counts of those below and from each band but the lowest.

    Args:
        names: Of the groups.
        value: Households by group and band, float64, shape (groups, bands).
        covariance: Of their noise, float64, shape (cells, cells), in the order of `value.ravel()`.
        quantile: How many standard errors a 95 % interval of the noise reaches.

    Returns:
        Counts with `value` of shape (groups, bands - 1, 2): below the band, and in it or a higher
        one.
    """
    groups, bands = value.shape
    edges = np.arange(1, bands)
    upwards = (np.arange(bands) >= edges[:, None]).astype(np.float64)
    sides = np.stack([1 - upwards, upwards], axis=1)  # edges, sides, bands
    weights = np.kron(np.eye(groups), sides.reshape(-1, bands))
    counted = (weights @ value.ravel()).reshape(groups, bands - 1, 2)
    return Groups(names, counted, weights @ covariance @ weights.T, quantile)


def selected(found: Groups, name: str) -> tuple[Rate, ...]:
    """Shares of one group from each band but the lowest upwards.

    Args:
        found: Counts, of `from_each_band`.
        name: Of the group.
    """
    counts = found.of(name)
    edges = len(counts.value)
    rates = []
    for edge in range(edges):
        own, those = np.zeros((edges, 2)), np.zeros((edges, 2))
        own[edge], those[edge, 1] = 1.0, 1.0
        rates.append(counts.rate(those, own))
    return tuple(rates)


def differences(bands: Sequence[str], found: Groups, offered: int) -> tuple[Agreement, ...]:
    """Compares each group with all others together, from each band but the lowest upwards.

    Args:
        bands: Codes of all bands but the lowest, ascending.
        found: Counts, of `from_each_band`.
        offered: How many comparisons a reader sees, of these and others: all decided verdicts are
            right together with a probability of at least 95 %.
    """
    return agreements(bands, found, (Figure.PRECISION,), offered)
