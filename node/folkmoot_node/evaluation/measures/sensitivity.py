"""How far the answer depends on the weight of each factor."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from folkmoot_node.evaluation.measures.baselines import Present
from folkmoot_node.evaluation.measures.capacity import paired, recall
from folkmoot_node.evaluation.measures.judgement import Changed, ChangedAt
from folkmoot_node.evaluation.measures.orders import Ints, Order, moved
from folkmoot_node.evaluation.measures.ranking import (
    Placements,
    auc,
    auc_change_interval,
    placements,
)
from folkmoot_node.evaluation.measures.tally import tally
from folkmoot_node.evaluation.snapshot import Points

TIMES = (0.0, 0.75, 1.25)
"""By what each weight is multiplied, the others staying as they are."""
OTHERS = 20_000
"""Households without the event from which their part of an AUC's variance is taken: it is the
smaller part, and its own error is then a hundredth.
"""


def other_orders(order: Order, points: Points) -> Iterator[tuple[float, Order]]:
    """The order of the score with another weight of one factor.

    Most factors add nothing to most households: only the others are looked at.

    Args:
        order: Of the score.
        points: What the factor adds, as a column of `Snapshot.points`.

    Yields:
        Each of `TIMES`, and the order.
    """
    rows = np.flatnonzero(points > 0)
    added = points[rows].astype(np.int32)
    for times in TIMES:
        change = np.rint(added * np.float32(times - 1)).astype(np.int32)
        yield times, moved(order, rows, change)


@dataclass(frozen=True, slots=True)
class Basis:
    """What other weights are compared with, the same for all of them.

    Attributes:
        score: What is judged.
        visited: By capacity, rows that the score itself might visit: int64, never null.
        others: Rows of households without the event, evenly spaced if there are more than
            `OTHERS`: int64, never null.
        placed: Where the score places the households with the event, and these others.
        area: The AUC of the score.
    """

    score: Present
    visited: tuple[Ints, ...]
    others: Ints
    placed: Placements
    area: float


def basis(score: Present) -> Basis:
    """Prepares the comparison of a score that has households with the event and without."""
    seen = score.seen
    without = np.ones(seen.households, dtype=np.bool_)
    for rows in (seen.events, seen.lost, seen.excluded):
        without[rows] = False
    others = np.flatnonzero(without)
    others = others[:: max(1, -(-len(others) // OTHERS))]
    placed = placements(score.order, score.tally, seen.events, others)
    area = float(auc(score.tally.events, score.tally.others))
    return Basis(score, visited_rows(score), others, placed, area)


def changed(factor: str, times: float, order: Order, to: Basis) -> Changed:
    """What another weight changes.

    Args:
        factor: Its name.
        times: By what its weight is multiplied.
        order: Of the score with that weight.
        to: What it is compared with.
    """
    score, visited = to.score, to.visited
    counted = tally(order, score.seen)
    code = order.code[score.seen.events]
    found = []
    for at, by_score in enumerate(score.recalls):
        cut = counted.cut(score.cuts[at].capacity)
        theirs = recall(counted, cut)
        chance = cut.weights(code)
        rows = visited[at]
        before = score.cuts[at].weights(score.order.code[rows])
        stay = np.minimum(before, cut.weights(order.code[rows])).sum()
        found.append(
            ChangedAt(
                cut.capacity,
                theirs.share,
                theirs.share - by_score.share,
                paired(chance, theirs, score.chances[at], by_score),
                max(0.0, 1 - float(stay) / cut.visited),
            )
        )
    area = float(auc(counted.events, counted.others))
    change = area - to.area
    placed = placements(order, counted, score.seen.events, to.others)
    interval = auc_change_interval(to.placed, placed, change)
    return Changed(factor, times, area, change, interval, tuple(found))


def visited_rows(score: Present) -> tuple[Ints, ...]:
    """By capacity, the rows that the score might visit: int64, shape (rows,), never null."""
    considered = np.ones(score.seen.households, dtype=np.bool_)
    considered[score.seen.excluded] = False
    return tuple(np.flatnonzero((score.order.code >= cut.code) & considered) for cut in score.cuts)
