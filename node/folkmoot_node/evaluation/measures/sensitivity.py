"""How far the answer depends on the weight of each factor."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from folkmoot_node.evaluation.measures.baselines import Present
from folkmoot_node.evaluation.measures.capacity import paired, recall
from folkmoot_node.evaluation.measures.judgement import Changed, ChangedAt
from folkmoot_node.evaluation.measures.orders import Codes, Ints, Order, order_of_whole
from folkmoot_node.evaluation.measures.ranking import auc
from folkmoot_node.evaluation.measures.tally import tally

TIMES = (0.0, 0.75, 1.25)
"""By what each weight is multiplied, the others staying as they are."""


def other_orders(score: Codes, added: Codes) -> Iterator[tuple[float, Order]]:
    """The order of the score with another weight of one factor.

    Args:
        score: Thousandths of points, int32, shape (households,).
        added: What the factor adds, of the same shape; 0 where it is not known.

    Yields:
        Each of `TIMES`, and the order.
    """
    for times in TIMES:
        change = -added if times == 0 else np.rint(added * np.float32(times - 1)).astype(np.int32)
        yield times, order_of_whole(score + change)


def changed(
    factor: str, times: float, order: Order, score: Present, visited: tuple[Ints, ...]
) -> Changed:
    """What another weight changes.

    Args:
        factor: Its name.
        times: By what its weight is multiplied.
        order: Of the score with that weight.
        score: What is judged.
        visited: By capacity, rows that the score itself might visit.
    """
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
    was = float(auc(score.tally.events, score.tally.others))
    return Changed(factor, times, area, area - was, tuple(found))


def visited_rows(score: Present) -> tuple[Ints, ...]:
    """By capacity, the rows that the score might visit: int64, shape (rows,), never null."""
    considered = np.ones(score.seen.households, dtype=np.bool_)
    considered[score.seen.excluded] = False
    return tuple(np.flatnonzero((score.order.code >= cut.code) & considered) for cut in score.cuts)
