"""Whether factors score each household by its own inputs alone.

A factor that looks across households, at the mean of its batch say, lets one household move the
rows of others, and then a release protects less than it says. A sample is therefore scored
again, in other company and in another order.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.scoring.binding import BoundFactor
from folkmoot_node.scoring.stratify import Stratified, stratify
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.factor import ScoringContext

_SAMPLE = 128
_ALONE = 2


def require_independent(
    households: pl.DataFrame,
    result: Stratified,
    factors: Sequence[BoundFactor],
    policy: RiskPolicy,
    context: ScoringContext,
) -> None:
    """Scores a sample again: backwards among itself, and a few households with nobody else.

    Args:
        households: What was scored.
        result: Their scores.
        factors: The factors.
        policy: The policy.
        context: That of the run.

    Raises:
        Problem: Exit code FAULT, naming the first factor that scored a household in another way.
    """
    count = households.height
    backwards = np.unique(np.linspace(count - 1, 0, min(count, _SAMPLE)).astype(np.int64))[::-1]
    for rows in [backwards, *(backwards[at : at + 1] for at in range(min(count, _ALONE)))]:
        again = stratify(households.select(pl.all().gather(rows)), factors, policy, context)
        for bound, one, other in zip(factors, result.points, again.points, strict=True):
            if not np.array_equal(one[rows], other):
                raise Problem(
                    f"plugin {bound.origin} scores a household by what other households have",
                    where=f"factor {bound.name}",
                    remedy="Take the factor out of the policy, and report it to the plugin's "
                    "supplier: a factor may use a household's own inputs alone",
                    exit_code=ExitCode.FAULT,
                )
