"""Adds factor scores up to a score, and puts each household in a band."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.scoring.bound import BoundFactor
from folkmoot_node.scoring.factors import CHUNK, THOUSANDTHS, chunk_arrays, score_chunk
from folkmoot_node.store.schema import POINT, UNKNOWN_POINTS
from folkmoot_sdk.factor import ScoringContext
from folkmoot_sdk.schema import UPRN_COLUMN

Points = tuple[npt.NDArray[np.signedinteger], ...]
"""For each factor int16, or int32 if its weight needs it, of shape (households,): weight x factor
score in units of `POINT`; `UNKNOWN_POINTS` where unknown."""


@dataclass(frozen=True, slots=True)
class Stratified:
    """Scores of some households, in their order.

    Attributes:
        points: What each factor adds.
        score: int32 (households,): sum of the known contributions.
        band: uint8 (households,): index of the band.
        incomplete: Households of which some factor is unknown.
    """

    points: Points
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

    Contributions are whole numbers and each household depends on its own inputs alone, so the
    result is the same for any order, and any division into parts or threads.

    Raises:
        FactorsFailed: Exit code FAULT, if a factor breaks its contract.
    """
    return added_up(contributions(households, factors, context), policy)


def added_up(points: Points, policy: RiskPolicy) -> Stratified:
    """Scores and bands of households.

    Args:
        points: What each factor adds; there is a factor.
        policy: The policy, with the bands.
    """
    score = np.zeros(points[0].shape, dtype=np.int32)
    some_unknown = np.zeros(points[0].shape, dtype=np.bool_)
    for column in points:
        score += column
        missing = column == UNKNOWN_POINTS
        if missing.any():
            score -= np.multiply(missing, UNKNOWN_POINTS, dtype=np.int32)
            some_unknown |= missing
    incomplete = int(np.count_nonzero(some_unknown))
    return Stratified(points, score, band_indexes(score, policy), incomplete)


def contributions(
    households: pl.DataFrame,
    factors: Sequence[BoundFactor],
    context: ScoringContext,
    rows: npt.NDArray[np.int64] | None = None,
) -> Points:
    """What each factor adds to the score of each household.

    The factors of a distribution are called together. Those that did not come with the node see
    the households in an order drawn for this call, and nothing of them but the declared inputs.

    Args:
        households: Households, as `link` gives them.
        factors: The factors.
        context: That of the run.
        rows: Which households to score, in this order, as int64 of shape (households,); all if
            None.

    Returns:
        For each factor, shape (households,), in the order of `rows`: as `Stratified.points`.

    Raises:
        FactorsFailed: Exit code FAULT, if a factor breaks its contract.
    """
    count = households.height if rows is None else len(rows)
    points = tuple(np.empty(count, dtype=_points_type(bound)) for bound in factors)
    for places in _companies(factors):
        company = [factors[at] for at in places]
        order = None if company[0].is_shipped else shuffled(count)
        # The key stays on this side: it gives a chunk its height where no input is available.
        wanted = households.select(UPRN_COLUMN, *_inputs(company))
        for start in range(0, count, CHUNK):
            part = slice(start, min(start + CHUNK, count))
            into: slice | npt.NDArray[np.int64] = part if order is None else order[part]
            which = (None if order is None else order[part]) if rows is None else rows[into]
            if which is None:
                chunk = wanted.slice(start, CHUNK)
            else:
                chunk = wanted.select(pl.all().gather(pl.Series(which)))
            arrays = chunk_arrays(chunk, company)
            scores = score_chunk(company, arrays, context, chunk.height)
            for at, thousandths in zip(places, scores, strict=True):
                points[at][into] = _points(thousandths, factors[at].weight)
    return points


def shuffled(count: int) -> npt.NDArray[np.int64]:
    """The numbers below `count` in an order that nobody can know beforehand or find out later.

    It comes from the system's randomness and not from a seed, so that who sees many rows in
    their order learns nothing about the order of others.

    Returns:
        int64, shape (count,); never null.
    """
    drawn = np.frombuffer(secrets.token_bytes(8 * count), dtype=np.uint64)
    return np.argsort(drawn, kind="stable").astype(np.int64, copy=False)


def _companies(factors: Sequence[BoundFactor]) -> list[list[int]]:
    """Which factors are scored in one call: those that came with the node, and each other
    distribution's by themselves.
    """
    found: dict[str, list[int]] = {}
    for at, bound in enumerate(factors):
        found.setdefault("" if bound.is_shipped else bound.origin.distribution, []).append(at)
    return list(found.values())


def _inputs(factors: Sequence[BoundFactor]) -> list[str]:
    """Columns that the factors need of households."""
    entries = (entry for bound in factors for entry in bound.inputs if entry.available)
    return list(dict.fromkeys(entry.input.name for entry in entries))


def _points(thousandths: npt.NDArray[np.float64], weight: float) -> npt.NDArray[np.float64]:
    """The contributions of a factor, in the place of its scores, which are not needed any more."""
    exact = weight * POINT / THOUSANDTHS
    points = np.multiply(thousandths, exact, out=thousandths)
    if exact != int(exact):
        np.rint(points, out=points)
    missing = np.isnan(points)
    if missing.any():
        points[missing] = UNKNOWN_POINTS
    return points
