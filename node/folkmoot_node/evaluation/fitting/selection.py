"""Who is visited at a capacity, and how two scores compare."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from folkmoot_node.evaluation.measures.orders import order_of_whole
from folkmoot_node.evaluation.measures.ranking import Placements, auc_change_interval
from folkmoot_node.evaluation.measures.tally import Tally
from folkmoot_node.evaluation.snapshot import Bools, Floats
from folkmoot_node.intervals import Interval, two_sided


@dataclass(frozen=True, slots=True)
class Compared:
    """A figure of the present score, of the proposed one, and how they differ.

    Attributes:
        present: By the present policy.
        proposed: By the proposed one.
        difference: Proposed less present.
        interval: Of the difference.
    """

    present: float
    proposed: float
    difference: float
    interval: Interval


def inclusion(score: npt.NDArray[Any], considered: Bools, capacity: int) -> Floats:
    """The chance of each household to be among those with the highest scores.

    Households with the same score have the same chance, so that the order of rows is nothing.

    Args:
        score: Whole thousandths of a point, shape (households,).
        considered: bool, shape (households,): who could be visited.
        capacity: How many are visited.

    Returns:
        float64, shape (households,), from 0 to 1; never null.
    """
    found = np.zeros(len(score))
    order = order_of_whole(score[considered].astype(np.int32))
    cut = Tally(order.count, order.count, np.zeros_like(order.count)).cut(capacity)
    found[considered] = cut.weights(order.code)
    return found


def found_by(included: Floats, event: Bools) -> float:
    """How many households with the event are expected among those visited."""
    return float(included[event].sum())


def compare_recall(
    present: Floats, proposed: Floats, event: Bools, household: npt.NDArray[np.int64]
) -> Compared:
    """Shares of the households with the event that are visited.

    The interval is that of a difference of paired shares by Agresti and Min (2005), who add half a
    household to each of the four cells: where both find the same, it is not of no width. Rows of
    one household on several dates are mostly the same event, and are no more evidence than one.

    Args:
        present: Chances to be visited, as `inclusion` gives them.
        proposed: By the other score.
        event: At least one row with it.
        household: Whose row it is.
    """
    one, other = present[event], proposed[event]
    more = other - one
    _, whose, rows = np.unique(household[event], return_inverse=True, return_counts=True)
    of_each = np.bincount(whose, more)
    usual = len(more) / len(rows)
    count = len(more) + 2 * usual
    middle = float(more.sum()) / count
    spread = float(((of_each - middle * rows) ** 2).sum()) + usual**2 * (1 + 2 * middle**2)
    half = two_sided() * math.sqrt(spread) / count
    return Compared(
        float(one.mean()),
        float(other.mean()),
        float(more.mean()),
        Interval(max(-1.0, middle - half), min(1.0, middle + half)),
    )


def compare_areas(present: npt.NDArray[Any], proposed: npt.NDArray[Any], event: Bools) -> Compared:
    """Areas under the curve of two scores of the same households, as a back-test compares them.

    Args:
        present: Scores, shape (households,).
        proposed: The others.
        event: At least two households with it, and two without.
    """
    was, now = (_placements(score, event) for score in (present, proposed))
    before, after = float(was.events.mean()), float(now.events.mean())
    more = after - before
    return Compared(before, after, more, auc_change_interval(was, now, more))


def _placements(score: npt.NDArray[Any], event: Bools) -> Placements:
    inside, outside = score[event], score[~event]
    return Placements(
        _beaten(outside, inside),
        1 - _beaten(inside, outside),
        _beaten(outside, outside),
        len(outside),
    )


def _beaten(others: npt.NDArray[Any], of: npt.NDArray[Any]) -> Floats:
    ascending = np.sort(others)
    below, upto = (np.searchsorted(ascending, of, side) for side in ("left", "right"))
    return (below + upto) / (2 * len(others))
