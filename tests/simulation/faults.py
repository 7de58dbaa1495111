"""What can go wrong, said once; the state machine draws from this list.

- The node's process or machine dies before any write of its state file, or just after any
  step of answering a round, and starts again from the bytes that had reached the disk.
- A second process of the same node does its work in the middle of the first one's.
- An answer is lost on the way there, or its receipt on the way back; it is broken off after
  any message, held back and delivered later in another order, or delivered twice. The
  receipt is altered, forged with the coordinator's own key, or of another answer. The answer
  is rejected, for any reason, though nothing is wrong with it.
- The list of rounds is old, reversed, repeated, empty or broken off.
- An old copy of the node's folder takes its place, and the operator recovers what was lost.
- The coordinator is down, is restarted, or lost its newest data to an old backup.
- A clock jumps, forward or back.
- The council signs another policy, changes the file without signing it, scores anew.
- The coordinator asks what it should not: see `questions.py`.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

from folkmoot.rejection import RejectionReason
from folkmoot_node.release.steps import AnswerStage

_WRITES = ("BEGIN", "INSERT", "UPDATE", "DELETE", "COMMIT")


class PowerCut(BaseException):
    """The node's process ends here and now."""


@dataclass(frozen=True)
class Crash:
    """Where the node dies; not at all if it never gets there.

    Attributes:
        write: Before which statement that writes, from 1; 0 for none.
        step: After which step, or None.
    """

    write: int = 0
    step: AnswerStage | None = None


NO_CRASH = Crash()


class AnswerFault(Enum):
    """What happens to an answer, or to its receipt, between node and coordinator."""

    NONE = "delivered"
    LOST = "arrives nowhere"
    TORN = "the connection ends after some messages"
    CUT = "the coordinator gets some messages, as if they were all"
    CANCELLED = "the coordinator gets some messages, then the call is cancelled"
    HELD = "arrives later"
    UNANSWERED = "arrives; the receipt is lost"
    DOUBLED = "arrives twice"
    ALTERED_RECEIPT = "the receipt does not have its signature"
    FORGED_RECEIPT = "the receipt is for other bytes, and signed by the coordinator"
    OTHER_RECEIPT = "the receipt is of an earlier answer"
    GARBLED = "the response is no message"
    REJECTED = "the coordinator claims not to accept it"


@dataclass(frozen=True)
class Mishap:
    """A fault of one answer's delivery.

    Attributes:
        fault: What happens.
        after: After how many messages, where that matters.
        reason: With which reason, if it is rejected.
    """

    fault: AnswerFault
    after: int = 1
    reason: RejectionReason = RejectionReason.MALFORMED


class ListingFault(Enum):
    """What happens to the list of rounds."""

    NONE = "as the coordinator gives it"
    STALE = "an earlier one"
    REVERSED = "newest first"
    REPEATED = "each round twice"
    EMPTY = "no rounds"
    BROKEN_OFF = "the call fails after the first round"


@dataclass(frozen=True)
class Weather:
    """What the network does during one visit.

    Attributes:
        mishaps: One for each answer sent, in order; later answers are delivered.
        listing: What happens to the list of rounds.
        outage: True if every call fails.
    """

    mishaps: tuple[Mishap, ...] = ()
    listing: ListingFault = ListingFault.NONE
    outage: bool = False


FAIR_WEATHER = Weather()


class DyingConnection:
    """The connection of a node's state file, in a process that is about to die.

    At the chosen point the file and its write-ahead log are kept as they are on disk, and
    nothing that this process does afterwards counts: no rollback, no checkpoint.
    """

    def __init__(self, connection: Any, path: Path, crash: Crash) -> None:
        self._connection = connection
        self._path = path
        self._crash = crash
        self._writes = 0
        self._remains: dict[Path, bytes] | None = None

    def execute(self, statement: str, *arguments: Any) -> sqlite3.Cursor:
        self._count(statement)
        return self._connection.execute(statement, *arguments)

    def executemany(self, statement: str, rows: Iterable[Any]) -> sqlite3.Cursor:
        self._count(statement)
        return self._connection.executemany(statement, rows)

    def check_pages(self) -> None:
        self._connection.check_pages()

    @property
    def in_transaction(self) -> bool:
        return bool(self._connection.in_transaction)

    def _count(self, statement: str) -> None:
        if self._remains is not None:
            raise PowerCut
        if statement.lstrip().startswith(_WRITES):
            self._writes += 1
            if self._writes == self._crash.write:
                self.die()

    def reached(self, step: AnswerStage) -> None:
        if step is self._crash.step:
            self.die()

    def die(self) -> None:
        log = self._path.with_name(self._path.name + "-wal")
        self._remains = {path: path.read_bytes() for path in (self._path, log) if path.exists()}
        raise PowerCut

    def close(self) -> None:
        self._connection.close()

    def leave_remains(self) -> None:
        """Puts back what was on disk at the moment of death."""
        assert self._remains is not None
        for suffix in ("", "-wal", "-shm"):
            self._path.with_name(self._path.name + suffix).unlink(missing_ok=True)
        for path, content in self._remains.items():
            path.write_bytes(content)
            path.chmod(0o600)


Meanwhile = Callable[[AnswerStage], None]
"""Told of each step of a visit; another process may then do its work."""
