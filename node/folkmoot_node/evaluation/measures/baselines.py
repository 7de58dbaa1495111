"""What a council would do instead of visiting by score, and what that would have found."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot_node.evaluation.measures.capacity import cuts, paired, precision, recall
from folkmoot_node.evaluation.measures.judgement import Baseline, BaselineAt, Share
from folkmoot_node.evaluation.measures.observed import Observed
from folkmoot_node.evaluation.measures.orders import Floats, Order
from folkmoot_node.evaluation.measures.ranking import auc
from folkmoot_node.evaluation.measures.tally import Cut, Tally, tally
from folkmoot_node.intervals import Interval


@dataclass(frozen=True, slots=True)
class Present:
    """The score that is judged, for one outcome.

    Attributes:
        order: Of the score.
        seen: The outcome.
        tally: Along the score, with events and others.
        cuts: By capacity.
        chances: By capacity: probability of each row of `seen.events` to be visited.
        recalls: By capacity.
    """

    order: Order
    seen: Observed
    tally: Tally
    cuts: tuple[Cut, ...]
    chances: tuple[Floats, ...]
    recalls: tuple[Share, ...]


def present(order: Order, seen: Observed, capacity: tuple[int, ...]) -> Present:
    """Counts the score for one outcome that has events."""
    counted = tally(order, seen)
    found = cuts(counted, capacity)
    code = order.code[seen.events]
    return Present(
        order,
        seen,
        counted,
        found,
        tuple(cut.weights(code) for cut in found),
        tuple(recall(counted, cut) for cut in found),
    )


def random_choice(score: Present) -> Baseline:
    """Visiting households drawn by lot: exact expectations."""
    considered = int(score.tally.considered.sum())
    events, observed = int(score.tally.events.sum()), int(score.tally.observed.sum())
    found = []
    for cut, by_score in zip(score.cuts, score.recalls, strict=True):
        chance = cut.visited / considered
        interval = by_score.interval
        found.append(
            BaselineAt(
                cut.capacity,
                Share.counted(events, observed),
                Share(events * chance, events, chance, Interval(chance, chance)),
                by_score.share - chance,
                Interval(interval.low - chance, interval.high - chance),
                events * (by_score.share - chance),
            )
        )
    return Baseline("random", "random", 0, 0.5, tuple(found))


def baseline(kind: str, name: str, unknown: int, order: Order, score: Present) -> Baseline:
    """Visiting households in another order.

    Args:
        kind: As in `Baseline`.
        name: As in `Baseline`.
        unknown: As in `Baseline`.
        order: Of the households that the score orders as well.
        score: What is judged.
    """
    counted = tally(order, score.seen)
    code = order.code[score.seen.events]
    found = []
    for at, by_score in enumerate(score.recalls):
        cut = counted.cut(score.cuts[at].capacity)
        theirs = recall(counted, cut)
        found.append(
            BaselineAt(
                cut.capacity,
                precision(counted, cut),
                theirs,
                by_score.share - theirs.share,
                paired(score.chances[at], by_score, cut.weights(code), theirs),
                by_score.hits - theirs.hits,
            )
        )
    area = float(auc(counted.events, counted.others))
    return Baseline(kind, name, unknown, area, tuple(found))
