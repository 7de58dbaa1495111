"""How certain points are: a bootstrap of households, with all dates of a household together.

Each resample draws how often a household counts (Poisson with mean 1), and moves the model by
one step of its likelihood within its limits: the score bootstrap (Kline and Santos 2012), which
needs no further look at the records. An effect at its limit stays there in many resamples, so
that an interval may begin at 0 points. What was chosen before - the factors, the scale - stays
as it is; the intervals hold the points, given the factors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from folkmoot_node.evaluation.draws import draws
from folkmoot_node.evaluation.fitting.additive_model import (
    AdditiveModel,
    blocks,
    curvature,
    with_one,
)
from folkmoot_node.evaluation.fitting.known_dates import KnownDate, patterns
from folkmoot_node.evaluation.fitting.scorecard import Limits, Scorecard
from folkmoot_node.evaluation.snapshot import Floats
from folkmoot_node.intervals import LEVEL


def intervals(
    observed: Sequence[KnownDate],
    card: Scorecard,
    limits: Limits,
    *,
    resamples: int,
    seed: int,
    advance: Callable[[int, int], None],
) -> Floats:
    """Intervals of the points of each factor.

    Args:
        observed: The dates that the scorecard was fitted to.
        card: The scorecard.
        limits: Its limits.
        resamples: How many.
        seed: The same seed gives the same intervals.
        advance: Told how many resamples are done, of how many.

    Returns:
        float64, shape (factors, 2): lower and upper end in points; 0 and 0 of a factor that the
        scorecard does not use; never null.
    """
    used = np.flatnonzero(card.upper > 0)
    columns = limits.factors[used]
    model = AdditiveModel(card.model.intercept, card.model.effects[used])
    slopes = _slopes(observed, columns, model, card.event_weights)
    bend = curvature(patterns(observed, columns, card.event_weights), model)
    low = np.concatenate([[-np.inf], card.lower[used] - model.effects])
    high = np.concatenate([[np.inf], card.upper[used] - model.effects])
    random = draws(seed)
    drawn = np.empty((resamples, len(used)))
    step = _Step(bend, np.minimum(low, 0.0), np.maximum(high, 0.0))
    for at in range(resamples):
        times = random.poisson(1.0, len(slopes)).astype(np.float64)
        drawn[at] = model.effects + step.to(times @ slopes)[1:]
        advance(at + 1, resamples)
    found = np.zeros((len(limits.factors), 2))
    tails = [(1 - LEVEL) / 2, (1 + LEVEL) / 2]
    found[used] = np.quantile(drawn, tails, axis=0).T * card.per_log_odds
    return found


class _Step:
    """One step of a quadratic loss from its minimum, within limits."""

    def __init__(self, bend: Floats, low: Floats, high: Floats) -> None:
        smallest = 1e-9 * np.trace(bend)
        self._root = np.linalg.cholesky(bend + smallest * np.eye(len(bend)))
        self._low, self._high = low, high

    def to(self, slope: Floats) -> Floats:
        """Where the loss is smallest."""
        from scipy.linalg import solve_triangular
        from scipy.optimize import lsq_linear

        whitened = -solve_triangular(self._root, slope, lower=True)
        free: Floats = solve_triangular(self._root.T, whitened, lower=False)
        if (free >= self._low).all() and (free <= self._high).all():
            return free
        # A limit that equals the other is widened by nothing that counts: the solver wants room.
        high = np.maximum(self._high, self._low + 1e-12)
        bounded: Floats = lsq_linear(
            self._root.T, whitened, bounds=(self._low, high), method="bvls"
        ).x
        return bounded


def _slopes(
    observed: Sequence[KnownDate],
    columns: npt.NDArray[np.int64],
    model: AdditiveModel,
    weights: Sequence[Floats] | None,
) -> Floats:
    """What each household adds to the slope of the loss, over all dates."""
    from scipy.special import expit

    every = np.unique(np.concatenate([one.uprn[one.judged] for one in observed]))
    found = np.zeros((len(every), len(columns) + 1))
    effects = np.concatenate([[model.intercept], model.effects])
    for at, one in enumerate(observed):
        for block in blocks(len(one.uprn)):
            judged = one.judged[block]
            rows = with_one(one.levels[block][judged][:, columns])
            rest = expit(rows @ effects) - one.event[block][judged]
            if weights is not None:
                rest *= weights[at][block][judged]
            place = np.searchsorted(every, one.uprn[block][judged])
            found[place] += rows * rest[:, None]  # a household is in a date once
    return found
