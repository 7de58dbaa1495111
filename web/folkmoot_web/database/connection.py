"""Connections to a site's database, transactions, versions of its tables."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
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

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.sqlite_faults import DatabaseFile, UnusableDatabase
from folkmoot_operator.unusable_files import unusable_as
from folkmoot_web.database.migrating import KIT, Tables

BUSY_SECONDS = 10
"""How long a writer waits for another, and a request for a free connection, in seconds."""
_WRITES = "folkmoot_writes"
_OPENED = "folkmoot_opened_file"
_WHAT = "the site's database"
_RESTORE = "Stop the site, keep a copy of the file, and restore the newest backup"
_OF_THE_PROGRAM = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError)


class Database:
    """State that survives a restart, in SQLite or PostgreSQL."""

    def __init__(self, url: str | URL, products: Sequence[Tables] = ()) -> None:
        """Prepares connections; nothing is opened yet.

        Args:
            url: SQLAlchemy URL; of a file for SQLite.
            products: Tables of the product in the same database, besides the kit's.

        Raises:
            Problem: Exit code SETTINGS, if the URL is wrong or its driver is not installed.
        """
        self._tables = (KIT, *products)
        self._file: DatabaseFile | None = None
        options: dict[str, Any] = {}
        try:
            parsed = make_url(url)
            if parsed.get_backend_name() == "sqlite":
                path = Path(parsed.database or "").absolute()
                self._file = DatabaseFile(path, _WHAT, _RESTORE, BUSY_SECONDS)
                options["creator"] = self._open
            elif parsed.get_backend_name() == "postgresql":
                options["connect_args"] = {"connect_timeout": BUSY_SECONDS}
            self._engine = create_engine(
                parsed, pool_pre_ping=True, max_overflow=40, pool_timeout=BUSY_SECONDS, **options
            )
        except (ArgumentError, NoSuchModuleError, ImportError, TypeError, ValueError):
            raise Problem(
                "the database URL cannot be used",
                where="database.url",
                remedy="Write sqlite:///path or postgresql+psycopg://user@host/name, and install "
                "the driver (`pip install folkmoot-web[postgresql]`)",
                exit_code=ExitCode.SETTINGS,
            ) from None
        if self._engine.dialect.name == "sqlite":
            _manage_sqlite(self._engine)
        if self._file is not None:
            _watch_file(self._engine, self._file)

    def _open(self) -> sqlite3.Connection:
        """A connection to a file that is there: SQLite would make one that is missing."""
        assert self._file is not None
        uri = f"{self._file.path.as_uri()}?mode=rw"
        return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)

    @property
    def address(self) -> str:
        """The URL, without a password."""
        return self._engine.url.render_as_string(hide_password=True)

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file."""
        return self._file is not None

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

        Raises:
            Problem: Exit code UNREACHABLE, if the database cannot be used now; VERIFICATION, if
                its file is damaged.
        """
        options: dict[str, Any] = {_WRITES: writes}
        if not writes and not self.is_sqlite:
            options["isolation_level"] = "REPEATABLE READ"  # one state for several queries
        try:
            with self._engine.connect() as connection:
                marked = connection.execution_options(**options)
                with marked.begin():
                    yield marked
        except (DBAPIError, sqlite3.Error, NoConnectionFree) as error:
            problem = self._problem(error)
            if problem is None:
                raise
            raise problem from None

    def _problem(self, error: DBAPIError | sqlite3.Error | NoConnectionFree) -> Problem | None:
        """What an error means; None if it is the program's own."""
        original = error.orig if isinstance(error, DBAPIError) else error
        if self._file is not None and isinstance(original, sqlite3.Error):
            return None if isinstance(original, _OF_THE_PROGRAM) else self._file.problem(original)
        if isinstance(error, IntegrityError | ProgrammingError | InterfaceError):
            return None
        # The text of the driver may quote what was being stored.
        kind = type(original).__name__
        return Problem(
            f"{_WHAT} cannot be used now ({kind})",
            where=self.address,
            remedy="Check that it is running, that its disk has room, and its permissions",
            exit_code=ExitCode.UNREACHABLE,
        )

    def prepare(self) -> None:
        """Makes the tables that are missing, and upgrades those of earlier versions.

        Raises:
            Problem: Exit code SETTINGS, if a later version of the program made them.
        """
        if self._file is not None:
            try:
                self._file.make()
            except OSError as error:
                raise unusable_as(UnusableDatabase, error, self._file.path, _WHAT) from None
        for tables in self._tables:
            self._migrate(tables)

    def _migrate(self, tables: Tables) -> None:
        from alembic import command  # only a program that starts migrates
        from alembic.util import CommandError

        with self.connection(writes=True) as connection:
            if tables.version(connection) == tables.newest:
                return
            try:
                command.upgrade(tables.configuration(connection), "head")
            except CommandError:
                raise Problem(
                    f"the tables ({tables.name}) were made by a later version of this program (it "
                    f"knows up to {tables.newest})",
                    where=self.address,
                    remedy="Install the later version, or restore the backup made before it",
                    exit_code=ExitCode.SETTINGS,
                ) from None

    def check(self) -> None:
        """Raises Problem unless the database answers."""
        with self.connection(writes=False) as connection:
            KIT.version(connection)

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()


def _manage_sqlite(engine: Engine) -> None:
    """Makes SQLite durable, and writers wait for each other instead of failing.

    The driver would begin a transaction at the first write, and two that have read before could
    then not both go on. So a transaction that will write says so when it begins.
    """

    @event.listens_for(engine, "connect")
    def _connected(driver: sqlite3.Connection, _record: object) -> None:
        driver.isolation_level = None
        driver.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        driver.execute("PRAGMA journal_mode = WAL")
        driver.execute("PRAGMA synchronous = FULL")
        driver.execute("PRAGMA foreign_keys = ON")

    @event.listens_for(engine, "begin")
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
