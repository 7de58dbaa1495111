"""Files of each round when it closes, and again when a result is withdrawn."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import exists, select

from folkmoot.rounds import RoundState
from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import CellsRow, ExportRow, RoundRow
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.publication.round_files import publish
from folkmoot_coordinator.publication.round_result import round_result
from folkmoot_coordinator.publication.series_files import publish_series
from folkmoot_coordinator.publication.series_result import series_result
from folkmoot_coordinator.publication.table_files import Publication
from folkmoot_coordinator.rounds.round_store import find_round
from folkmoot_operator.output_places import require_folder, writing_to
from folkmoot_operator.private_files import publishing
from folkmoot_operator.problems import ExitCode, Problem

RETRY_SECONDS = 3600
"""How long to wait before an export that failed is tried again: somebody may have made room."""
_PUBLISHED = (RoundState.COMPLETE.value, RoundState.PARTIAL.value)


def due_exports(
    database: Database, home: Home, settings: CoordinatorSettings, now: int
) -> Iterator[str]:
    """Ids of the rounds whose files are missing, or say something that is no longer so."""
    folder = _folder(home, settings)
    if folder is None:
        return
    with database.reading() as session:
        done = {row.round_id: row for row in session.scalars(select(ExportRow))}
    for one in _published(database):
        known, stated = done.get(one.round_id), _stated(folder, one)
        if known is None:
            due = one.has_counts  # what was deleted before is not missed
        elif known.stated != stated:
            due = one.has_counts or known.stated.rpartition("|")[2] != one.marks
        else:
            is_time = now >= known.noted_at + RETRY_SECONDS
            due = known.failure is not None and one.has_counts and is_time
        if due:
            yield one.round_id


def export_closed(
    database: Database, home: Home, settings: CoordinatorSettings, round_id: str, now: int
) -> Publication:
    """Writes the files of a closed round into the folder of the settings, and notes it.

    Args:
        database: The region's.
        home: The coordinator's folder.
        settings: Its settings, with `schedule.export`.
        round_id: The round's whole id.
        now: Seconds since 1970-01-01T00:00:00Z.

    Raises:
        Problem: If they cannot be written; that is noted too.
    """
    folder = _folder(home, settings)
    assert folder is not None
    [found] = [one for one in _published(database) if one.round_id == round_id]
    stated = _stated(folder, found)
    try:
        if found.marks and not found.has_counts:
            raise Problem(
                "its counts are no longer kept: its files cannot say that figures were withdrawn",
                where=f"round {round_id}",
                remedy="Say so where you publish them, or delete them",
                exit_code=ExitCode.REFUSED,
            )
        publication = _export(database, settings, round_id, folder)
    except Problem as problem:
        _note(database, round_id, stated, f"{problem}. {problem.remedy}", now)
        raise
    _note(database, round_id, stated, None, now)
    return publication


def failed_exports(database: Database) -> dict[str, str]:
    """Why there are no files, by the id of the round."""
    with database.reading() as session:
        query = select(ExportRow).where(ExportRow.failure.is_not(None))
        return {row.round_id: row.failure or "" for row in session.scalars(query)}


def _export(
    database: Database, settings: CoordinatorSettings, round_id: str, folder: Path
) -> Publication:
    require_folder(folder)
    stored = find_round(database, round_id)
    with publishing(), writing_to(folder):
        if stored.round_.series is not None:
            of_series = series_result(database, settings.region, stored, settings.names)
            return publish_series(of_series, folder)
        return publish(round_result(database, settings.region, round_id, settings.names), folder)


def _folder(home: Home, settings: CoordinatorSettings) -> Path | None:
    export = settings.schedule.export
    return None if export is None else home.path / export


@dataclass(frozen=True, slots=True)
class _Published:
    """A closed round with a result.

    Attributes:
        round_id: Its id.
        marks: What its files say of withdrawals; empty if its figures stand.
        has_counts: False if they were deleted.
    """

    round_id: str
    marks: str
    has_counts: bool


def _published(database: Database) -> list[_Published]:
    """Rounds that have files, closed first first."""
    with database.reading() as session:
        rows = session.execute(
            select(
                RoundRow.round_id,
                RoundRow.state,
                RoundRow.series_id,
                RoundRow.series_position,
                RoundRow.withdrawn_at,
                exists().where(CellsRow.round_id == RoundRow.round_id).label("has_counts"),
            ).order_by(RoundRow.closed_at, RoundRow.round_id)
        ).all()
    withdrawn: dict[str, list[tuple[int, int]]] = defaultdict(list)
    for row in rows:
        if row.withdrawn_at is not None and row.series_id is not None:
            withdrawn[row.series_id].append((row.series_position, row.withdrawn_at))
    found = []
    for row in rows:
        if row.state not in _PUBLISHED:
            continue
        if row.series_id is None:
            marks = "" if row.withdrawn_at is None else f"{row.withdrawn_at}"
        else:
            marks = ",".join(
                f"{position}:{at}"
                for position, at in sorted(withdrawn[row.series_id])
                if position <= row.series_position
            )
        found.append(_Published(row.round_id, marks, row.has_counts))
    return found


def _stated(folder: Path, one: _Published) -> str:
    return f"{folder}|{one.marks}"


def _note(database: Database, round_id: str, stated: str, failure: str | None, now: int) -> None:
    with database.writing() as session:
        row = ExportRow(round_id=round_id, noted_at=now, stated=stated, failure=failure)
        session.merge(row)
