"""Whether the schedule does what the settings say."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from folkmoot_coordinator.config import CoordinatorSettings
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.rounds.question import read_question
from folkmoot_coordinator.schedule.exports import failed_exports
from folkmoot_coordinator.schedule.recurring import DueState, digest_of_entry, last_outcome
from folkmoot_operator.checks import Finding, State
from folkmoot_operator.problems import Problem

_NAME = "schedule"


def schedule(
    home: Home, settings: CoordinatorSettings, now: int
) -> Callable[[Database], Iterator[Finding]]:
    """Whether recurring rounds go on, and closed rounds are exported.

    Args:
        home: The coordinator's folder.
        settings: Its settings.
        now: Seconds since 1970-01-01T00:00:00Z.
    """

    def look(database: Database) -> Iterator[Finding]:
        for entry in settings.schedule.rounds:
            last = last_outcome(database, entry.name)
            if last is not None and last.state is DueState.FAILED:
                if last.settings == digest_of_entry(home, entry):
                    yield Finding(
                        _NAME,
                        State.FAIL,
                        f"{entry.name} has stopped: {last.detail}",
                        "Correct its entry in coordinator.toml or its file; it then goes on by "
                        "itself",
                    )
                    continue
            elif last is not None and last.state is DueState.RETRY:
                yield Finding(_NAME, State.WARN, f"{entry.name} is tried again: {last.detail}")
                continue
            try:
                read_question(home.path / entry.question)
            except Problem as problem:
                yield Finding(_NAME, State.FAIL, f"{entry.name}: {problem}", problem.remedy)
                continue
            times = settings.schedule.times(entry)
            text = f"{entry.name} opens next at {times.shown(times.next(now))}"
            yield Finding(_NAME, State.OK, text)
        if settings.schedule.export is not None:
            failed = failed_exports(database)
            for round_id, why in failed.items():
                text = f"round {round_id[:12]} is not exported: {why}"
                yield Finding(
                    _NAME,
                    State.WARN,
                    text,
                    "It is tried again every hour while its counts are kept",
                )
        if not settings.schedule.rounds and settings.schedule.export is None:
            yield Finding(_NAME, State.OK, "nothing is to be done on a schedule")

    return look
