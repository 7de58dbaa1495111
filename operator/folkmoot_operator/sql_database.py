"""A server's database in SQLite or PostgreSQL: connections, transactions, migrations.

Needs the extra `database`: a node keeps its state without SQLAlchemy.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
    ProgrammingError,
)
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from folkmoot_operator.extras import how_to_install
from folkmoot_operator.network_addresses import MAX_PORT
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.sql_migrations import Tables
from folkmoot_operator.sqlcipher import Cipher
from folkmoot_operator.sqlite_faults import DatabaseFile, UnusableDatabase
from folkmoot_operator.unusable_files import unusable_as

LATER = "Install the later version that made them, or restore the backup made before it"
"""What helps with tables that a later version of a program made."""
_MIGRATING = 7_291_004_661  # what processes that make tables of PostgreSQL lock: any number
_WRITES = "folkmoot_writes"
_OPENED = "folkmoot_opened_file"
_OF_THE_PROGRAM = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
_OF_THE_PROGRAM_BY_SQLALCHEMY = (IntegrityError, ProgrammingError, InterfaceError)
Fault = DBAPIError | sqlite3.Error | NoConnectionFree | UnicodeDecodeError
"""What a driver, SQLAlchemy or its pool raises."""


class SqlDatabase(ABC):
    """State that survives a restart, in SQLite or PostgreSQL."""

    def __init__(
        self,
        url: str | URL,
        *,
        what: str,
        damaged: str,
        setting: str,
        distribution: str,
        busy_seconds: float,
        max_overflow: int,
        connect_seconds: int | None = None,
        read_only: bool = False,
        key: bytes | None = None,
    ) -> None:
        """Prepares connections to `url`; nothing is opened yet, and no file is made.

        Args:
            url: Where the database is.
            what: What it is for people: `the region's database`.
            damaged: What to do if its file is damaged.
            setting: Key of the settings file that names its URL.
            distribution: The one whose extra `postgresql` has the driver.
            busy_seconds: How long a writer waits for another, and anybody for a free connection.
            max_overflow: Connections beyond the five that are kept open.
            connect_seconds: How long to wait until PostgreSQL answers; None: as its driver does.
            read_only: True if the database itself is to refuse whatever this process writes.
            key: With which SQLCipher encrypts a file of SQLite, 32 bytes; None for a plain file.
                PostgreSQL takes none: its disk is encrypted by whoever runs it.

        Raises:
            Problem: Exit code SETTINGS, if the URL is wrong or its driver is not installed.
        """
        self.is_read_only = read_only
        self._cipher = None if key is None else Cipher(key)
        self._what = what
        self._busy_seconds = busy_seconds
        self._file: DatabaseFile | None = None
        options: dict[str, Any] = {}
        try:
            parsed = make_url(url)
            if parsed.get_backend_name() == "sqlite":
                path = Path(parsed.database or "").absolute()
                self._file = DatabaseFile(path, what, damaged, busy_seconds)
                options["creator"] = self._open
                if self._cipher is not None:
                    options["module"] = self._cipher.driver
            elif read_only:
                options["execution_options"] = {"postgresql_readonly": True}
            if parsed.get_backend_name() == "postgresql" and connect_seconds is not None:
                options["connect_args"] = {"connect_timeout": connect_seconds}
            self._engine = create_engine(
                parsed,
                pool_pre_ping=True,
                max_overflow=max_overflow,
                pool_timeout=busy_seconds,
                **options,
            )
        except (ArgumentError, ImportError, TypeError, ValueError) as error:
            # Only these two quote no part of the URL, and so no part of a password.
            said = f" ({error})" if isinstance(error, NoSuchModuleError | ImportError) else ""
            raise Problem(
                f"the database URL cannot be used{said}",
                where=setting,
                remedy="Write sqlite:///path or postgresql+psycopg://user@host/name, and "
                f"install the driver ({how_to_install(distribution, 'postgresql')})",
                exit_code=ExitCode.SETTINGS,
            ) from None
        port = parsed.port
        if port is not None and not 0 < port <= MAX_PORT:
            raise Problem(
                f"the database URL cannot be used (a port is from 1 to {MAX_PORT})",
                where=setting,
                remedy="Correct the port",
                exit_code=ExitCode.SETTINGS,
            )
        if self._file is not None:
            self._manage_sqlite()
            _watch_file(self._engine, self._file)

    def _open(self) -> sqlite3.Connection:
        """A connection to a file that is there: SQLite would make one that is missing.

        As a URI, so that every character of a path stands for itself.
        """
        assert self._file is not None
        uri = f"{self._file.path.as_uri()}?mode={'ro' if self.is_read_only else 'rw'}"
        connect = sqlite3.connect if self._cipher is None else self._cipher.connect
        return connect(uri, uri=True, timeout=self._busy_seconds, check_same_thread=False)

    @property
    def address(self) -> str:
        """The URL, without a password."""
        return self._engine.url.render_as_string(hide_password=True)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A transaction that only reads, and sees one consistent state."""
        with self._transaction(writes=False) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A transaction that writes: all of it is stored, or nothing."""
        with self._transaction(writes=True) as session:
            yield session

    @contextmanager
    def _transaction(self, *, writes: bool) -> Iterator[Session]:
        with (
            self.connection(writes=writes) as connection,
            Session(connection, expire_on_commit=False) as session,
        ):
            yield session
            session.flush()

    @contextmanager
    def connection(self, *, writes: bool) -> Iterator[Connection]:
        """A connection in a transaction, committed at the end unless something is raised.

        For statements that are executed for every call: a session costs several times as much
        as what it executes.

        Raises:
            Problem: Exit code UNREACHABLE, if the database cannot be used now; VERIFICATION, if
                its file is damaged.
        """
        if writes and self.is_read_only:
            raise PermissionError(f"{self.address} was opened for reading")
        options: dict[str, Any] = {_WRITES: writes}
        if not writes and self._engine.dialect.name == "postgresql":
            options["isolation_level"] = "REPEATABLE READ"  # one state for several queries
        try:
            with self._engine.connect() as connection:
                marked = connection.execution_options(**options)
                with marked.begin():
                    yield marked
        except (DBAPIError, sqlite3.Error, NoConnectionFree, UnicodeDecodeError) as error:
            problem = self._problem(error)
            if problem is None:
                raise
            raise problem from None  # the error may quote what was being stored
        except Exception as error:
            # The errors of SQLCipher's driver have no base in common with those of `sqlite3`.
            known = None if self._cipher is None else self._cipher.as_sqlite(error)
            problem = None if known is None else self._problem(known)
            if problem is None:
                raise
            raise problem from None

    def _problem(self, error: Fault) -> Problem | None:
        """What an error means; None if it is the program's own."""
        original = error.orig if isinstance(error, DBAPIError) else error
        if self._cipher is not None:
            original = self._cipher.as_sqlite(original) or original
        if self._file is not None and isinstance(original, sqlite3.Error | UnicodeDecodeError):
            return None if isinstance(original, _OF_THE_PROGRAM) else self._file.problem(original)
        if isinstance(error, (UnicodeDecodeError, *_OF_THE_PROGRAM_BY_SQLALCHEMY)):
            return None
        return self._unavailable(original)

    @abstractmethod
    def _unavailable(self, error: BaseException | None) -> Problem:
        """The problem of a server that does not answer, or has no connection free."""

    def _make_file(self) -> None:
        """Makes the file of SQLite, empty, unless it is there."""
        if self._file is not None:
            try:
                self._file.make()
            except OSError as error:
                raise unusable_as(UnusableDatabase, error, self._file.path, self._what) from None

    def _migrate(self, tables: Tables) -> None:
        """Makes tables, or brings them to the version this program expects.

        Raises:
            Problem: Exit code SETTINGS, if a later version of the program made them.
        """
        from alembic import command  # only a program that starts migrates
        from alembic.util import CommandError

        with self.connection(writes=True) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_MIGRATING)))
            if tables.version(connection) == tables.newest:
                return
            try:
                command.upgrade(tables.configuration(connection), "head")
            except CommandError:
                raise Problem(
                    f"the tables ({tables.name}) were made by a later version of this program (it "
                    f"knows up to {tables.newest})",
                    where=self.address,
                    remedy=LATER,
                    exit_code=ExitCode.SETTINGS,
                ) from None

    def forget_deleted(self) -> bool:
        """Empties the write-ahead log of SQLite, in which what was deleted still stands.

        Outside of any transaction. PostgreSQL does that by itself (`VACUUM`): nothing is done.

        Returns:
            Whether it is empty. It is not while somebody reads or writes; what was deleted is
            deleted all the same, and leaves the log at a later call.
        """
        if self._file is None or self.is_read_only:
            return self._file is None
        try:
            connection = self._engine.raw_connection()
            try:
                cursor = connection.cursor()
                cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                row = cursor.fetchone()
            finally:
                connection.close()
        except (DBAPIError, sqlite3.Error, NoConnectionFree):
            return False
        except Exception as error:
            if self._cipher is None or self._cipher.as_sqlite(error) is None:
                raise
            return False
        return row is not None and row[0] == 0

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()

    def _manage_sqlite(self) -> None:
        """Makes SQLite durable, and writers wait for each other instead of failing.

        The driver would begin a transaction at the first write, and two that have read
        before could then not both go on. So the driver leaves transactions alone, and a
        transaction that will write says so when it begins.
        """

        @event.listens_for(self._engine, "connect")
        def _connected(driver: sqlite3.Connection, _record: object) -> None:
            driver.isolation_level = None
            driver.execute(f"PRAGMA busy_timeout = {self._busy_seconds * 1000:.0f}")
            if self.is_read_only:
                driver.execute("PRAGMA query_only = ON")
            else:
                driver.execute("PRAGMA journal_mode = WAL")
                driver.execute("PRAGMA synchronous = FULL")
                # What is deleted would else stay in free pages, for whoever has the file.
                driver.execute("PRAGMA secure_delete = ON")
            driver.execute("PRAGMA foreign_keys = ON")

        @event.listens_for(self._engine, "begin")
        def _begun(connection: Connection) -> None:
            writes = connection.get_execution_options().get(_WRITES, True)
            connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _watch_file(engine: Engine, file: DatabaseFile) -> None:
    """Lets go of connections to a file that was moved or replaced; the next one opens the path."""

    @event.listens_for(engine, "connect")
    def _connected(_driver: sqlite3.Connection, record: ConnectionPoolEntry) -> None:
        record.info[_OPENED] = file.identity()

    @event.listens_for(engine, "checkout")
    def _checked_out(
        _driver: sqlite3.Connection, record: ConnectionPoolEntry, _proxy: object
    ) -> None:
        if record.info.get(_OPENED) != file.identity():
            raise DisconnectionError(f"{file.what} was moved or replaced")
