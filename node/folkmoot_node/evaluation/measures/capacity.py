"""What visiting so many households would have found, by the score and by another order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from folkmoot_node.evaluation.measures.judgement import AtCapacity, Bounds, Share
from folkmoot_node.evaluation.measures.orders import Floats
from folkmoot_node.evaluation.measures.tally import Cut, Tally
from folkmoot_node.intervals import Interval, difference


def at_capacity(counted: Tally, cut: Cut, values: Floats) -> AtCapacity:
    """Precision and recall of the score at one capacity.

    Args:
        counted: Along the score, with events.
        cut: Of the same order.
        values: Points of each code.
    """
    hits, lost = cut.of(counted.events), cut.of(counted.lost)
    events, all_lost = int(counted.events.sum()), int(counted.lost.sum())
    found = recall(counted, cut)
    chance = cut.visited / int(counted.considered.sum())
    return AtCapacity(
        capacity=cut.capacity,
        visited=cut.visited,
        from_score=float(values[cut.code]),
        tied=cut.tied,
        drawn=cut.drawn,
        precision=precision(counted, cut),
        recall=found,
        lift=found.share / chance,
        precision_bounds=Bounds(hits / cut.visited, (hits + lost) / cut.visited),
        recall_bounds=Bounds(hits / (events + all_lost - lost), (hits + lost) / (events + lost)),
    )


def precision(counted: Tally, cut: Cut) -> Share | None:
    """Of the visited that were observed, the share that had the event; None if none was."""
    observed = cut.of(counted.observed)
    if observed <= 0:
        return None
    return Share.counted(min(cut.of(counted.events), observed), observed)


def recall(counted: Tally, cut: Cut) -> Share:
    """Of the households that had the event, the share visited."""
    events = int(counted.events.sum())
    return Share.counted(min(cut.of(counted.events), events), events)


def paired(one: Floats, of_one: Share, other: Floats, of_other: Share) -> Interval:
    """The interval of a difference of two recalls of the same events.

    What both have in common is corrected for few events (Newcombe 1998, method 10 for paired
    shares): few may hold none that one order finds and the other does not, and be no evidence that
    there are none.

    Args:
        one: Probability of each household with the event to be visited, float64.
        of_one: The recall that this makes.
        other: The same in another order.
        of_other: The recall that is taken away.
    """
    together = np.stack([one, other]) - np.array([[one.mean()], [other.mean()]])
    spread = (together**2).sum(axis=1)
    scale = float(np.sqrt(spread[0] * spread[1]))
    common = float((together[0] * together[1]).sum())
    if common > 0:
        common = max(0.0, common - 0.5)
    correlation = common / scale if scale > 0 else 0.0
    return difference(of_one.share, of_one.interval, of_other.share, of_other.interval, correlation)


def cuts(counted: Tally, capacity: Sequence[int]) -> tuple[Cut, ...]:
    """Where each capacity cuts an order."""
    return tuple(counted.cut(one) for one in capacity)
