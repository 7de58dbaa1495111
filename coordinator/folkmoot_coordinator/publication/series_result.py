"""The results of a series so far: statistics of each of its closed rounds."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy import select

from folkmoot.geography import GssCode
from folkmoot.rounds import Round, RoundState
from folkmoot_coordinator.aggregation.cumulative import (
    MonthlyStatistics,
    StoredRelease,
    monthly_statistics,
    usable,
)
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import RoundRow
from folkmoot_coordinator.publication.round_result import (
    Coverage,
    coverage,
    dates_of,
    stored_releases,
)
from folkmoot_coordinator.rounds.round_store import LATEST, StoredRound, stored_round
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import ExitCode, Problem


@dataclass(frozen=True, slots=True)
class SeriesResult:
    """A series up to one of its rounds.

    Attributes:
        stored: That round.
        rounds: The rounds of the series up to it, by position.
        region: Name of the region.
        coverage: Who answered, by position.
        unusable: Councils whose releases cannot be used from a position on, because an
            earlier one is not here any more.
        months: Statistics of the rounds that are published.
        names: Names of councils by GSS code, as far as they are known.
        as_of: By position, for each council the date of the scores that were counted, as far as
            it is known.
    """

    stored: StoredRound
    rounds: Mapping[int, StoredRound]
    region: str
    coverage: Mapping[int, Coverage]
    unusable: Mapping[GssCode, int]
    months: tuple[MonthlyStatistics, ...]
    names: Mapping[str, str]
    as_of: Mapping[int, Mapping[str, date]] = field(default_factory=dict)

    def withdrawn(self, position: int) -> str | None:
        """Why figures of a month must not be used; None if they stand.

        Figures of a month are estimated from all releases up to it, so that they are as wrong
        as the first of these.
        """
        return withdrawn_by(self.rounds, position)


def withdrawn_by(rounds: Mapping[int, StoredRound], position: int) -> str | None:
    """Why figures of a series must not be used from a round on; None if they stand.

    Args:
        rounds: The rounds so far, by position.
        position: The round.
    """
    for at, stored in sorted(rounds.items()):
        if at <= position and stored.withdrawal is not None:
            return str(dataclasses.replace(stored.withdrawal, with_round=at))
    return None


def find_series(database: Database, reference: str) -> tuple[StoredRound, ...]:
    """The rounds of a series, in order of their positions.

    Args:
        database: Where they are stored.
        reference: The series' id, its beginning, or `latest` for the one begun last.

    Raises:
        Problem: If there is none, or more than one.
    """
    with database.reading() as session:
        query = select(RoundRow.series_id).where(RoundRow.series_position == 1)
        if reference == LATEST:
            query = query.order_by(RoundRow.opened_at.desc(), RoundRow.round_id).limit(1)
        else:
            query = query.where(RoundRow.series_id.startswith(reference, autoescape=True)).limit(2)
        found = session.scalars(query).all()
        if len(found) == 1 and reference:
            rows = session.scalars(
                select(RoundRow)
                .where(RoundRow.series_id == found[0])
                .order_by(RoundRow.series_position)
            )
            return tuple(stored_round(row) for row in rows)
    raise Problem(
        "more than one series begins so" if found else "there is no such series",
        where=f"series {reference[:40]!r}",
        remedy="`folkmoot-coordinator round show` of one of its rounds says the id",
        exit_code=ExitCode.USAGE,
    )


def next_round(rounds: Sequence[StoredRound], now: int) -> Round:
    """The round of a series that follows: the same question, open for as long as the last.

    Args:
        rounds: The rounds so far, in order of their positions.
        now: When it opens, seconds since 1970-01-01T00:00:00Z.

    Raises:
        Problem: REFUSED if the last round is open, or none is left.
    """
    last = rounds[-1].round_
    series = last.series
    assert series is not None
    where = f"series {series.series_id}"
    if rounds[-1].state is RoundState.OPEN:
        raise Problem(
            f"round {series.position} is open until {to_text(last.deadline)}",
            where=where,
            remedy="Wait, or close it with `folkmoot-coordinator round close`",
            exit_code=ExitCode.REFUSED,
        )
    if series.position == series.length or now >= series.ends_at:
        raise Problem(
            f"has ended: {series.position} of {series.length} rounds were opened, until "
            f"{to_text(series.ends_at)} at the latest",
            where=where,
            remedy="Open a new series; it counts every household again, and costs the same again",
            exit_code=ExitCode.REFUSED,
        )
    return dataclasses.replace(
        last,
        round_id=secrets.token_hex(16),
        series=dataclasses.replace(series, position=series.position + 1),
        opened_at=now,
        deadline=min(now + last.deadline - last.opened_at, series.ends_at),
    )


def series_result(
    database: Database, region: str, stored: StoredRound, names: Mapping[str, str] | None = None
) -> SeriesResult:
    """The result of a series up to a round of it.

    Rounds that are void are not published; what councils released in them is still used for
    later rounds.

    Args:
        database: Where it is stored.
        region: Name of the region.
        stored: The round, which is in a series.
        names: Names of councils by GSS code, as far as they are known.

    Raises:
        Problem: REFUSED if the round is open or void, or counts are no longer kept.
    """
    series = stored.round_.series
    assert series is not None
    where = f"round {stored.round_.round_id}"
    rounds = {
        one.round_.series.position: one
        for one in find_series(database, series.series_id)
        if one.round_.series is not None and one.round_.series.position <= series.position
    }
    waiting = [one for one in rounds.values() if one.state is RoundState.OPEN]
    if waiting:
        raise Problem(
            f"is open until {to_text(waiting[0].round_.deadline)}",
            where=f"round {waiting[0].round_.round_id}",
            remedy="Wait, or close it with `folkmoot-coordinator round close`",
            exit_code=ExitCode.REFUSED,
        )
    if stored.state is RoundState.VOID:
        raise Problem(
            f"is void: fewer than {stored.round_.minimum_councils} councils released",
            where=where,
            remedy="Open the next round of the series; its cumulative counts cover this one",
            exit_code=ExitCode.REFUSED,
        )
    covered = {position: coverage(database, one) for position, one in rounds.items()}
    releases = {position: stored_releases(database, one) for position, one in rounds.items()}
    for position, found in releases.items():
        if set(found) != set(covered[position].released):
            raise Problem(
                "the counts are no longer kept",
                where=f"round {rounds[position].round_.round_id}",
                remedy="They were deleted after retention.counts_days (coordinator.toml); use "
                "what was exported before",
                exit_code=ExitCode.REFUSED,
            )
    months = monthly_statistics(stored.round_, region, releases)
    published = {position for position, one in rounds.items() if one.state is not RoundState.VOID}
    return SeriesResult(
        stored=stored,
        rounds=rounds,
        region=region,
        coverage=covered,
        unusable=_unusable(releases),
        months=tuple(month for month in months if month.position in published),
        names=names or {},
        as_of={position: dates_of(found) for position, found in releases.items()},
    )


def _unusable(releases: Mapping[int, Mapping[GssCode, StoredRelease]]) -> dict[GssCode, int]:
    first: dict[GssCode, int] = {}
    for council in {council for found in releases.values() for council in found}:
        own = {position: found[council] for position, found in releases.items() if council in found}
        dropped = set(own) - set(usable(own))
        if dropped:
            first[council] = min(dropped)
    return dict(sorted(first.items()))
