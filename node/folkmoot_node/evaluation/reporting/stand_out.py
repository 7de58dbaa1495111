"""For whom the score fails, in sentences: groups that differ by more than chance explains."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import NamedTuple

from folkmoot_node.evaluation.measures.judgement import (
    CharacteristicJudgement,
    Figures,
    GroupAt,
    GroupJudgement,
)
from folkmoot_node.evaluation.reporting.document import Block, Points, Words
from folkmoot_node.evaluation.reporting.groups import NO_GROUPS, which_are_small
from folkmoot_node.evaluation.reporting.wording import (
    listed,
    number,
    number_interval,
    percent,
    points,
    points_interval,
)
from folkmoot_node.intervals import Interval

MOST_GROUPS = 5
"""Groups that are named with figures."""


class _Differs(NamedTuple):
    """What is said of a group, and how far it is from all others."""

    far: float
    words: str


def groups_that_stand_out(figures: Figures) -> Iterator[Block]:
    """Which groups differ, which are too small to say it of, and how much is left open."""
    asked = (*figures.groups, figures.completeness)
    differing = sorted((one for part in asked for one in _differing(part)), reverse=True)
    yield Words(_verdict(figures, some=bool(differing)), lead="For whom does it fail?")
    left = len(differing) - MOST_GROUPS
    said = (
        *(one.words for one in differing[:MOST_GROUPS]),
        *((f"{left} more stand out.",) if left > 0 else ()),
        *_no_better_than_chance(figures.groups),
        *(
            f"{_name(part)}: {small}"
            for part in asked
            if (small := " ".join(which_are_small(part)))
        ),
    )
    if said:
        yield Points(said)


def _verdict(figures: Figures, *, some: bool) -> str:
    if not figures.groups:
        return NO_GROUPS
    if some:
        return "These differ from all others by more than chance explains."
    open_ = [
        (max(abs(interval.low), abs(interval.high)), group)
        for part in figures.groups
        for group in part.groups
        if (interval := group.at[-1].missed.difference_interval) is not None
    ]
    if not open_:
        return "Not known: there are no two groups large enough to compare."
    widest, group = max(open_, key=lambda one: one[0])
    return (
        "No group stands out. That does not show that it finds all alike: with "
        f"{group.at[-1].capacity:,} visits, the share of events missed may still differ from that "
        f"of all others by {100 * widest:.0f} percentage points ({group.group})."
    )


def _name(part: CharacteristicJudgement) -> str:
    return part.field if part.characteristic else "Where records are incomplete"


def _differing(part: CharacteristicJudgement) -> Iterator[_Differs]:
    # Of two that mirror each other, known and not known, the second is the one to look at.
    for group in part.groups if part.characteristic else part.groups[-1:]:
        missed = [one for at in group.at for one in _missed(at)]
        said = [*_ratio(group), *sorted(missed, reverse=True)[:1]]
        if said:
            words = listed(one.words for one in said)
            yield _Differs(max(one.far for one in said), f"{_name(part)}, {group.group}: {words}.")


def _ratio(group: GroupJudgement) -> Iterator[_Differs]:
    """The same score means something else."""
    ratio, interval = group.ratio, group.ratio_interval
    if ratio is None or interval is None or interval.low <= 1 <= interval.high:
        return
    meaning = (
        "the score says too little of its need"
        if ratio > 1
        else "the score says too much of its need, or its events are recorded less often"
    )
    yield _Differs(
        _intervals_off(math.log(ratio), Interval(math.log(interval.low), math.log(interval.high))),
        f"the event happened {number(ratio)} times as often as to others with the same score "
        f"({number_interval(interval)}), so that {meaning}",
    )


def _missed(at: GroupAt) -> Iterator[_Differs]:
    missed = at.missed
    difference, interval = missed.difference, missed.difference_interval
    if difference is None or interval is None or interval.low <= 0 <= interval.high:
        return
    yield _Differs(
        _intervals_off(difference, interval),
        f"with {at.capacity:,} visits {percent(missed.share.share)} of its events are missed, "
        f"{points(difference)} points beside others ({points_interval(interval)})",
    )


def _intervals_off(value: float, interval: Interval) -> float:
    """How far a value is from 0, in intervals of it."""
    return abs(value) / max(interval.high - interval.low, 1e-9)


def _no_better_than_chance(groups: tuple[CharacteristicJudgement, ...]) -> Iterator[str]:
    """Groups within which the order of the scores may say nothing."""
    open_ = [
        f"{group.group} ({number_interval(group.auc_interval)})"
        for part in groups
        for group in part.groups
        if group.auc_interval is not None and group.auc_interval.low <= 0.5
    ]
    if open_:
        yield f"Not shown to be better than chance within, by AUC: {listed(open_)}."
