"""Hash-chained logs in SQLite: entries that cannot be changed or dropped unnoticed.

A log is a table of a program's own database. The table forbids changes; the chain shows
those that were made all the same. Each entry's digest covers its number, time, body and the
digest of the entry before. A change or a gap anywhere breaks the chain from there on. Dropping
the newest entries leaves a valid shorter chain, which somebody who kept a later digest (a
receipt, a printed statement) recognises.

Old entries may be pruned. An entry of the log then says which, and the digest of the last of each
run of them, so that the chain can be followed over the gaps.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from folkmoot_operator.problems import ExitCode, Problem

_DIGEST = re.compile(r"[0-9a-f]{64}")
_LENGTH = re.compile(r"[0-9]{1,18}")
_NAME = re.compile(r"[a-z][a-z_]*")
GENESIS = bytes(32)
"""Digest before the first entry."""
PRUNED = "pruned"
"""`action` of an entry that says which older ones were pruned."""

_TABLE = (
    """\
CREATE TABLE {name} (
    sequence INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    body TEXT NOT NULL,
    previous BLOB NOT NULL,
    digest BLOB NOT NULL UNIQUE
) STRICT""",
    """\
CREATE TRIGGER {name}_keeps BEFORE UPDATE ON {name}
BEGIN SELECT RAISE(ABORT, '{name} entries are never changed'); END""",
    """\
CREATE TRIGGER {name}_stays BEFORE DELETE ON {name}
BEGIN SELECT RAISE(ABORT, '{name} entries are never deleted'); END""",
)
_STAYS = _TABLE[-1]


class ChainDatabase(Protocol):
    """The database that a log is in; its program opens it and says what a transaction is."""

    @property
    def path(self) -> Path:
        """The file, for messages."""

    @property
    def reader(self) -> sqlite3.Connection:
        """A connection for reading outside a transaction."""


@dataclass(frozen=True, slots=True)
class Remedies:
    """What an operator can do about a log that is not what it was.

    Attributes:
        changed: If an entry does not fit the one before.
        older: If a head that was noted earlier is missing.
    """

    changed: str
    older: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a hash-chained log.

    Attributes:
        sequence: From 1, without gap.
        at: Seconds since 1970-01-01T00:00:00Z.
        body: What is recorded.
        previous: Digest of the entry before, 32 bytes.
        digest: SHA-256 of this entry, 32 bytes.
    """

    sequence: int
    at: int
    body: Mapping[str, Any]
    previous: bytes
    digest: bytes


@dataclass(frozen=True, slots=True)
class Head:
    """Where a log ends: its length and the digest of its last entry."""

    length: int
    digest: bytes

    def __str__(self) -> str:
        return f"{self.length}:{self.digest.hex()}"

    @classmethod
    def parse(cls, text: str) -> Head:
        """Reads a head as it is printed.

        Raises:
            Problem: Exit code USAGE, if it is none.
        """
        length, _, digest = text.strip().partition(":")
        if not _LENGTH.fullmatch(length) or not _DIGEST.fullmatch(digest):
            raise Problem(
                f"{text[:80]!r} is not the head of a log",
                remedy="Give length and digest as they are printed: 12:9f86d0... (64 digits)",
                exit_code=ExitCode.USAGE,
            )
        return cls(int(length), bytes.fromhex(digest))


def body_text(body: Mapping[str, Any]) -> str:
    """What an entry's digest covers of its body: JSON in one form only.

    Args:
        body: Texts, whole numbers, lists and tables of them, nulls.
    """
    return json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def entry_digest(sequence: int, at: int, body: str, previous: bytes) -> bytes:
    """The SHA-256 of an entry, 32 bytes.

    Args:
        sequence: Its number, from 1.
        at: Seconds since 1970-01-01T00:00:00Z.
        body: Its body, as `body_text` writes it.
        previous: Digest of the entry before, or `GENESIS`.
    """
    content = f"{sequence}\n{at}\n{body}\n".encode()
    return hashlib.sha256(previous + content).digest()


