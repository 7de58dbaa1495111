"""What would change: bands, who would move, and what each policy finds on later dates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from folkmoot_node.evaluation.fitting.known_dates import KnownDate
from folkmoot_node.evaluation.fitting.scorecard import Scorecard
from folkmoot_node.evaluation.fitting.selection import (
    Compared,
    compare_areas,
    compare_recall,
    inclusion,
)
from folkmoot_node.evaluation.snapshot import Bools, Floats
from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.scoring.factors import THOUSANDTHS
from folkmoot_node.small_groups import pooled
from folkmoot_operator.problems import ExitCode, Problem

Indexes = npt.NDArray[np.int64]

TENTHS = 10
"""Bands begin at whole tenths of a point."""


@dataclass(frozen=True, slots=True)
class BandCut:
    """One band, before and after.

    Attributes:
        band: Its name.
        present_from: Where it begins now, in points.
        proposed_from: Where it would begin.
        present_share: Share of households in it now.
        proposed_share: Share that would be in it.
    """

    band: str
    present_from: float
    proposed_from: float
    present_share: float
    proposed_share: float


@dataclass(frozen=True, slots=True)
class AtCapacity:
    """What both find if so many are visited. Recall is None where the events are too few."""

    capacity: int
    recall: Compared | None
    precision_present: float | None
    precision_proposed: float | None


@dataclass(frozen=True, slots=True)
class JudgedDate:
    """A later date, judged by points fitted to what was known before it.

    Attributes:
        date: The date, ISO 8601.
        households: Judged.
        events: Households with the event; None if fewer than are shown.
        area: Under the curve; None if the events are too few.
        capacities: In the order of the evaluation file.
    """

    date: str
    households: int
    events: int | None
    area: Compared | None
    capacities: tuple[AtCapacity, ...]


@dataclass(frozen=True, slots=True)
class GroupChange:
    """What would change for a protected group.

    Attributes:
        field: Field of the characteristic.
        group: Its name; of several that are shown together, since one is small, their names.
        households: On the newest date.
        up: Share that would be in a higher band then.
        down: Share that would be in a lower band then.
        recall: Share of the households with the event that are visited at the first capacity,
            on later dates; None if the events are too few.
        selected_present: Share of the group that is visited then.
        selected_proposed: The same by the proposed policy.
    """

    field: str
    group: str
    households: int
    up: float
    down: float
    recall: Compared | None
    selected_present: float
    selected_proposed: float


def recut(
    policy: RiskPolicy, present: npt.NDArray[np.uint8], score: Indexes
) -> tuple[BandCut, ...]:
    """Where bands begin so that the share of households in each stays as near as points permit.

    Args:
        policy: The present policy.
        present: Index of the present band, uint8, shape (households,).
        score: Proposed score in thousandths of a point, int64, shape (households,).

    Raises:
        Problem: Exit code DATA, if there are fewer scores than bands.
    """
    bands = len(policy.bands)
    unit = THOUSANDTHS // TENTHS
    ascending = np.sort(score)
    highest = int(ascending[-1]) // unit
    share = np.bincount(present, minlength=bands) / len(present)
    starts, last = [0], 0
    for band in range(1, bands):
        candidates = np.arange(last + 1, highest - (bands - 1 - band) + 1)
        if not len(candidates):
            raise Problem(
                f"the proposed points distinguish too few households for {bands} bands",
                where="fit",
                remedy="Give more points (points), leave fewer factors out, or have fewer bands",
                exit_code=ExitCode.DATA,
            )
        at_least = 1 - np.searchsorted(ascending, candidates * unit) / len(score)
        off = np.abs(at_least - share[band:].sum())
        order = np.lexsort((candidates, candidates % TENTHS != 0, np.round(off, 9)))
        last = int(candidates[order[0]])
        starts.append(last)
    proposed = np.searchsorted(np.array(starts) * unit, score, side="right") - 1
    proposed_share = np.bincount(proposed, minlength=bands) / len(score)
    return tuple(
        BandCut(
            entry.name,
            entry.minimum,
            starts[at] / TENTHS,
            float(share[at]),
            float(proposed_share[at]),
        )
        for at, entry in enumerate(policy.bands)
    )


def bands_by(cuts: Sequence[BandCut], score: Indexes) -> Indexes:
    """Index of the proposed band of each household.

    Returns:
        int64, shape (households,); never null.
    """
    starts = np.array([round(cut.proposed_from * THOUSANDTHS) for cut in cuts])
    found: Indexes = np.searchsorted(starts, score, side="right") - 1
    return found


def moves(present: npt.NDArray[np.uint8], proposed: Indexes, bands: int) -> Indexes:
    """Households by present and proposed band.

    Returns:
        int64, shape (bands, bands), the present band in rows; never null.
    """
    cells = present.astype(np.int64) * bands + proposed
    return np.bincount(cells, minlength=bands * bands).reshape(bands, bands)


def judge_date(
    observed: KnownDate,
    card: Scorecard,
    factors: Indexes,
    capacities: Sequence[int],
    smallest: int,
) -> JudgedDate:
    """Compares both policies on a date that the scorecard has not learnt from."""
    proposed = card.scores(observed, factors)
    judged, event = observed.judged, observed.event
    events = int(event.sum())
    enough = events >= smallest and int((judged & ~event).sum()) >= smallest
    return JudgedDate(
        date=observed.date.isoformat(),
        households=int(judged.sum()),
        events=events if events >= smallest else None,
        area=compare_areas(observed.score[judged], proposed[judged], event[judged])
        if enough
        else None,
        capacities=tuple(
            _at_capacity(observed, proposed, capacity, enough) for capacity in capacities
        ),
    )


def _at_capacity(observed: KnownDate, proposed: Indexes, capacity: int, enough: bool) -> AtCapacity:
    if not enough:
        return AtCapacity(capacity, None, None, None)
    one, other = _chances(observed, proposed, capacity)
    return AtCapacity(
        capacity,
        compare_recall(one, other, observed.event, observed.uprn),
        _precision(one, observed),
        _precision(other, observed),
    )


def _chances(one: KnownDate, proposed: Indexes, capacity: int) -> tuple[Floats, Floats]:
    return (
        inclusion(one.score, one.considered, capacity),
        inclusion(proposed, one.considered, capacity),
    )


def _precision(included: Floats, observed: KnownDate) -> float | None:
    judged = float(included[observed.judged].sum())
    return float(included[observed.event].sum()) / judged if judged else None


def group_changes(
    newest: KnownDate,
    proposed_band: Indexes,
    judged: Sequence[tuple[KnownDate, Scorecard]],
    factors: Indexes,
    capacity: int,
    smallest: int,
) -> tuple[tuple[GroupChange, ...], tuple[str, ...]]:
    """What would change for each protected group that is held for audit.

    Args:
        newest: The newest date.
        proposed_band: Index of the proposed band then.
        judged: Later dates, each with the scorecard that had not learnt from it.
        factors: Indexes of the factors of the scorecards.
        capacity: Households that are visited.
        smallest: Groups of fewer households are not shown; those of which fewer households had
            the event, on any of the dates, are not judged.

    Returns:
        The groups, and the names of those that are too small.
    """
    chances = [(one, *_chances(one, card.scores(one, factors), capacity)) for one, card in judged]
    found, small = [], []
    for groups in newest.groups:
        count = np.bincount(groups.index, minlength=len(groups.names) + 1)[: len(groups.names)]
        for pool in pooled(count, smallest):
            name = " + ".join(groups.names[at] for at in pool)
            member = np.isin(groups.index, pool)
            households = int(member.sum())
            if households < smallest:
                small.append(f"{groups.field} {name}")
                continue
            of_group = [
                (one, before, after, _of(one, groups.field, pool)) for one, before, after in chances
            ]
            event = np.concatenate([one.event[who] for one, _, _, who in of_group])
            uprn = np.concatenate([one.uprn[who] for one, _, _, who in of_group])
            present = np.concatenate([before[who] for _, before, _, who in of_group])
            proposed = np.concatenate([after[who] for _, _, after, who in of_group])
            band = newest.band[member].astype(np.int64)
            found.append(
                GroupChange(
                    field=groups.field,
                    group=name,
                    households=households,
                    up=float((proposed_band[member] > band).mean()),
                    down=float((proposed_band[member] < band).mean()),
                    recall=compare_recall(present, proposed, event, uprn)
                    if len(np.unique(uprn[event])) >= smallest
                    else None,
                    selected_present=_mean(present),
                    selected_proposed=_mean(proposed),
                )
            )
    return tuple(found), tuple(small)


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else 0.0


def _of(one: KnownDate, field: str, pool: Sequence[int]) -> Bools:
    groups = one.group_of(field)
    if groups is None:
        return np.zeros(len(one.event), dtype=np.bool_)
    member: Bools = np.isin(groups.index, pool)
    return member
