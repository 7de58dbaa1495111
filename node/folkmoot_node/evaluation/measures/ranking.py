"""AUC and average precision of an order, with their intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from folkmoot_node.evaluation.draws import draws
from folkmoot_node.evaluation.measures.judgement import Ranking
from folkmoot_node.evaluation.measures.orders import Floats, Ints, Order
from folkmoot_node.evaluation.measures.tally import Tally
from folkmoot_node.intervals import Interval, two_sided, wilson

PARTS = 512
"""Resampling keeps apart so many quantiles of the households, and of the events."""
AT_ONCE = 250
"""Samples that are held at once."""


def auc(events: Floats | Ints, others: Floats | Ints) -> Floats:
    """Area under the receiver operating characteristic; equal values count half.

    Args:
        events: Households with the event by code, ascending, in the last axis.
        others: Households without.

    Returns:
        float64, of the shape of the axes before; NaN where there are no events, or only events.
    """
    below = np.cumsum(others, axis=-1) - others / 2
    with np.errstate(invalid="ignore"):
        pairs = events.sum(axis=-1) * others.sum(axis=-1, dtype=np.float64)
        return np.asarray((events * below).sum(axis=-1) / pairs)


def average_precision(events: Floats | Ints, others: Floats | Ints) -> Floats:
    """Mean over events of the precision at their value, as scikit-learn's.

    Args:
        events: Households with the event by code, ascending, in the last axis.
        others: Households without.

    Returns:
        float64, of the shape of the axes before; NaN where there are no events.
    """
    found = np.cumsum(events[..., ::-1], axis=-1)[..., ::-1]
    visited = np.cumsum((events + others)[..., ::-1], axis=-1)[..., ::-1]
    precision = found / np.maximum(visited, 1)
    with np.errstate(invalid="ignore"):
        return np.asarray((events * precision).sum(axis=-1) / events.sum(axis=-1))


def auc_interval(counted: Tally) -> Interval:
    """Interval of an AUC by DeLong et al. (1988), on the scale of log odds.

    Args:
        counted: With households of both kinds.
    """
    events, others = counted.events, counted.others
    e, n = int(events.sum()), int(others.sum())
    area = float(auc(events, others))
    beaten = (np.cumsum(others) - others / 2) / n
    beating = 1 - (np.cumsum(events) - events / 2) / e
    variance = _spread(events, beaten, area) / e + _spread(others, beating, area) / n
    if not 0 < area < 1 or variance <= 0:
        return wilson(area * min(e, n), min(e, n))  # the formula knows no spread here
    half = two_sided() * math.sqrt(variance) / (area * (1 - area))
    odds = math.log(area / (1 - area))
    return Interval(*(1 / (1 + math.exp(-one)) for one in (odds - half, odds + half)))


@dataclass(frozen=True, slots=True)
class Placements:
    """Where households stand among those of the other kind (DeLong et al. 1988).

    Attributes:
        events: float64, of each household with the event: share of the others below it.
        others: float64, of some households without: share of the events above each.
        elsewhere: float64, of the same: share of the others below each, where an event of theirs
            would stand.
        without: How many households without the event there are.
    """

    events: Floats
    others: Floats
    elsewhere: Floats
    without: int


def placements(order: Order, counted: Tally, events: Ints, others: Ints) -> Placements:
    """Reads them off a tally; equal values count half.

    Args:
        order: The order.
        counted: Along it, with households of both kinds.
        events: Rows of the households with the event.
        others: Rows of some households without.
    """
    e, n = int(counted.events.sum()), int(counted.others.sum())
    below = (np.cumsum(counted.others) - counted.others / 2) / n
    above = 1 - (np.cumsum(counted.events) - counted.events / 2) / e
    at = order.code[others]
    return Placements(below[order.code[events]], above[at], below[at], n)


def auc_change_interval(was: Placements, now: Placements, change: float) -> Interval:
    """Interval of the difference of two AUCs of the same households (DeLong et al. 1988).

    As Agresti and Min (2005) do for shares, two events are added: half a one that moves as far up
    as any household does, half a one that moves as far down, and one that stays. Few events may
    hold none of the households that another order moves, and be no evidence that it moves none.

    Args:
        was: By the order that is taken off.
        now: By the other, with the same rows.
        change: Difference of both AUCs.
    """
    by_events, by_others = now.events - was.events, now.others - was.others
    moves = np.concatenate([by_events, now.elsewhere - was.elsewhere, [0.0]])
    furthest, count = np.array([moves.min(), moves.max()]), len(by_events) + 2
    middle = float(by_events.sum() + furthest.sum() / 2) / count
    squares = ((by_events - middle) ** 2).sum() + ((furthest - middle) ** 2).sum() / 2 + middle**2
    variance = squares / count**2 + by_others.var() / was.without
    half = two_sided() * math.sqrt(float(variance))
    low, high = min(middle - half, change), max(middle + half, change)
    return Interval(max(-1.0, low), min(1.0, high))


def _spread(count: Ints, value: Floats, mean: float) -> float:
    return float((count * (value - mean) ** 2).sum()) / max(1, int(count.sum()) - 1)


def ranking(counted: Tally, *, resamples: int, seed: tuple[int, ...]) -> Ranking:
    """AUC and average precision, with bootstrap intervals.

    Households are drawn by Poisson weights, which is drawing with replacement where their number
    is drawn as well (Hanley and MacGibbon 2006): at each value, the sum of the weights is a Poisson
    number itself, so that a sample costs as much as there are values. Values beyond `PARTS`
    quantiles of households and of events are taken together in the samples alone; both figures are
    exact, and the intervals shifted to them.

    Args:
        counted: With households of both kinds.
        resamples: How many samples.
        seed: Of what is drawn.
    """
    exact = _both(counted.events, counted.others)
    events, others = _parts(counted)
    coarse = _both(events, others)
    draw = draws(seed)
    samples = []
    for start in range(0, resamples, AT_ONCE):
        shape = (min(AT_ONCE, resamples - start), len(events))
        samples.append(_both(draw.poisson(events, shape), draw.poisson(others, shape)))
    drawn = np.concatenate(samples, axis=1)
    fewer = min(int(counted.events.sum()), int(counted.others.sum()))
    area, precision = (
        _bias_corrected(float(exact[at]), drawn[at], float(coarse[at]), fewer) for at in range(2)
    )
    return Ranking(float(exact[0]), area, float(exact[1]), precision)


def _bias_corrected(exact: float, drawn: Floats, coarse: float, fewer: int) -> Interval:
    """The bias-corrected interval (Efron 1987, without acceleration), shifted to a figure.

    Samples hold some events twice, which makes their average precision too high.

    Args:
        exact: The figure.
        drawn: What the samples give, shape (resamples,); NaN of samples without events.
        coarse: What they were drawn from.
        fewer: Households with the event, or without, whichever are fewer.
    """
    drawn = drawn[~np.isnan(drawn)]
    if drawn.min() == drawn.max():
        return wilson(exact * fewer, fewer)  # a perfect order: samples know no spread
    normal = NormalDist()
    below = float((drawn < coarse).mean() + (drawn == coarse).mean() / 2)
    edge = 0.5 / len(drawn)
    bias = normal.inv_cdf(min(max(below, edge), 1 - edge))
    tails = [normal.cdf(2 * bias + sign * two_sided()) for sign in (-1, 1)]
    low, high = np.clip(exact + np.quantile(drawn, tails) - coarse, 0, 1)
    return Interval(min(float(low), exact), max(float(high), exact))


def _both(events: Ints, others: Ints) -> Floats:
    return np.stack([auc(events, others), average_precision(events, others)])


def _parts(counted: Tally) -> tuple[Ints, Ints]:
    """Events and others, of values that are near each other together."""
    some = counted.observed > 0
    events, others = counted.events[some], counted.others[some]
    if len(events) > 2 * PARTS:
        new = np.zeros(len(events), dtype=np.bool_)
        for count in (events, events + others):
            before = np.cumsum(count[::-1]) - count[::-1]
            part = before * PARTS // max(1, int(count.sum()))
            new |= np.diff(part, prepend=-1) > 0
        start = np.flatnonzero(new)
        events = np.add.reduceat(events[::-1], start)[::-1]
        others = np.add.reduceat(others[::-1], start)[::-1]
    return events, others
