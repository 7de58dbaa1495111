"""What sums of cells can be estimated from: the releases of a round, or of a series."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from folkmoot.geography import GssCode
from folkmoot.rounds import Round
from folkmoot.series import squared_norm
from folkmoot_coordinator.aggregation.combination import Measured
from folkmoot_coordinator.aggregation.cumulative import (
    Measure,
    StoredRelease,
    monthly_weights,
    usable,
)
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.publication.round_result import RoundResult, stored_releases
from folkmoot_coordinator.publication.series_result import SeriesResult


class Moment(NamedTuple):
    """What of a series a figure is about; a round that is in none has neither.

    Attributes:
        month: Number of the round in the series.
        measure: Cumulative counts, or new ones.
    """

    month: int | None = None
    measure: Measure | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Estimable:
    """The releases behind a published table.

    Attributes:
        round_: The question.
        region: Name of the region, which stands for all councils that are in its figures.
        releases: Noisy numbers, by a key of their own.
        weights: By what a figure is about, for each council that is in it the weights of its
            releases.
        latest: What a figure is about if nothing else is said.
    """

    round_: Round
    region: str
    releases: Mapping[Hashable, Measured]
    weights: Mapping[Moment, Mapping[GssCode, Mapping[Hashable, float]]]
    latest: Moment


def of_round(database: Database, result: RoundResult) -> Estimable:
    """The releases of a round that may be published.

    Raises:
        Problem: VERIFICATION if stored counts do not have the round's size.
    """
    found = stored_releases(database, result.stored)
    return of_releases(result.stored.round_, result.region, found)


def of_releases(round_: Round, region: str, found: Mapping[GssCode, StoredRelease]) -> Estimable:
    """The releases of a round that is in no series, by council."""
    return Estimable(
        round_,
        region,
        {council: Measured(round_.plan(council), one.counts) for council, one in found.items()},
        {Moment(): {council: {council: 1.0} for council in found}},
        Moment(),
    )


def of_series(database: Database, result: SeriesResult) -> Estimable:
    """The releases of a series up to one of its rounds.

    Raises:
        Problem: VERIFICATION if stored counts do not have the round's size.
    """
    round_ = result.stored.round_
    assert round_.series is not None
    length = round_.series.length
    by_position = {
        position: stored_releases(database, stored)
        for position, stored in sorted(result.rounds.items())
    }
    releases: dict[Hashable, Measured] = {}
    weights: dict[Moment, dict[GssCode, dict[Hashable, float]]] = {
        Moment(month.position, month.measure): {} for month in result.months
    }
    for council in round_.councils:
        kept = usable({at: found[council] for at, found in by_position.items() if council in found})
        for position, release in kept.items():
            key = council, position
            releases[key] = Measured(round_.plan(council), release.counts, squared_norm(length))
        for about, of_releases in monthly_weights(kept, length).items():
            if Moment(*about) in weights:
                keys = [(council, position) for position in kept]
                weights[Moment(*about)][council] = dict(zip(keys, of_releases, strict=False))
    latest = Moment(round_.series.position, Measure.CUMULATIVE)
    return Estimable(round_, result.region, releases, weights, latest)
