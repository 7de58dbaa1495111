"""The node's durable state: one SQLite file for ledger, outbox, rounds and logs.

Write-ahead log with `synchronous=FULL`: a transaction that has committed survives a
crash of the process and of the machine.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, get_args

from folkmoot_operator.hash_chain import HashChain, Remedies, create_chain
from folkmoot_operator.private_files import open_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.sqlite_faults import DatabaseFile, UnusableDatabase
from folkmoot_operator.unusable_files import is_known, unusable_as

Clock = Callable[[], int]
"""Gives the time in seconds since 1970-01-01T00:00:00Z; injected so that tests can set it."""

SCHEMA_VERSION = 3
_BUSY_SECONDS = 30.0

Log = Literal["ledger", "egress", "audit"]
"""The node's hash-chained logs."""

_WHAT = "the node's state file"
_RESTORE = (
    "Stop releasing, and keep a copy of the file. Restore the newest backup; what has left since "
    "is found at the next visit (`folkmoot-node ledger recover`)"
)
_REMEDIES = Remedies(
    changed="Stop releasing. Compare with a backup and with the receipts, and find out who "
    "could write to this file",
    older="Stop releasing. Put the newest copy of the node's files back, or see "
    "`folkmoot-node ledger recover`",
)

_TABLES = """
CREATE UNIQUE INDEX ledger_debits_once ON ledger (json_extract(body, '$.round_id'))
    WHERE json_extract(body, '$.kind') = 'debit';
CREATE UNIQUE INDEX ledger_recovers_once
    ON ledger (json_extract(body, '$.round_id'), json_extract(body, '$.answer_digest'))
    WHERE json_extract(body, '$.kind') = 'recovered';

CREATE TABLE outbox (
    round_id TEXT PRIMARY KEY,
    round_digest BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('release', 'refusal')),
    reason INTEGER,
    answer_digest BLOB NOT NULL,
    frames BLOB NOT NULL,
    stored_at INTEGER NOT NULL,
    receipt BLOB,
    receipt_signature BLOB,
    closed TEXT
) STRICT;
CREATE TRIGGER outbox_keeps BEFORE UPDATE ON outbox
WHEN new.round_id IS NOT old.round_id OR new.round_digest IS NOT old.round_digest
    OR new.kind IS NOT old.kind OR new.answer_digest IS NOT old.answer_digest
    OR new.frames IS NOT old.frames OR (old.receipt IS NOT NULL
        AND new.receipt IS NOT old.receipt)
BEGIN SELECT RAISE(ABORT, 'an answer is never changed'); END;
CREATE TRIGGER outbox_stays BEFORE DELETE ON outbox
BEGIN SELECT RAISE(ABORT, 'an answer is never deleted'); END;

CREATE TABLE lost_answers (
    round_id TEXT NOT NULL,
    answer_digest BLOB NOT NULL,
    receipt BLOB NOT NULL,
    receipt_signature BLOB NOT NULL,
    found_at INTEGER NOT NULL,
    PRIMARY KEY (round_id, answer_digest)
) STRICT;
CREATE TRIGGER lost_answers_keep BEFORE UPDATE ON lost_answers
BEGIN SELECT RAISE(ABORT, 'a lost answer is never changed'); END;
CREATE TRIGGER lost_answers_stay BEFORE DELETE ON lost_answers
BEGIN SELECT RAISE(ABORT, 'a lost answer is never deleted'); END;
"""


# The signed bytes come last: SQLite reads a row from its beginning, and as far as is asked.
_ROUNDS = """
CREATE TABLE rounds (
    round_id TEXT PRIMARY KEY,
    round_digest BLOB NOT NULL,
    signature BLOB NOT NULL,
    first_seen INTEGER NOT NULL,
    decision TEXT CHECK (decision IN ('approved', 'declined')),
    decided_by TEXT,
    decided_at INTEGER,
    title TEXT NOT NULL,
    purpose TEXT NOT NULL,
    rho_nano INTEGER NOT NULL,
    deadline INTEGER NOT NULL,
    series_id TEXT,
    series_position INTEGER,
    series_length INTEGER,
    series_ends_at INTEGER,
    series_digest BLOB,
    serialised BLOB NOT NULL
) STRICT;
CREATE INDEX rounds_by_digest ON rounds (round_digest);
"""


