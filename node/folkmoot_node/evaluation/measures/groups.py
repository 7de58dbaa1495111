"""For whom the score fails: calibration, misses and selection, group by group."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from folkmoot_node.evaluation.measures.baselines import Present
from folkmoot_node.evaluation.measures.calibration import parts_of, rows
from folkmoot_node.evaluation.measures.judgement import (
    CharacteristicJudgement,
    Compared,
    GroupAt,
    GroupJudgement,
    Share,
)
from folkmoot_node.evaluation.measures.orders import Ints
from folkmoot_node.evaluation.measures.ranking import auc, auc_interval
from folkmoot_node.evaluation.measures.tally import Cut, Tally
from folkmoot_node.evaluation.snapshot import Groups
from folkmoot_node.intervals import Interval, difference, two_sided
from folkmoot_node.small_groups import NOT_KNOWN, pooled

HUNDREDTHS = 100
"""Households are compared with others of the same hundredth of the score."""


@dataclass(frozen=True, slots=True)
class Bands:
    """The bands along the score: their names, and the band of each code (int64)."""

    names: tuple[str, ...]
    of_code: Ints


def by_group(
    divided: Groups, score: Present, bands: Bands, smallest: int
) -> CharacteristicJudgement:
    """Judges each group against all others.

    All others of a group are the households of the other known groups; of those whose group is
    not known, they are the households of all known groups.

    Args:
        divided: The households of the score, by a characteristic or by completeness.
        score: What is judged, for one outcome.
        bands: Of the same score.
        smallest: Groups of fewer observed households, or fewer events, are taken together, or
            show no figure.
    """
    tallies = _tallies(divided, score)
    size = [min(int(one.observed.sum()), int(one.events.sum())) for one in tallies]
    some = [int(one.considered.sum()) > 0 for one in tallies]
    # A group without events counts as if it had one, or it would not be looked for at all.
    count = np.array([max(1, n) if is_there else 0 for n, is_there in zip(size, some, strict=True)])
    pools = [(pool, True) for pool in pooled(count[:-1], smallest)]
    if some[-1]:
        pools.append(((len(tallies) - 1,), False))
    known = _together([*tallies[:-1]])
    hundredth = parts_of(score.tally, HUNDREDTHS)
    names = (*divided.names, NOT_KNOWN)
    groups: list[GroupJudgement] = []
    together: list[str] = []
    too_small: list[str] = []
    for pool, is_known in pools:
        if len(pool) > 1 and len(pool) == sum(some[:-1]):
            # Too small to leave anything to compare with: all together are no group.
            too_small.extend(names[at] for at in pool if size[at] < smallest)
            continue
        name = " + ".join(names[at] for at in pool)
        group = _together([tallies[at] for at in pool])
        if len(pool) > 1:
            together.append(name)
        if min(int(group.observed.sum()), int(group.events.sum())) < smallest:
            too_small.extend(names[at] for at in pool)
            continue
        others = known.minus(group) if is_known else known
        groups.append(_judged(name, group, others, score, bands, hundredth, smallest))
    return CharacteristicJudgement(
        divided.field, divided.characteristic, tuple(groups), tuple(together), tuple(too_small)
    )


def _tallies(divided: Groups, score: Present) -> list[Tally]:
    """One of each group, and of those whose group is not known."""
    order, seen, groups = score.order, score.seen, len(divided.names) + 1
    place = divided.index * np.int32(order.codes) + order.code

    def counted(places: npt.NDArray[np.int32]) -> Ints:
        count = np.bincount(places, minlength=groups * order.codes)
        return count.reshape(groups, order.codes)

    every = counted(place)
    events, lost, excluded = (counted(place[at]) for at in (seen.events, seen.lost, seen.excluded))
    return [
        Tally(every[at] - excluded[at], every[at] - excluded[at] - lost[at], events[at])
        for at in range(groups)
    ]


def _together(tallies: Sequence[Tally]) -> Tally:
    first, *rest = tallies
    for one in rest:
        first = first.plus(one)
    return first


def _judged(
    name: str,
    group: Tally,
    others: Tally,
    score: Present,
    bands: Bands,
    hundredth: Ints,
    smallest: int,
) -> GroupJudgement:
    households, events = int(group.observed.sum()), int(group.events.sum())
    has_both = 0 < events < households
    ratio, ratio_interval = _ratio(group, others, hundredth)
    return GroupJudgement(
        group=name,
        households=households,
        events=Share.counted(events, households),
        ratio=ratio,
        ratio_interval=ratio_interval,
        auc=float(auc(group.events, group.others)) if has_both else None,
        auc_interval=auc_interval(group) if has_both else None,
        bands=rows(group, score.order.values, bands.of_code, bands.names, smallest),
        at=tuple(_at(cut, group, others) for cut in score.cuts),
    )


def _at(cut: Cut, group: Tally, others: Tally) -> GroupAt:
    def selected(counted: Tally) -> tuple[float, int]:
        considered = int(counted.considered.sum())
        return min(cut.of(counted.considered), considered), considered

    def missed(counted: Tally) -> tuple[float, int]:
        events = int(counted.events.sum())
        return max(0.0, events - cut.of(counted.events)), events

    return GroupAt(
        cut.capacity,
        _compared(*selected(group), *selected(others)),
        _compared(*missed(group), *missed(others)),
    )


def _compared(hits: float, of: int, other_hits: float, of_others: int) -> Compared:
    share = Share.counted(hits, of)
    if not of_others:
        return Compared(share, None, None)
    other = Share.counted(other_hits, of_others)
    apart = difference(share.share, share.interval, other.share, other.interval)
    return Compared(share, share.share - other.share, apart)


def _ratio(group: Tally, others: Tally, part: Ints) -> tuple[float | None, Interval | None]:
    """Risk ratio over parts of the score (Mantel and Haenszel 1959; Greenland and Robins 1985)."""
    a, n, b, m = (
        np.bincount(part, count, minlength=HUNDREDTHS)
        for count in (group.events, group.observed, others.events, others.observed)
    )
    total = np.maximum(n + m, 1)
    ours, theirs = float((a * m / total).sum()), float((b * n / total).sum())
    if ours <= 0 or theirs <= 0:
        return None, None
    spread = ((n * m * (a + b) - a * b * total) / total**2).sum()
    half = two_sided() * math.sqrt(max(0.0, float(spread) / (ours * theirs)))
    ratio = ours / theirs
    return ratio, Interval(ratio * math.exp(-half), ratio * math.exp(half))