def create_chain(connection: sqlite3.Connection, name: str) -> None:
    """Makes the table of an empty log, inside the caller's transaction.

    Args:
        connection: The database.
        name: The table's name: lower-case letters and underscores.
    """
    for statement in _TABLE:
        connection.execute(statement.format(name=_checked(name)))


def pruned(noted: object, where: str) -> Problem:
    """The problem that a noted head lies in a part that was pruned, and cannot be compared.

    Args:
        noted: The head.
        where: The file.
    """
    return Problem(
        f"the head {noted} cannot be compared: the entries around it were pruned by rule",
        where=where,
        remedy="Compare a head that was noted later",
        exit_code=ExitCode.VERIFICATION,
    )


def _runs(sequences: Iterable[int]) -> Iterator[tuple[int, int]]:
    """First and last of each run of numbers without a gap."""
    first = last = None
    for sequence in sequences:
        if first is not None and last is not None and sequence != last + 1:
            yield first, last
            first = None
        first, last = sequence if first is None else first, sequence
    if first is not None and last is not None:
        yield first, last


def _checked(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of a table")
    return name


class HashChain:
    """One hash-chained log."""

    def __init__(self, database: ChainDatabase, name: str, remedies: Remedies) -> None:
        """Opens a log that `create_chain` has made.

        Args:
            database: Where it is.
            name: Its table.
            remedies: What messages advise.
        """
        self._database = database
        self._name = _checked(name)
        self._remedies = remedies

    def append(self, connection: sqlite3.Connection, at: int, body: Mapping[str, Any]) -> Entry:
        """Adds an entry inside the caller's transaction, which excludes other writers.

        Args:
            connection: The connection of the transaction.
            at: Seconds since 1970-01-01T00:00:00Z.
            body: What is recorded: texts, whole numbers, lists and tables of them, nulls.
        """
        row = connection.execute(
            f"SELECT sequence, digest FROM {self._name} ORDER BY sequence DESC LIMIT 1"  # noqa: S608
        ).fetchone()
        sequence, previous = (row[0] + 1, row[1]) if row else (1, GENESIS)
        text = body_text(body)
        digest = entry_digest(sequence, at, text, previous)
        connection.execute(
            f"INSERT INTO {self._name} VALUES (?, ?, ?, ?, ?)",  # noqa: S608
            (sequence, at, text, previous, digest),
        )
        return Entry(sequence, at, dict(body), previous, digest)

    def prune(
        self, connection: sqlite3.Connection, at: int, sequences: Iterable[int], rule: str
    ) -> Entry:
        """Deletes entries inside the caller's transaction, and adds one that says which.

        Args:
            connection: The connection of the transaction, which excludes other writers.
            at: Seconds since 1970-01-01T00:00:00Z.
            sequences: Numbers of the entries, ascending; the newest entry is not among them.
            rule: By which rule, for people.
        """
        gaps: list[tuple[int, int, str]] = []
        for first, last in _runs(sequences):
            (digest,) = connection.execute(
                f"SELECT digest FROM {self._name} WHERE sequence = ?",  # noqa: S608
                (last,),
            ).fetchone()
            gaps.append((first, last, digest.hex()))
        connection.execute(f"DROP TRIGGER {self._name}_stays")
        connection.executemany(
            f"DELETE FROM {self._name} WHERE sequence BETWEEN ? AND ?",  # noqa: S608
            [(first, last) for first, last, _ in gaps],
        )
        connection.execute(_STAYS.format(name=self._name))
        return self.append(connection, at, {"action": PRUNED, "rule": rule, "gaps": gaps})

    def _gaps(self) -> dict[int, tuple[int, bytes]]:
        """Last number and digest of each run of pruned entries, by its first number."""
        try:
            return {
                first: (last, bytes.fromhex(digest))
                for entry in self.entries((PRUNED,))
                for first, last, digest in entry.body["gaps"]
                if first <= last
            }
        except (sqlite3.OperationalError, KeyError, TypeError, ValueError):
            return {}  # an entry was changed: what follows the gap does not fit then

    def entries(self, actions: Collection[str] = ()) -> Iterator[Entry]:
        """Entries, oldest first.

        Args:
            actions: Only those whose `action` is one of these; all if empty.
        """
        chosen = f"WHERE json_extract(body, '$.action') IN ({', '.join('?' * len(actions))})"
        rows = self._database.reader.execute(
            f"SELECT sequence, at, body, previous, digest FROM {self._name} "  # noqa: S608
            f"{chosen if actions else ''} ORDER BY sequence",
            tuple(actions),
        )
        for sequence, at, body, previous, digest in rows:
            yield Entry(sequence, at, json.loads(body), previous, digest)

    def last(self, actions: Collection[str]) -> Entry | None:
        """The newest entry whose `action` is one of these; None if there is none."""
        row = self._database.reader.execute(
            f"SELECT sequence, at, body, previous, digest FROM {self._name} "  # noqa: S608
            f"WHERE json_extract(body, '$.action') IN ({', '.join('?' * len(actions))}) "
            "ORDER BY sequence DESC LIMIT 1",
            tuple(actions),
        ).fetchone()
        return None if row is None else Entry(row[0], row[1], json.loads(row[2]), *row[3:])

    def head(self) -> Head:
        """Where the log ends now; nothing is recomputed."""
        row = self._database.reader.execute(
            f"SELECT sequence, digest FROM {self._name} ORDER BY sequence DESC LIMIT 1"  # noqa: S608
        ).fetchone()
        return Head(*row) if row else Head(0, GENESIS)

    def head_at(self, length: int) -> Head | None:
        """Where the log ended when it had so many entries; None if that is not known now: it
        has fewer, or the entry was pruned.
        """
        if length == 0:
            return Head(0, GENESIS)
        row = self._database.reader.execute(
            f"SELECT digest FROM {self._name} WHERE sequence = ?",  # noqa: S608
            (length,),
        ).fetchone()
        if row:
            return Head(length, row[0])
        ends = dict(self._gaps().values())
        return Head(length, ends[length]) if length in ends else None

    def is_pruned(self, length: int) -> bool:
        """True if what the log said at that length was pruned, and its digest with it."""
        return any(first <= length < last for first, (last, _) in self._gaps().items())

    def holds(self, noted: Head) -> bool:
        """True if the log goes on from a head that was noted earlier."""
        return self.head_at(noted.length) == noted

    def require(self, noted: Head) -> None:
        """Checks that the log still goes on from a head that was noted earlier.

        Raises:
            Problem: Exit code VERIFICATION, if entries are missing or others.
        """
        if self.holds(noted):
            return
        if self.is_pruned(noted.length):
            raise pruned(noted, str(self._database.path))
        here = self.head()
        raise Problem(
            f"{self._name} had the head {noted} once, which is not in it now "
            f"({here.length} entries): it is an older copy, or another log",
            where=str(self._database.path),
            remedy=self._remedies.older,
            exit_code=ExitCode.VERIFICATION,
        )

    def verify(self) -> Head:
        """Recomputes the whole chain.

        Raises:
            Problem: Exit code VERIFICATION, naming the first entry that does not fit.
        """
        previous, expected = GENESIS, 1
        gaps: dict[int, tuple[int, bytes]] | None = None
        rows = self._database.reader.execute(
            f"SELECT sequence, at, body, previous, digest FROM {self._name} ORDER BY sequence"  # noqa: S608
        )
        for sequence, at, body, stored_previous, digest in rows:
            if sequence != expected and gaps is None:
                gaps = self._gaps()
            while sequence != expected and gaps and expected in gaps:
                last, previous = gaps[expected]
                expected = last + 1
            if (
                sequence != expected
                or stored_previous != previous
                or digest != entry_digest(sequence, at, body, previous)
            ):
                raise Problem(
                    f"{self._name} entry {expected} does not fit the chain: it was changed, "
                    "dropped or put in after the fact",
                    where=str(self._database.path),
                    remedy=self._remedies.changed,
                    exit_code=ExitCode.VERIFICATION,
                )
            previous, expected = digest, expected + 1
        return Head(expected - 1, previous)