# Messages that have left today, and how often after the entry of the egress log that each has.
_TODAY = """
CREATE TABLE IF NOT EXISTS egress_today (
    message BLOB PRIMARY KEY,
    entry INTEGER NOT NULL,
    day INTEGER NOT NULL,
    again INTEGER NOT NULL,
    last_at INTEGER NOT NULL
) STRICT;
"""


def system_clock() -> int:
    """The machine's clock, whole seconds since 1970-01-01T00:00:00Z."""
    return int(time.time())


_OF_SQLITE = (sqlite3.Error, UnicodeDecodeError)
"""What `sqlite3` raises; the latter where a message quotes a damaged name."""


class _Cursor(sqlite3.Cursor):
    """A cursor that words SQLite's errors for operators."""

    connection: _Connection

    def execute(self, sql: str, parameters: Any = (), /) -> _Cursor:
        try:
            super().execute(sql, parameters)
        except _OF_SQLITE as error:
            raise self.connection.worded(error) from error
        return self

    def fetchone(self) -> Any:
        try:
            return super().fetchone()
        except _OF_SQLITE as error:
            raise self.connection.worded(error) from error

    def fetchall(self) -> list[Any]:
        try:
            return super().fetchall()
        except _OF_SQLITE as error:
            raise self.connection.worded(error) from error

    def __next__(self) -> Any:
        try:
            return super().__next__()
        except _OF_SQLITE as error:
            raise self.connection.worded(error) from error


class _Connection(sqlite3.Connection):
    """A connection whose errors are problems, but for those of the program itself."""

    file: DatabaseFile

    def execute(self, sql: str, parameters: Any = (), /) -> _Cursor:
        return self.cursor(_Cursor).execute(sql, parameters)

    def worded(self, error: sqlite3.Error | UnicodeDecodeError) -> Exception:
        """What an error means; the error itself where it is not the file's."""
        if isinstance(error, sqlite3.IntegrityError):
            return self._broken_rule(error)
        if isinstance(error, sqlite3.ProgrammingError | sqlite3.InterfaceError):
            return error
        return self.file.problem(error)

    def check_pages(self) -> None:
        """Raises Problem, exit code VERIFICATION, if a page of the file is damaged."""
        self.file.check_pages(self.execute("PRAGMA quick_check"))

    def _broken_rule(self, error: sqlite3.IntegrityError) -> Exception:
        """A rule of the tables may be broken by the program, or by a damaged page."""
        try:
            self.check_pages()
        except Problem as problem:
            return problem
        return error


