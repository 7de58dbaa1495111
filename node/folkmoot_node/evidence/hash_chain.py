"""Hash-chained logs: entries that cannot be changed or dropped unnoticed.

Each entry's digest covers its number, time, body and the digest of the entry before.
A change or a gap anywhere breaks the chain from there on. Dropping the newest entries
leaves a valid shorter chain; who keeps a later digest (a receipt, a printed statement)
can tell.
"""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from folkmoot_node.evidence.database import StateDatabase
from folkmoot_operator.problems import ExitCode, Problem

_DIGEST = re.compile(r"[0-9a-f]{64}")
GENESIS = bytes(32)
"""Digest before the first entry."""


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
        if not length.isdecimal() or not _DIGEST.fullmatch(digest):
            raise Problem(
                f"{text[:80]!r} is not the head of a log",
                remedy="Give length and digest as they are printed: 12:9f86d0... (64 digits)",
                exit_code=ExitCode.USAGE,
            )
        return cls(int(length), bytes.fromhex(digest))


def _digest(sequence: int, at: int, body: str, previous: bytes) -> bytes:
    content = f"{sequence}\n{at}\n{body}\n".encode()
    return hashlib.sha256(previous + content).digest()


class HashChain:
    """One hash-chained log of the state file."""

    def __init__(self, state: StateDatabase, name: str) -> None:
        self._state = state
        self._name = name

    def append(self, connection: sqlite3.Connection, at: int, body: Mapping[str, Any]) -> Entry:
        """Adds an entry inside the caller's transaction."""
        row = connection.execute(
            f"SELECT sequence, digest FROM {self._name} ORDER BY sequence DESC LIMIT 1"  # noqa: S608
        ).fetchone()
        sequence, previous = (row[0] + 1, row[1]) if row else (1, GENESIS)
        text = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        digest = _digest(sequence, at, text, previous)
        connection.execute(
            f"INSERT INTO {self._name} VALUES (?, ?, ?, ?, ?)",  # noqa: S608
            (sequence, at, text, previous, digest),
        )
        return Entry(sequence, at, dict(body), previous, digest)

    def entries(self) -> Iterator[Entry]:
        """All entries, oldest first."""
        rows = self._state.reader.execute(
            f"SELECT sequence, at, body, previous, digest FROM {self._name} ORDER BY sequence"  # noqa: S608
        )
        for sequence, at, body, previous, digest in rows:
            yield Entry(sequence, at, json.loads(body), previous, digest)

    def head(self) -> Head:
        """Where the log ends now; nothing is recomputed."""
        row = self._state.reader.execute(
            f"SELECT sequence, digest FROM {self._name} ORDER BY sequence DESC LIMIT 1"  # noqa: S608
        ).fetchone()
        return Head(*row) if row else Head(0, GENESIS)

    def require(self, noted: Head) -> None:
        """Checks that the log still goes on from a head that was noted earlier.

        Raises:
            Problem: Exit code VERIFICATION, if entries are missing or others.
        """
        row = self._state.reader.execute(
            f"SELECT digest FROM {self._name} WHERE sequence = ?",  # noqa: S608
            (noted.length,),
        ).fetchone()
        if (row[0] if row else GENESIS if noted.length == 0 else None) == noted.digest:
            return
        here = self.head()
        raise Problem(
            f"{self._name} had the head {noted} once, which is not in it now "
            f"({here.length} entries): it is an older copy, or another log",
            where=str(self._state.path),
            remedy="Stop releasing. Put the newest copy of the node's files back, or see "
            "`folkmoot-node ledger recover`",
            exit_code=ExitCode.VERIFICATION,
        )

    def verify(self) -> Head:
        """Recomputes the whole chain.

        Raises:
            Problem: Exit code VERIFICATION, naming the first entry that does not fit.
        """
        previous, expected = GENESIS, 1
        rows = self._state.reader.execute(
            f"SELECT sequence, at, body, previous, digest FROM {self._name} ORDER BY sequence"  # noqa: S608
        )
        for sequence, at, body, stored_previous, digest in rows:
            if (
                sequence != expected
                or stored_previous != previous
                or digest != _digest(sequence, at, body, previous)
            ):
                raise Problem(
                    f"{self._name} entry {expected} does not fit the chain: it was changed, "
                    "dropped or put in after the fact",
                    where=str(self._state.path),
                    remedy="Stop releasing. Compare with a backup and with the receipts, "
                    "and find out who could write to this file",
                    exit_code=ExitCode.VERIFICATION,
                )
            previous, expected = digest, expected + 1
        return Head(expected - 1, previous)
