"""Adds factor scores up to a score, and puts each household in a band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.scoring.binding import BoundFactor
from folkmoot_node.scoring.factors import CHUNK, chunk_arrays, score_factor
from folkmoot_node.store.schema import POINT, UNKNOWN_POINTS
from folkmoot_sdk.factor import ScoringContext


@dataclass(frozen=True, slots=True)
class Stratified:
    """Scores of some households, in their order.

    Attributes:
        points: For each factor int16, or int32 if its weight needs it, of shape
            (households,): weight x factor score in units of `POINT`; `UNKNOWN_POINTS`
            where unknown.
        score: int32 (households,): sum of the known contributions.
        band: uint8 (households,): index of the band.
        incomplete: Households of which some factor is unknown.
    """

    points: tuple[npt.NDArray[np.signedinteger], ...]
    score: npt.NDArray[np.int32]
    band: npt.NDArray[np.uint8]
    incomplete: int


def band_indexes(score: npt.NDArray[np.int32], policy: RiskPolicy) -> npt.NDArray[np.uint8]:
    """Index of the last band whose minimum is not above the score.

    Returns:
        uint8, shape (households,); never unknown.
    """
    index = np.zeros(score.shape, dtype=np.uint8)
    for band in policy.bands[1:]:
        index += score >= round(band.minimum * POINT)
    return index


def _points_type(bound: BoundFactor) -> type[np.signedinteger]:
    return np.int16 if bound.weight * POINT <= np.iinfo(np.int16).max else np.int32


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
    points = tuple(np.empty(count, dtype=_points_type(bound)) for bound in factors)
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
            contribution = np.rint(factor_scores * (bound.weight * POINT))
            if missing.any():
                contribution[missing] = 0
                total += contribution.astype(np.int32)
                contribution[missing] = UNKNOWN_POINTS
                some_unknown |= missing
                points[at][rows] = contribution
            else:
                points[at][rows] = contribution
                total += points[at][rows]
        scores[rows] = total
        incomplete += int(np.count_nonzero(some_unknown))
    return Stratified(points, scores, band_indexes(scores, policy), incomplete)
