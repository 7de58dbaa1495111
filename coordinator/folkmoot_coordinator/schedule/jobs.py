"""What the schedule has to do now, as jobs that run with or without Prefect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from folkmoot_coordinator.clock import Clock, system_clock
from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.pauses import paused
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.schedule import tidying
from folkmoot_coordinator.schedule.exports import due_exports, export_closed
from folkmoot_coordinator.schedule.recurring import DueState, begin, due_rounds, open_due
from folkmoot_operator.problems import Problem


class Kind(StrEnum):
    """What a job does."""

    OPEN = "open"
    EXPORT = "export"
    CLEAN_UP = "clean-up"


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do, by ids alone: Prefect stores what it is given.

    Attributes:
        kind: What.
        key: Name of an entry, or id of a round; empty for cleaning up.
        due_at: When it was due, seconds since 1970-01-01T00:00:00Z.
    """

    kind: Kind
    key: str
    due_at: int

    def __str__(self) -> str:
        return f"{self.kind.value} {self.key}".rstrip()


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a job.

    Attributes:
        text: For people.
        is_problem: True if somebody has to look, now or if it lasts.
    """

    text: str
    is_problem: bool


def has_work(settings: CoordinatorSettings) -> bool:
    """True if the settings give the schedule something to do."""
    schedule, retention = settings.schedule, settings.retention
    return bool(schedule.rounds or schedule.export or retention.drafts_days)


def due_jobs(
    database: Database, home: Home, settings: CoordinatorSettings, now: int
) -> Iterator[Job]:
    """Jobs that are due; while the coordinator is paused, cleaning up alone.

    Args:
        database: The region's.
        home: The coordinator's folder.
        settings: Its settings.
        now: Seconds since 1970-01-01T00:00:00Z.
    """
    if paused(database) is None:
        begin(database, home, settings, now)
        for entry, due_at in due_rounds(database, home, settings, now):
            yield Job(Kind.OPEN, entry.name, due_at)
        for round_id in due_exports(database, home, settings, now):
            yield Job(Kind.EXPORT, round_id, now)
    if tidying.is_due(database, now):
        yield Job(Kind.CLEAN_UP, "", now)


def run_job(home: Path, job: Job, clock: Clock = system_clock) -> Done:
    """Does a job; what becomes of it is in the region's database, whatever its history says.

    Args:
        home: The coordinator's folder.
        job: What is to be done.
        clock: The time.

    Raises:
        Problem: If the settings or the database cannot be used.
    """
    place = Home(home)
    settings = place.settings()
    database = Database(place.database_url(settings))
    try:
        database.bring_up_to_date()
        return _run(database, place, settings, job, clock())
    finally:
        database.close()


def _run(database: Database, home: Home, settings: CoordinatorSettings, job: Job, now: int) -> Done:
    if job.kind is Kind.CLEAN_UP:
        return Done(tidying.clean_up(database, home, settings, now), False)
    if job.kind is Kind.EXPORT:
        try:
            found = export_closed(database, home, settings, job.key, now)
        except Problem as problem:
            return Done(f"round {job.key} is not exported: {problem}", True)
        return Done(f"round {job.key} is exported to {found.metadata.parent}", False)
    entry = next((one for one in settings.schedule.rounds if one.name == job.key), None)
    if entry is None:
        return Done(f"{job.key} is no longer in the settings", False)
    outcome = open_due(database, home, settings, entry, job.due_at, now)
    text = {
        DueState.OPENED: f"{job.key}: round {outcome.detail} is open",
        DueState.DRAFT: f"{job.key}: draft {outcome.detail} waits for a second person",
        DueState.RETRY: f"{job.key} is tried again: {outcome.detail}",
    }.get(outcome.state, f"{job.key} has stopped: {outcome.detail}")
    return Done(text, outcome.state in (DueState.RETRY, DueState.FAILED))


def done_or_failed(home: Path, one: Job) -> Done:
    """Runs a job; of an error that is no `Problem` it gives the kind alone."""
    try:
        return run_job(home, one)
    except Problem as problem:
        return Done(f"{one}: {problem}", True)
    except Exception as error:
        return Done(f"{one}: a fault of the coordinator ({type(error).__name__})", True)
