"""Adds factor scores up to a score, and puts each household in a band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.binding import BoundFactor
from folkmoot_node.factors import CHUNK, chunk_arrays, score_factor
from folkmoot_node.risk_policy import RiskPolicy
from folkmoot_sdk.factor import ScoringContext

DECIMALS = 6
"""Scores are rounded before they are banded, so that 0.1 + 0.2 reaches a band from 0.3."""


@dataclass(frozen=True, slots=True)
class Stratified:
    """Scores of some households, in their order.

    Attributes:
        contributions: For each factor float32 of shape (households,): weight x factor
            score, in points; NaN where unknown.
        score: float64 (households,): sum of the known contributions.
        band: uint8 (households,): index of the band.
        incomplete: Households of which some factor is unknown.
    """

    contributions: tuple[npt.NDArray[np.float32], ...]
    score: npt.NDArray[np.float64]
    band: npt.NDArray[np.uint8]
    incomplete: int


def band_indexes(score: npt.NDArray[np.float64], policy: RiskPolicy) -> npt.NDArray[np.uint8]:
    """Index of the last band whose minimum is not above the score."""
    minima = np.array([band.minimum for band in policy.bands])
    index = np.zeros(score.shape, dtype=np.uint8)
    for minimum in minima[1:]:
        index += score >= minimum
    return index


def stratify(
    households: pl.DataFrame,
    factors: Sequence[BoundFactor],
    policy: RiskPolicy,
    context: ScoringContext,
) -> Stratified:
    """Scores households through the plugin API, chunk by chunk.

    Contributions are added in the order of the policy and each household depends on its
    own inputs alone, so the result is the same for any division into parts or threads.

    Raises:
        Problem: Exit code FAULT, if a factor breaks its contract.
    """
    count = households.height
    contributions = tuple(np.empty(count, dtype=np.float32) for _ in factors)
    scores = np.empty(count)
    incomplete = 0
    for start in range(0, count, CHUNK):
        chunk = households.slice(start, CHUNK)
        arrays = chunk_arrays(chunk, factors)
        rows = slice(start, start + chunk.height)
        total = np.zeros(chunk.height)
        unknown = np.zeros(chunk.height, dtype=np.bool_)
        for at, bound in enumerate(factors):
            points = score_factor(bound, arrays, context, chunk.height) * bound.weight
            contributions[at][rows] = points
            missing = np.isnan(points)
            if missing.any():
                unknown |= missing
                points[missing] = 0
            total += points
        scores[rows] = np.round(total, DECIMALS)
        incomplete += int(np.count_nonzero(unknown))
    return Stratified(contributions, scores, band_indexes(scores, policy), incomplete)
