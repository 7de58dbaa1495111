"""Whether rounds wait since a scoring run has not come to a good end: read from the audit log.

A run that stops leaves the last good scores in place. What stopped it may have been a record,
and then a record has chosen which table rounds count: noise does not hide that. So rounds wait,
as they do for approval, until a later run ends well or a person decides. The log is written
before a run begins: one that the machine kills for its memory was stopped as well.

Only a run that could not reach its sources leaves rounds as they were; one that a full disk has
stopped does not, although waiting helps it too. The log says when a run
began and how it ended, and no more: nothing of what was found.

A run that went on without the factors of a plugin that had failed has kept its scores, and rounds
wait as well: what made the plugin fail may have been a record.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from folkmoot_node.evidence.database import Clock, StateDatabase, system_clock
from folkmoot_node.evidence.pauses import not_done, paused_in
from folkmoot_operator.accounts import Operator, body_of_account
from folkmoot_operator.hash_chain import Entry
from folkmoot_operator.pauses import ACTIONS as ACTIONS_OF_PAUSES
from folkmoot_operator.pauses import pause_of
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.unusable_files import UnusableFile

BEGUN = "scoring run begun"
STORED = "scoring run ended, scores stored"
INCOMPLETE = "scoring run ended, scores stored without the factors of a plugin that failed"
UNREACHED = "scoring run ended, a source could not be reached"
STOPPED = "scoring run stopped"
RESUMED = "rounds resumed"
ACTIONS = (BEGUN, STORED, INCOMPLETE, UNREACHED, STOPPED, RESUMED)
"""Those of the audit log that say whether rounds wait."""


@dataclass(frozen=True, slots=True)
class StoppedRun:
    """The first run since the last good one for which rounds wait.

    Attributes:
        run: What the audit log calls it.
        began_at: Seconds since 1970-01-01T00:00:00Z.
        is_incomplete: Whether the scores that are stored now lack the factors of a plugin; false
            if they are older than the run.
    """

    run: str
    began_at: int
    is_incomplete: bool = False


def waits_for(entries: Iterable[Entry]) -> StoppedRun | None:
    """The run for which rounds wait; None if they do not. It may be going on.

    Args:
        entries: Of the audit log, oldest first.
    """
    waiting: dict[str, StoppedRun] = {}
    is_incomplete = False
    for entry in entries:
        action = entry.body.get("action")
        if action == BEGUN:
            run = str(entry.body["run"])
            waiting[run] = StoppedRun(run, entry.at)
        elif action == UNREACHED:
            waiting.pop(str(entry.body["run"]), None)
        elif action in {STORED, RESUMED}:
            waiting.clear()
            is_incomplete = False
        elif action == INCOMPLETE:
            is_incomplete = True
    first = next(iter(waiting.values()), None)
    return None if first is None else replace(first, is_incomplete=is_incomplete)


NOT_SCORED = "nothing is scored"
_LOOK_SECONDS = 1.0
"""Between two looks whether the node was paused."""


class RunRecord:
    """How a run that is going on ends: as stopped, unless it says otherwise."""

    def __init__(self, state: Path | None = None) -> None:
        """Begins.

        Args:
            state: The node's state file, which says whether the node is paused; None: it is not.
        """
        self.action = STOPPED
        self._state = state
        self._looked_at = 0.0

    def go_on(self) -> None:
        """Called between the stages of a run.

        Raises:
            Problem: Exit code REFUSED, if the node was paused meanwhile: the run ends here.
        """
        now = time.monotonic()
        if self._state is None or now - self._looked_at < _LOOK_SECONDS:
            return
        self._looked_at = now
        pause = paused_in(self._state)
        if pause is not None:
            raise not_done(pause, NOT_SCORED)

    def stored(self, *, whole: bool) -> None:
        """The scores are stored.

        Args:
            whole: Whether no plugin failed, so that rounds may count them.
        """
        self.action = STORED if whole else INCOMPLETE


@contextmanager
def recorded_run(
    state: Path, by: Operator | str, clock: Clock = system_clock
) -> Iterator[RunRecord]:
    """Records that a run begins, before it does, and how it ends.

    Args:
        state: The node's state file. Without one there are no rounds, and nothing is recorded.
        by: Who begins it: an account, or `serve`.
        clock: Gives the time.

    Yields:
        What is told that scores were stored; a run of which nobody says so was stopped.

    Raises:
        Problem: Exit code REFUSED, if the node is paused: no run begins.
    """
    if not state.is_file():
        yield RunRecord()
        return
    record, run = RunRecord(state), secrets.token_hex(8)

    def note(action: str) -> None:
        with StateDatabase(state) as database, database.transaction() as connection:
            audit = database.chain("audit")
            pause = pause_of(audit.last(ACTIONS_OF_PAUSES)) if action == BEGUN else None
            if pause is not None:
                raise not_done(pause, NOT_SCORED)
            body = {"action": action, "run": run, **body_of_account(by)}
            audit.append(connection, clock(), body)

    note(BEGUN)
    try:
        yield record
    except BaseException as error:
        with suppress(Problem):  # that it began is written, and stands for a stop as well
            note(UNREACHED if _has_read_nothing(error) else STOPPED)
        raise
    note(record.action)


def _has_read_nothing(error: BaseException) -> bool:
    """Whether a run ended at a source that cannot be reached.

    A disk that is full, or a limit of open files, also passes; but how much a run writes depends
    on the records, so that one of them may have stopped it.
    """
    return (
        isinstance(error, Problem)
        and error.exit_code is ExitCode.UNREACHABLE
        and not isinstance(error, UnusableFile)
    )
