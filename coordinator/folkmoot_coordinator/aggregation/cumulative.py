"""From the releases of a series to cumulative and new counts, month by month.

Everything here is post-processing of what councils released. The rows of a series are whole
combinations of what each cohort of households would give in a round of its own; the weights
that undo that are in `folkmoot.series`. A cumulative count of one month is estimated from all
releases up to it, and does not change when later ones arrive.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from folkmoot.geography import GssCode
from folkmoot.rounds import Round
from folkmoot.series import SeriesRow, arrived_in_order, cumulative_weights, variance_factor
from folkmoot.strategy import Plan
from folkmoot_coordinator.aggregation.aggregate import check_plausible, statistics
from folkmoot_coordinator.aggregation.reconstruct import Estimates, Reconstruction
from folkmoot_coordinator.aggregation.statistic import RegionalStatistic

Int64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class StoredRelease:
    """A council's release as it is kept.

    Attributes:
        counts: Noisy numbers, int64, shape (rows of the council's plan,).
        row: What it measures of a series; None for a round that is in none.
        as_of: Date of the scores that were counted; None if the council did not state it.
    """

    counts: Int64
    row: SeriesRow | None
    as_of: date | None = None


class Measure(StrEnum):
    """What a statistic of a series counts."""

    CUMULATIVE = "cumulative"
    NEW = "new"


@dataclass(frozen=True, slots=True, eq=False)
class MonthlyStatistics:
    """The statistics of one round of a series.

    Attributes:
        position: Number of the round in the series.
        measure: Cumulative counts up to the round, or what is new since the round before.
        councils: Councils that are in them.
        statistics: Of each of them, and of the region.
        factors: For each of them by how much variances are larger than its plan's.
    """

    position: int
    measure: Measure
    councils: tuple[GssCode, ...]
    statistics: tuple[RegionalStatistic, ...]
    factors: Mapping[GssCode, float]


class _Weighted:
    """Estimates from a weighted sum of releases."""

    def __init__(
        self, plan: Plan, releases: Sequence[StoredRelease], weights: Sequence[float], length: int
    ) -> None:
        total = np.zeros(plan.rows)
        for release, weight in zip(releases, weights, strict=False):
            total += weight * release.counts
        self._made = Reconstruction(plan, total)
        self.factor = variance_factor(weights, length)
        self._step = max(map(abs, weights))

    def marginal(self, attributes: Sequence[str]) -> Estimates:
        found = self._made.marginal(attributes)
        return dataclasses.replace(
            found, variance=found.variance * self.factor, step=found.step * self._step
        )


def monthly_statistics(
    round_: Round, region: str, releases: Mapping[int, Mapping[GssCode, StoredRelease]]
) -> tuple[MonthlyStatistics, ...]:
    """Statistics of every round of a series up to one of them.

    A council that missed a round is in the cumulative counts again from the next round that
    it answered, with all its households. What is new since the round before is known for
    councils that answered both.

    Args:
        round_: A round of the series; all have the same question.
        region: Name of the region.
        releases: By position, for each position that may be published or is needed for one,
            the releases by council.

    Raises:
        Problem: If a release holds numbers that no counts could give.
    """
    assert round_.series is not None
    sources: dict[tuple[int, Measure], dict[GssCode, _Weighted]] = {}
    for council in round_.councils:
        of_council = {
            position: found[council]
            for position, found in sorted(releases.items())
            if council in found
        }
        for key, source in _of_council(round_, council, of_council).items():
            sources.setdefault(key, {})[council] = source
    order = list(Measure)
    return tuple(
        MonthlyStatistics(
            position,
            measure,
            tuple(found),
            statistics(
                round_, region, dict(sorted(found.items())), {council: {} for council in found}
            ),
            {council: one.factor for council, one in sorted(found.items())},
        )
        for (position, measure), found in sorted(
            sources.items(), key=lambda item: (item[0][0], order.index(item[0][1]))
        )
    )


def usable(releases: Mapping[int, StoredRelease]) -> dict[int, StoredRelease]:
    """The releases of a council, by position, up to the first that does not follow.

    One does not follow if the node had a receipt for a release that is not here any more,
    for example because the coordinator's database was restored from an older backup. Then
    nothing can be estimated from it, nor from later ones.
    """
    kept: dict[int, StoredRelease] = {}
    for position, release in sorted(releases.items()):
        if not arrived_in_order(_rows([*kept.values(), release])):
            break
        kept[position] = release
    return kept


def monthly_weights(
    kept: Mapping[int, StoredRelease], length: int
) -> dict[tuple[int, Measure], tuple[float, ...]]:
    """How the releases of one council are summed to give the counts of each month.

    Args:
        kept: Its usable releases by position.
        length: Number of rounds planned.

    Returns:
        By position and measure the weights of the first of `kept`, in their order; those that
        follow have none.
    """
    found: dict[tuple[int, Measure], tuple[float, ...]] = {}
    before: tuple[float, ...] = ()
    previous = 0
    for position, weights in zip(
        kept, cumulative_weights(_rows([*kept.values()]), length), strict=True
    ):
        found[position, Measure.CUMULATIVE] = weights
        if previous == position - 1:
            padded = (*before, *(0.0,) * (len(weights) - len(before)))
            found[position, Measure.NEW] = tuple(
                now - then for now, then in zip(weights, padded, strict=True)
            )
        before, previous = weights, position
    return found


def _rows(releases: Sequence[StoredRelease]) -> list[SeriesRow]:
    return [release.row for release in releases if release.row is not None]


def _of_council(
    round_: Round, council: GssCode, releases: Mapping[int, StoredRelease]
) -> dict[tuple[int, Measure], _Weighted]:
    assert round_.series is not None
    plan, length = round_.plan(council), round_.series.length
    kept = usable(releases)
    measured = list(kept.values())
    for release in measured:
        check_plausible(council, release.counts)
    return {
        key: _Weighted(plan, measured, weights, length)
        for key, weights in monthly_weights(kept, length).items()
    }
