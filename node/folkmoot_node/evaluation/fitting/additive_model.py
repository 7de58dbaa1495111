"""A logistic model that adds up factor scores, none of which may lower the risk.

log odds of the event = intercept + sum of effect x factor score, with lower and upper limits of
each effect and a penalty on their sum. With effects that cannot be negative the L1 penalty
(Tibshirani 1996) is linear, so that a bounded quasi-Newton method (L-BFGS-B) finds the one
minimum.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from folkmoot_node.evaluation.fitting.known_dates import Patterns
from folkmoot_node.evaluation.snapshot import Floats
from folkmoot_node.scoring.factors import THOUSANDTHS

MOST_EFFECT = 25.0
"""No effect grows beyond this while it is sought."""
SEPARATED = 12.0
"""An effect that multiplies the odds by more than e^12 (160,000) is no finding."""
BLOCK = 1 << 16
"""Rows that are worked on at a time, so that they stay in the cache."""


@dataclass(frozen=True, slots=True)
class AdditiveModel:
    """A fitted model.

    Attributes:
        intercept: Log odds of the event where every factor score is 0.
        effects: What each factor adds to the log odds at a score of 1, float64, shape (factors,).
    """

    intercept: float
    effects: Floats

    def log_odds(self, levels: npt.NDArray[np.uint16]) -> Floats:
        """Log odds of rows.

        Args:
            levels: uint16, shape (rows, factors), in thousandths.

        Returns:
            float64, shape (rows,); never null.
        """
        found = np.empty(len(levels))
        for block in blocks(len(levels)):
            found[block] = self.intercept + _scores(levels[block]) @ self.effects
        return found


def fit(
    data: Patterns,
    lower: Floats,
    upper: Floats,
    *,
    penalty: float = 0.0,
    start: AdditiveModel | None = None,
) -> AdditiveModel:
    """Fits by maximum likelihood, less the penalty.

    Args:
        data: At least one household with and one without the event.
        lower: Least effect of each factor, not negative.
        upper: Largest effect of each factor.
        penalty: Times the sum of effects, each by the standard deviation of its factor, so that a
            factor which is rarely high is not left out for that; in units of the log likelihood
            of an event.
        start: A model near the one sought.
    """
    from scipy.optimize import minimize

    events, households = data.events.sum(), data.households.sum()
    mean, spread = _moments(data)
    low, high = lower * spread, np.minimum(upper, MOST_EFFECT) * spread

    def loss(values: Floats) -> tuple[float, Floats]:
        effects = values[1:] / spread
        total, slope = _loss(data, values[0] - mean @ effects, effects)
        slope[1:] = (slope[1:] - mean * slope[0]) / spread
        total /= events
        slope /= events
        slope[1:] += penalty
        return total + penalty * float(values[1:].sum()), slope

    first = np.zeros(len(lower) + 1)
    first[0] = np.log(events / (households - events))
    if start is not None:
        first[1:] = start.effects * spread
        first[0] = start.intercept + mean @ start.effects
    first[1:] = np.clip(first[1:], low, high)
    found = minimize(
        loss,
        first,
        jac=True,
        method="L-BFGS-B",
        bounds=[(None, None), *zip(low, high, strict=True)],
        options={"maxiter": 1000, "maxfun": 2000, "ftol": 1e-12, "gtol": 1e-7},
    )
    effects = found.x[1:] / spread
    return AdditiveModel(float(found.x[0] - mean @ effects), effects)


def largest_penalty(data: Patterns) -> float:
    """The penalty from which on every effect is 0."""
    events, households = data.events.sum(), data.households.sum()
    mean, spread = _moments(data)
    _, slope = _loss(data, float(np.log(events / (households - events))), np.zeros(len(mean)))
    return max(0.0, float((-slope[1:] / spread / events).max(initial=0.0)))


def curvature(data: Patterns, model: AdditiveModel) -> Floats:
    """Second derivatives of the negative log likelihood, intercept first.

    Returns:
        float64, shape (factors + 1, factors + 1); never null.
    """
    width = data.levels.shape[1] + 1
    found = np.zeros((width, width))
    for block in blocks(len(data.levels)):
        rows = with_one(data.levels[block])
        chance = _chance(rows @ np.concatenate([[model.intercept], model.effects]))
        found += (rows * (data.households[block] * chance * (1 - chance))[:, None]).T @ rows
    return found


def refitted_intercept(data: Patterns, log_odds: Floats) -> float:
    """What to add to log odds so that as many events are expected as there were."""
    from scipy.optimize import brentq

    events = data.events.sum()
    found = brentq(
        lambda add: (data.households * _chance(log_odds + add)).sum() - events, -500, 500
    )
    return float(found)


def blocks(rows: int) -> Iterator[slice]:
    """Slices of `BLOCK` rows."""
    for begin in range(0, rows, BLOCK):
        yield slice(begin, begin + BLOCK)


def with_one(levels: npt.NDArray[np.uint16]) -> Floats:
    """Factor scores after a column of ones.

    Returns:
        float64, shape (rows, factors + 1); never null.
    """
    return np.hstack([np.ones((len(levels), 1)), _scores(levels)])


def _scores(levels: npt.NDArray[np.uint16]) -> Floats:
    return levels / float(THOUSANDTHS)


def _chance(log_odds: Floats) -> Floats:
    from scipy.special import expit

    found: Floats = expit(log_odds)
    return found


def _loss(data: Patterns, intercept: float, effects: Floats) -> tuple[float, Floats]:
    """Negative log likelihood, and its slope with the intercept's first."""
    total, slope = 0.0, np.zeros(len(effects) + 1)
    for block in blocks(len(data.levels)):
        scores = _scores(data.levels[block])
        log_odds = intercept + scores @ effects
        count, events = data.households[block], data.events[block]
        total += float(count @ np.logaddexp(0.0, log_odds) - events @ log_odds)
        rest = count * _chance(log_odds) - events
        slope[0] += rest.sum()
        slope[1:] += rest @ scores
    return total, slope


def _moments(data: Patterns) -> tuple[Floats, Floats]:
    """Mean and standard deviation of each factor score; 1 where it does not vary."""
    households = data.households.sum()
    width = data.levels.shape[1]
    mean, square = np.zeros(width), np.zeros(width)
    for block in blocks(len(data.levels)):
        scores = _scores(data.levels[block])
        mean += data.households[block] @ scores
        square += data.households[block] @ scores**2
    mean /= households
    spread = np.sqrt(np.maximum(square / households - mean**2, 0.0))
    return mean, np.where(spread > 1e-9, spread, 1.0)
