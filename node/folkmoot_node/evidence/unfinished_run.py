"""The scoring run that has not come to a good end: while there is one, rounds wait for a person.

A run that stops leaves the scores of the run before, and a single record can make a run stop.
Which scores a round counts would then be decided by a record. So whatever the policy says of
approval, a node answers no round from the beginning of a run until one ends well, or until a
person decides. A run that could not reach what it reads is as if it had not begun: records had
no part in that.

Nothing of this leaves the node. On the wire it is the silence of a round that waits for approval.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from folkmoot_node.evidence.database import Clock, StateDatabase, system_clock
from folkmoot_operator.problems import ExitCode, Problem


class UnfinishedRun:
    """What a node knows of runs that did not end well. Times: seconds since the epoch, UTC."""

    def __init__(self, state: StateDatabase) -> None:
        self._state = state

    @property
    def since(self) -> int | None:
        """Since when rounds wait; None if they do not. Approvals given before do not count."""
        latest: int | None
        (latest,) = self._state.reader.execute(
            "SELECT max(max(coalesce(begun_at, stopped_at), coalesce(stopped_at, begun_at))) "
            "FROM unfinished_run"
        ).fetchone()
        return latest

    @property
    def has_stopped(self) -> bool:
        """True if a run is known to have stopped; False if it may still be under way."""
        row = self._state.reader.execute(
            "SELECT 1 FROM unfinished_run WHERE begun_at IS NULL"
        ).fetchone()
        return row is not None

    def begin(self, now: int) -> None:
        """Notes that a run begins."""
        self._write(
            "INSERT INTO unfinished_run (one, begun_at) VALUES (1, ?) "
            "ON CONFLICT DO UPDATE SET begun_at = excluded.begun_at",
            now,
        )

    def stop(self, now: int) -> None:
        """Notes that the run stopped."""
        self._write(
            "INSERT INTO unfinished_run (one, stopped_at) VALUES (1, ?) "
            "ON CONFLICT DO UPDATE SET stopped_at = excluded.stopped_at, begun_at = NULL",
            now,
        )

    def forget_beginning(self) -> None:
        """Takes the beginning of the last run back; an earlier stop stays."""
        self._write("DELETE FROM unfinished_run WHERE stopped_at IS NULL")
        self._write("UPDATE unfinished_run SET begun_at = NULL")

    def settle(self) -> None:
        """A run has ended well, or a person has decided that rounds go on."""
        self._write("DELETE FROM unfinished_run")

    def _write(self, statement: str, *values: int) -> None:
        with self._state.transaction() as connection:
            connection.execute(statement, values)


@contextmanager
def noting_its_end(path: Path, clock: Clock = system_clock) -> Iterator[None]:
    """Notes how the run inside ends; killed, it counts as stopped.

    Args:
        path: The node's state file; it is opened for each note alone, not during the run.
        clock: Gives the time.
    """
    if not path.is_file():  # a folder that has no state knows no rounds
        yield
        return
    with StateDatabase(path) as state:
        UnfinishedRun(state).begin(clock())
    try:
        yield
    except BaseException as error:
        with StateDatabase(path) as state:
            if isinstance(error, Problem) and error.exit_code is ExitCode.UNREACHABLE:
                UnfinishedRun(state).forget_beginning()
            else:
                UnfinishedRun(state).stop(clock())
        raise
    with StateDatabase(path) as state:
        UnfinishedRun(state).settle()
