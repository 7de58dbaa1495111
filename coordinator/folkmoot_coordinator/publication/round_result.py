"""The result of a closed round: who answered, and the counts of those who released."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from folkmoot.geography import GssCode
from folkmoot.refusal import RefusalReason
from folkmoot.rounds import RoundState
from folkmoot.series import SeriesRow
from folkmoot_coordinator.aggregation.aggregate import aggregate
from folkmoot_coordinator.aggregation.cumulative import StoredRelease
from folkmoot_coordinator.aggregation.statistic import RegionalStatistic
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import CellsRow
from folkmoot_coordinator.rounds.progress import council_responses
from folkmoot_coordinator.rounds.round_store import StoredRound, find_round
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import ExitCode, Problem


@dataclass(frozen=True, slots=True)
class Coverage:
    """Which of the councils invited are in the statistics.

    Attributes:
        released: Councils that are.
        refused: Councils that refused, with the reason.
        missing: Councils that did not answer in time.
    """

    released: tuple[GssCode, ...]
    refused: tuple[tuple[GssCode, RefusalReason], ...]
    missing: tuple[GssCode, ...]

    @property
    def invited(self) -> int:
        """Number of councils invited."""
        return len(self.released) + len(self.refused) + len(self.missing)

    def __str__(self) -> str:
        return f"{len(self.released)} of {self.invited} councils"


@dataclass(frozen=True, slots=True)
class RoundResult:
    """A closed round that may be published.

    Attributes:
        stored: The round.
        region: Name of the region.
        coverage: Who is in it.
        statistics: Of each council that released, and of the region.
        names: Names of councils by GSS code, as far as they are known.
        as_of: Date of the scores that were counted, by council, as far as it is known.
    """

    stored: StoredRound
    region: str
    coverage: Coverage
    statistics: tuple[RegionalStatistic, ...]
    names: Mapping[str, str]
    as_of: Mapping[str, date] = field(default_factory=dict)


def round_result(
    database: Database, region: str, reference: str, names: Mapping[str, str] | None = None
) -> RoundResult:
    """The result of a round.

    Args:
        database: Where it is stored.
        region: Name of the region.
        reference: The round's id, its beginning, or `latest`.
        names: Names of councils by GSS code, as far as they are known.

    Raises:
        Problem: REFUSED if the round is open or void.
    """
    closed = closed_round(database, reference)
    stored, releases = closed.stored, closed.releases
    covered, round_ = closed.coverage, stored.round_
    found = aggregate(round_, region, {one: made.counts for one, made in releases.items()})
    return RoundResult(stored, region, covered, found, names or {}, dates_of(releases))


@dataclass(frozen=True, slots=True)
class ClosedRound:
    """What councils released for a closed round.

    Attributes:
        stored: The round.
        coverage: Who is in it.
        releases: By council, in order of their codes.
    """

    stored: StoredRound
    coverage: Coverage
    releases: Mapping[GssCode, StoredRelease]


def closed_round(database: Database, reference: str) -> ClosedRound:
    """The releases of a round that may be published.

    Args:
        database: Where it is stored.
        reference: The round's id, its beginning, or `latest`.

    Raises:
        Problem: REFUSED if the round is open or void, or its counts are no longer kept.
    """
    stored = find_round(database, reference)
    round_ = stored.round_
    where = f"round {round_.round_id}"
    if stored.state is RoundState.OPEN:
        raise Problem(
            f"is open until {to_text(round_.deadline)}",
            where=where,
            remedy="Wait, or close it with `folkmoot-coordinator round close`",
            exit_code=ExitCode.REFUSED,
        )
    covered = coverage(database, stored)
    if stored.state is RoundState.VOID:
        raise Problem(
            f"is void: {covered} released; at least {round_.minimum_councils} must",
            where=where,
            remedy="`folkmoot-coordinator round show` says why each council is missing; open a "
            "new round when that is fixed",
            exit_code=ExitCode.REFUSED,
        )
    releases = stored_releases(database, stored)
    if set(releases) != set(covered.released):
        raise Problem(
            "the counts are no longer kept",
            where=where,
            remedy="They were deleted after retention.counts_days (coordinator.toml); use what "
            "was exported before",
            exit_code=ExitCode.REFUSED,
        )
    return ClosedRound(stored, covered, releases)


def dates_of(releases: Mapping[GssCode, StoredRelease]) -> dict[str, date]:
    """Date of the scores that councils counted, of those that stated it."""
    return {council: one.as_of for council, one in releases.items() if one.as_of is not None}


def coverage(database: Database, stored: StoredRound) -> Coverage:
    """Who answered a round, and how."""
    found = council_responses(database, stored.round_)
    return Coverage(
        released=tuple(one.council for one in found if one.released),
        refused=tuple((one.council, one.refusal) for one in found if one.refusal is not None),
        missing=tuple(one.council for one in found if one.answered_at is None),
    )


def released_counts(database: Database, stored: StoredRound) -> dict[GssCode, NDArray[np.int64]]:
    """Noisy counts of each council that released: int64, in the cell order of the round.

    None is missing.
    """
    return {
        council: release.counts for council, release in stored_releases(database, stored).items()
    }


def stored_releases(database: Database, stored: StoredRound) -> dict[GssCode, StoredRelease]:
    """What each council released, in order of their codes.

    Raises:
        Problem: VERIFICATION if stored counts do not have the round's size.
    """
    found: dict[GssCode, StoredRelease] = {}
    query = (
        select(
            CellsRow.council,
            CellsRow.counts,
            CellsRow.series_step,
            CellsRow.series_cohort,
            CellsRow.scores_of,
        )
        .where(CellsRow.round_id == stored.round_.round_id)
        .order_by(CellsRow.council)
    )
    with database.reading() as session:
        for row in session.execute(query):
            council = GssCode(row.council)
            cells = stored.round_.plan(council).rows
            if len(row.counts) != cells * np.dtype("<i8").itemsize:
                raise Problem(
                    f"the stored counts of {council} are damaged",
                    where=f"round {stored.round_.round_id}",
                    remedy="Restore the database from its backup",
                    exit_code=ExitCode.VERIFICATION,
                )
            measured = SeriesRow(row.series_step, row.series_cohort) if row.series_step else None
            counts = np.frombuffer(row.counts, dtype="<i8").astype(np.int64, copy=False)
            found[council] = StoredRelease(counts, measured, row.scores_of)
    return found
