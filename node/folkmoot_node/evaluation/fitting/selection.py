"""Who is visited at a capacity, and how two scores compare."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from folkmoot_node.equality.statistics import Interval, two_sided
from folkmoot_node.evaluation.snapshot import Floats

Bools = npt.NDArray[np.bool_]


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


def inclusion(score: npt.NDArray[Any], capacity: int) -> Floats:
    """The chance of each household to be among those with the highest scores.

    Households with the same score have the same chance, so that the order of rows is nothing.

    Args:
        score: Shape (households,).
        capacity: How many are visited.

    Returns:
        float64, shape (households,), from 0 to 1; never null.
    """
    if capacity >= len(score):
        return np.ones(len(score))
    last = np.partition(score, len(score) - capacity)[len(score) - capacity]
    above, tied = score > last, score == last
    found: Floats = above + tied * ((capacity - above.sum()) / tied.sum())
    return found


def found_by(included: Floats, event: Bools) -> float:
    """How many households with the event are expected among those visited."""
    return float(included[event].sum())


def compare_recall(present: Floats, proposed: Floats, event: Bools) -> Compared:
    """Shares of the households with the event that are visited.

    Args:
        present: Chances to be visited, as `inclusion` gives them.
        proposed: By the other score.
        event: At least two households with it.
    """
    one, other = present[event], proposed[event]
    difference = other - one
    half = two_sided() * float(difference.std(ddof=1)) / math.sqrt(len(difference))
    mean = float(difference.mean())
    return Compared(
        float(one.mean()), float(other.mean()), mean, Interval(mean - half, mean + half)
    )


def compare_areas(present: npt.NDArray[Any], proposed: npt.NDArray[Any], event: Bools) -> Compared:
    """Areas under the curve of two scores of the same households (DeLong et al. 1988).

    Args:
        present: Scores, shape (households,).
        proposed: The others.
        event: At least two households with it, and two without.
    """
    below, above = zip(*(_placements(score, event) for score in (present, proposed)), strict=True)
    area = [float(one.mean()) for one in below]
    variance = np.var(below[1] - below[0], ddof=1) / event.sum()
    variance += np.var(above[1] - above[0], ddof=1) / (~event).sum()
    difference, half = area[1] - area[0], two_sided() * math.sqrt(float(variance))
    return Compared(area[0], area[1], difference, Interval(difference - half, difference + half))


def _placements(score: npt.NDArray[Any], event: Bools) -> tuple[Floats, Floats]:
    from scipy.stats import rankdata

    inside, outside = score[event], score[~event]
    ranks = rankdata(np.concatenate([inside, outside]))
    below = (ranks[: len(inside)] - rankdata(inside)) / len(outside)
    above = 1 - (ranks[len(inside) :] - rankdata(outside)) / len(inside)
    return below, above