class StateDatabase:
    """The node's SQLite file. One instance belongs to one thread."""

    def __init__(self, path: Path, *, create: bool = False) -> None:
        """Opens the file.

        Raises:
            Problem: If the file is missing (and `create` is false), cannot be used now, is
                damaged, or written by a newer Folkmoot.
        """
        self.path = path
        self._file = DatabaseFile(path, _WHAT, _RESTORE, _BUSY_SECONDS)
        try:
            if create:
                open_private(path, append=True).close()  # SQLite makes its others like this one
            elif not path.stat().st_size:
                raise _missing(path, "is empty")
        except FileNotFoundError:
            raise _missing(path, "is missing") from None
        except OSError as error:
            if not is_known(error):
                raise
            raise unusable_as(UnusableDatabase, error, path, _WHAT) from None
        self._connection = self._open()
        try:
            self._prepare(path, create=create)
        except BaseException:
            self._connection.close()
            raise

    def _open(self) -> _Connection:
        # As a URI, since SQLite would make a file that has gone since it was looked for.
        try:
            opened = sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode=rw",
                uri=True,
                timeout=_BUSY_SECONDS,
                isolation_level=None,
                factory=_Connection,
            )
        except sqlite3.Error as error:
            raise self._file.problem(error) from error
        opened.file = self._file
        return opened

    def _prepare(self, path: Path, *, create: bool) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute("PRAGMA foreign_keys = ON")
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version == 0 and not create:
            raise _missing(path, "is empty")
        if version == 0:
            with self.transaction() as connection:
                _make_tables(connection)
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        elif version > SCHEMA_VERSION:
            raise Problem(
                f"the state file has version {version}; this program knows {SCHEMA_VERSION}",
                where=str(path),
                remedy="Upgrade folkmoot-node",
                exit_code=ExitCode.SETTINGS,
            )
        elif version < SCHEMA_VERSION:
            self._upgrade()

    def _upgrade(self) -> None:
        """Brings a file of an earlier version to this one, or leaves it as it was."""
        with self.transaction() as connection:
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version == 1:
                connection.execute("ALTER TABLE rounds RENAME TO rounds_before")
                _run_script(connection, _ROUNDS)
                # Late, with the decoder of rounds: scoring reads this file, and decodes none.
                from folkmoot_node.evidence.round_table import fill_from_version_1

                fill_from_version_1(connection)
                connection.execute("DROP TABLE rounds_before")
            if version < SCHEMA_VERSION:  # else another process was first
                _run_script(connection, _TODAY)
                connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A write transaction that excludes other writers from its beginning."""
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection
            self._connection.execute("COMMIT")
        except BaseException:
            if self._connection.in_transaction:  # SQLite may have ended it, such as on a full disk
                self._connection.execute("ROLLBACK")
            raise

    @property
    def reader(self) -> sqlite3.Connection:
        """The connection, for reading outside a transaction."""
        return self._connection

    def check_pages(self) -> None:
        """Looks at each page of the file, whether or not anything reads it.

        Raises:
            Problem: Exit code VERIFICATION, if one is damaged.
        """
        self._connection.check_pages()

    def damaged(self, how: str) -> Problem:
        """The problem that the file contradicts itself.

        Args:
            how: What was found.
        """
        return self._file.damage(how)

    def chain(self, name: Log) -> HashChain:
        """One of the hash-chained logs."""
        return HashChain(self, name, _REMEDIES)

    def missing_guards(self) -> frozenset[str]:
        """Names of triggers and indexes that are not as this program makes them."""
        with sqlite3.connect(":memory:", isolation_level=None) as made:
            _make_tables(made)
            wanted = _guards(made)
        found = _guards(self._connection)
        return frozenset(name for name, sql in wanted.items() if found.get(name) != sql)

    def close(self) -> None:
        """Closes the file."""
        self._connection.close()

    def __enter__(self) -> StateDatabase:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _missing(path: Path, what: str) -> Problem:
    return Problem(
        f"the node's state file {what}",
        where=str(path),
        remedy="Restore it from backup; do not start again from nothing, since the ledger of "
        "what was spent is in it. For a new node run `folkmoot-node init`",
        exit_code=ExitCode.SETTINGS,
    )


def _make_tables(connection: sqlite3.Connection) -> None:
    for name in get_args(Log):
        create_chain(connection, name)
    _run_script(connection, _TABLES + _ROUNDS + _TODAY)


def _guards(connection: sqlite3.Connection) -> dict[str, str]:
    """Triggers and indexes by name, as SQL."""
    rows = connection.execute(
        "SELECT name, sql FROM sqlite_master WHERE type IN ('trigger', 'index') AND sql IS NOT NULL"
    )
    return {name: " ".join(sql.split()) for name, sql in rows}


def _run_script(connection: sqlite3.Connection, script: str) -> None:
    """Runs several statements inside the open transaction (`executescript` commits)."""
    statement = ""
    for line in script.splitlines():
        statement += line + "\n"
        if sqlite3.complete_statement(statement):
            connection.execute(statement)
            statement = ""
