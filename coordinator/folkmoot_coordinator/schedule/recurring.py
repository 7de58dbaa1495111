"""Rounds that are opened again and again: when each is due, and what became of it.

Each time at which a round was due has one row, and the round remembers the time it was opened for:
whatever ends this process, no second round is opened for it. What is missed while nothing runs is
made up for once, with the newest time. A fault that only a person can fix stops the entry until
its settings or its file change; others are tried again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import select

from folkmoot.rounds import Round, RoundState
from folkmoot_coordinator.config import CoordinatorSettings, ScheduledRound
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.database.models import ScheduledRow
from folkmoot_coordinator.drafts.decisions import submit_once
from folkmoot_coordinator.drafts.drafts import DraftState, find_draft, save_once
from folkmoot_coordinator.drafts.opening import open_drafts
from folkmoot_coordinator.drafts.people import AccountKind, Person, needs_second
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.membership.catalogues import catalogues_of
from folkmoot_coordinator.membership.councils import members
from folkmoot_coordinator.membership.known_councils import known_councils
from folkmoot_coordinator.planning.question_checks import doubts_of_question
from folkmoot_coordinator.publication.series_result import find_series, next_round
from folkmoot_coordinator.rounds.opening import open_planned
from folkmoot_coordinator.rounds.question import Question, read_question
from folkmoot_coordinator.rounds.round_making import make_round
from folkmoot_coordinator.rounds.round_store import (
    StoredRound,
    find_round,
    open_round,
    round_of_origin,
)
from folkmoot_coordinator.signing import SigningKey
from folkmoot_operator.moments import to_text
from folkmoot_operator.problems import ExitCode, Problem

RETRY_SECONDS = 300
"""How long to wait before what may pass by itself is tried again."""


class DueState(StrEnum):
    """What became of a time at which a round was due."""

    BEGUN = "begun"
    """Not a time of the schedule: when the entry was first seen."""
    OPENED = "opened"
    DRAFT = "draft"
    """A draft waits for a second person, or has been decided about."""
    RETRY = "retry"
    FAILED = "failed"
    """Only a person can fix it: the entry has stopped."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a time at which a round was due.

    Attributes:
        name: The entry.
        due_at: The time, seconds since 1970-01-01T00:00:00Z.
        state: What became of it.
        detail: Id of the round or draft, or why there is none.
        noted_at: When that was written down.
        settings: Digest of the entry and its files then, 32 bytes.
    """

    name: str
    due_at: int
    state: DueState
    detail: str
    noted_at: int
    settings: bytes


def begin(database: Database, home: Home, settings: CoordinatorSettings, now: int) -> None:
    """Notes entries that are new: what was due before they were written is not opened."""
    for entry in settings.schedule.rounds:
        if last_outcome(database, entry.name) is None:
            _note(database, home, entry, now, DueState.BEGUN, "", now)


def due_rounds(
    database: Database, home: Home, settings: CoordinatorSettings, now: int
) -> Iterator[tuple[ScheduledRound, int]]:
    """Entries that are due, each with the time at which it was.

    Args:
        database: The region's.
        home: The coordinator's folder.
        settings: Its settings.
        now: Seconds since 1970-01-01T00:00:00Z.
    """
    for entry in settings.schedule.rounds:
        last = last_outcome(database, entry.name)
        if last is None:
            continue  # `begin` will note it
        newest = settings.schedule.times(entry).latest(now + 1)
        if last.state is DueState.FAILED:
            if last.settings != digest_of_entry(home, entry):
                yield entry, max(newest, last.due_at)
        elif newest > last.due_at:
            yield entry, newest
        elif last.state is DueState.RETRY and now >= last.noted_at + RETRY_SECONDS:
            yield entry, last.due_at


def open_due(
    database: Database,
    home: Home,
    settings: CoordinatorSettings,
    entry: ScheduledRound,
    due_at: int,
    now: int,
) -> Outcome:
    """Opens the round of an entry, or stores a draft where a second person must approve it.

    Args:
        database: The region's.
        home: The coordinator's folder.
        settings: Its settings.
        entry: What is due.
        due_at: When it was.
        now: Seconds since 1970-01-01T00:00:00Z.

    Returns:
        What became of it, which is written down.
    """
    try:
        state, detail = _open(database, home, settings, entry, due_at, now)
    except Problem as problem:
        transient = problem.exit_code is ExitCode.UNREACHABLE
        state = DueState.RETRY if transient else DueState.FAILED
        detail = f"{problem}. {problem.remedy}"
    return _note(database, home, entry, due_at, state, detail, now)


def _open(
    database: Database,
    home: Home,
    settings: CoordinatorSettings,
    entry: ScheduledRound,
    due_at: int,
    now: int,
) -> tuple[DueState, str]:
    origin = f"schedule {entry.name} {to_text(due_at)}"
    opened = round_of_origin(database, origin)
    if opened is not None:
        return DueState.OPENED, opened
    program = Person(f"schedule {entry.name}", AccountKind.PROGRAM)
    question = _question(home, entry)
    if question.file.series is not None:
        earlier = _series_of(database, home, settings, entry)
        if earlier is not None:
            if earlier[-1].state is RoundState.OPEN:
                raise Problem(
                    f"the round before is open until {to_text(earlier[-1].round_.deadline)}",
                    where=origin,
                    remedy="It is opened when that has closed",
                    exit_code=ExitCode.UNREACHABLE,
                )
            last, following = earlier[-1], _next_round(earlier, now)
            key = SigningKey.load(home.keys)
            stored = open_round(
                database,
                key,
                following,
                last.planning,
                last.code_names,
                origin=origin,
                who=program.name,
            )
            return DueState.OPENED, stored.round_.round_id
    asked = make_round(question, members(database, now), now)
    councils = asked.round_.councils
    doubts_of_question(asked, known_councils(home), catalogues_of(database, councils))
    if needs_second(settings.rounds, program):
        drafts = open_drafts(home, settings)
        try:
            draft = save_once(drafts, question.asking(councils), program, now, origin)
            submit_once(drafts, draft, program, now)
        finally:
            drafts.close()
        return DueState.DRAFT, draft.draft_id
    key = SigningKey.load(home.keys)
    stored = open_planned(database, key, asked, origin=origin, who=program.name)
    return DueState.OPENED, stored.round_.round_id


def _next_round(earlier: Sequence[StoredRound], now: int) -> Round:
    try:
        return next_round(earlier, now)
    except Problem as problem:  # the series has ended
        raise Problem(
            problem.problem,
            where=problem.where,
            remedy="Take the entry out. For a new series, which counts every household again and "
            "costs the same again, write one with another name",
            exit_code=problem.exit_code,
        ) from None


def _question(home: Home, entry: ScheduledRound) -> Question:
    question = read_question(home.path / entry.question)
    if entry.councils is None:
        return question
    if entry.councils == "all":
        file = question.file.model_copy(update={"councils": "all"})
        return Question(file, question.path, question.files)
    return question.asking(entry.councils)


def _series_of(
    database: Database, home: Home, settings: CoordinatorSettings, entry: ScheduledRound
) -> tuple[StoredRound, ...] | None:
    """The rounds of the series that an entry has begun; None if it has begun none.

    Raises:
        Problem: UNREACHABLE if the draft of its first round was not decided about.
    """
    query = (
        select(ScheduledRow)
        .where(
            ScheduledRow.name == entry.name,
            ScheduledRow.state.in_([DueState.OPENED.value, DueState.DRAFT.value]),
        )
        .order_by(ScheduledRow.due_at.desc())
        .limit(1)
    )
    with database.reading() as session:
        row = session.scalars(query).first()
    if row is None:
        return None
    round_id: str | None = row.detail
    if row.state == DueState.DRAFT.value:
        round_id = round_of_origin(database, f"draft {row.detail}")
        if round_id is None:
            if _has_ended(home, settings, row.detail):
                return None
            raise Problem(
                f"draft {row.detail[:12]} of its first round waits for a second person",
                where=f"schedule {entry.name}",
                remedy="Approve or withdraw it",
                exit_code=ExitCode.UNREACHABLE,
            )
    series = find_round(database, str(round_id)).round_.series
    return find_series(database, series.series_id) if series is not None else None


def _has_ended(home: Home, settings: CoordinatorSettings, draft_id: str) -> bool:
    drafts = open_drafts(home, settings)
    try:
        return find_draft(drafts, draft_id).state in (DraftState.REFUSED, DraftState.WITHDRAWN)
    except Problem as problem:
        if problem.exit_code is not ExitCode.USAGE:
            raise
        return True  # it has ended so long ago that it was deleted
    finally:
        drafts.close()


def last_outcome(database: Database, name: str) -> Outcome | None:
    """What became of the newest time of an entry; None if it is new."""
    query = select(ScheduledRow).where(ScheduledRow.name == name)
    with database.reading() as session:
        row = session.scalars(query.order_by(ScheduledRow.due_at.desc()).limit(1)).first()
    if row is None:
        return None
    state = DueState(row.state)
    return Outcome(row.name, row.due_at, state, row.detail, row.noted_at, row.settings)


def digest_of_entry(home: Home, entry: ScheduledRound) -> bytes:
    """SHA-256 of an entry and its files, 32 bytes: what changes when somebody has corrected it."""
    try:
        content = _question(home, entry).serialise()
    except Problem as problem:
        content = str(problem)
    return hashlib.sha256(f"{entry.model_dump_json()}\n{content}".encode()).digest()


def _note(
    database: Database,
    home: Home,
    entry: ScheduledRound,
    due_at: int,
    state: DueState,
    detail: str,
    now: int,
) -> Outcome:
    digest = digest_of_entry(home, entry)
    with database.writing() as session:
        session.merge(
            ScheduledRow(
                name=entry.name,
                due_at=due_at,
                state=state.value,
                detail=detail,
                settings=digest,
                noted_at=now,
            )
        )
    return Outcome(entry.name, due_at, state, detail, now, digest)
