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
from folkmoot_node.table import POINT
from folkmoot_sdk.factor import ScoringContext

UNKNOWN_POINTS = np.iinfo(np.int32).min
"""Stands for a contribution that is not known."""


@dataclass(frozen=True, slots=True)
class Stratified:
    """Scores of some households, in their order.

    Attributes:
        contributions: For each factor int32 of shape (households,): weight x factor score
            in units of `POINT`; `UNKNOWN_POINTS` where unknown.
        unknown: For each factor whether it is unknown for some household.
        score: int32 (households,): sum of the known contributions.
        band: uint8 (households,): index of the band.
        incomplete: Households of which some factor is unknown.
    """

    contributions: tuple[npt.NDArray[np.int32], ...]
    unknown: tuple[bool, ...]
    score: npt.NDArray[np.int32]
    band: npt.NDArray[np.uint8]
    incomplete: int


def band_indexes(score: npt.NDArray[np.int32], policy: RiskPolicy) -> npt.NDArray[np.uint8]:
    """Index of the last band whose minimum is not above the score."""
    index = np.zeros(score.shape, dtype=np.uint8)
    for band in policy.bands[1:]:
        index += score >= round(band.minimum * POINT)
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
    contributions = tuple(np.empty(count, dtype=np.int32) for _ in factors)
    unknown = [False] * len(factors)
    scores = np.empty(count, dtype=np.int32)
    incomplete = 0
    for start in range(0, count, CHUNK):
        chunk = households.slice(start, CHUNK)
        arrays = chunk_arrays(chunk, factors)
        rows = slice(start, start + chunk.height)
        total = np.zeros(chunk.height, dtype=np.int32)
        some_unknown = np.zeros(chunk.height, dtype=np.bool_)
        for at, bound in enumerate(factors):
            factor_scores = score_factor(bound, arrays, context, chunk.height)
            missing = np.isnan(factor_scores)
            points = np.rint(factor_scores * (bound.weight * POINT))
            if missing.any():
                points[missing] = 0
                total += points.astype(np.int32)
                points[missing] = UNKNOWN_POINTS
                contributions[at][rows] = points
                some_unknown |= missing
                unknown[at] = True
            else:
                contributions[at][rows] = points
                total += contributions[at][rows]
        scores[rows] = total
        incomplete += int(np.count_nonzero(some_unknown))
    return Stratified(
        contributions, tuple(unknown), scores, band_indexes(scores, policy), incomplete
    )
