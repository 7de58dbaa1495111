"""Scores a chunk by several factors, with one round trip for each process."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import cast

import numpy as np

from folkmoot_kit.channel.words import THOUSANDTHS
from folkmoot_kit.hosting.errors import Asked
from folkmoot_kit.hosting.factor import ConfinedFactor
from folkmoot_kit.hosting.failure import FailureKind
from folkmoot_kit.hosting.process import PluginProcess
from folkmoot_kit.hosting.round_trip import Arrays, FactorScores, scored_apart
from folkmoot_sdk.factor import RiskFactor, ScoringContext
from folkmoot_sdk.loading import Origin


def score_together(
    factors: Sequence[RiskFactor], inputs: Sequence[Arrays], context: ScoringContext
) -> list[FactorScores]:
    """Scores the same households by all factors; see `thousandths_together`.

    Returns:
        For each factor float64 of shape (households,), whole thousandths from 0 to 1, NaN where
        unknown.

    Raises:
        PluginFailure: As `thousandths_together` does.
    """
    found = thousandths_together(factors, inputs, context)
    return [np.divide(one, THOUSANDTHS, out=one) for one in found]


def thousandths_together(
    factors: Sequence[RiskFactor], inputs: Sequence[Arrays], context: ScoringContext
) -> list[FactorScores]:
    """Scores the same households by all factors.

    Args:
        factors: In any mixture of confined ones and others.
        inputs: For each factor its inputs, each of shape (households,). An array that several
            factors share crosses once.
        context: The reference date.

    Returns:
        For each factor float64 of shape (households,): whole thousandths, from 0 to 1,000; NaN
        where unknown.

    Raises:
        PluginFailure: If a factor fails or breaks its contract; `at` is its place, if it is
            known.
    """
    scores: list[FactorScores | None] = [None] * len(factors)
    by_process: dict[PluginProcess, list[int]] = {}
    for at, factor in enumerate(factors):
        if isinstance(factor, ConfinedFactor):
            by_process.setdefault(factor.process, []).append(at)
        else:
            scores[at] = _scored_here(factor, inputs[at], context, at)
    for process, places in by_process.items():
        confined = [cast(ConfinedFactor, factors[at]) for at in places]
        some = scored_apart(process, confined, [inputs[at] for at in places], context, places)
        for at, one in zip(places, some, strict=True):
            scores[at] = one
    return [one for one in scores if one is not None]


def _scored_here(
    factor: RiskFactor, given: Arrays, context: ScoringContext, at: int
) -> FactorScores:
    """The scores of a factor that runs in this process, checked and rounded alike."""
    module = type(factor).__module__.partition(".")[0]
    asked = Asked(Origin(module, "", ""), "score", factor.name, at=at)
    count = len(next(iter(given.values())))
    try:
        scores: object = factor.score(given, context)
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}"
        problem = f"raised {type(error).__name__}{place}"
        raise asked.failure(FailureKind.RAISED, problem) from None
    if not isinstance(scores, np.ndarray) or scores.dtype != np.float64:
        found = getattr(scores, "dtype", type(scores).__name__)
        raise asked.failure(
            FailureKind.CONTRACT, f"`score` returned {found}, not an array of float64"
        )
    if scores.shape != (count,):
        problem = "`score` returned an array of another shape than its inputs"
        raise asked.failure(FailureKind.CONTRACT, problem)
    # fmin and fmax leave NaN out; if all are NaN the comparisons are false.
    if count and (np.fmin.reduce(scores) < 0 or np.fmax.reduce(scores) > 1):
        raise asked.failure(FailureKind.CONTRACT, "`score` returned a score outside 0 to 1")
    thousandths: FactorScores = np.rint(scores * THOUSANDTHS)
    return thousandths
