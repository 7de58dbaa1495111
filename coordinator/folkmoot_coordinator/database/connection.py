"""The coordinator's database: connections, transactions, schema version."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Connection,
    Engine,
    create_engine,
    event,
    func,
    inspect,
    make_url,
    select,
    text,
)
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    DisconnectionError,
    IntegrityError,
    InterfaceError,
    NoSuchModuleError,
    ProgrammingError,
)
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from folkmoot_coordinator.database.schema import REGION, Schema
from folkmoot_operator.network_addresses import MAX_PORT
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.sqlite_faults import DamagedDatabase, DatabaseFile, UnusableDatabase
from folkmoot_operator.unusable_files import unusable_as

BUSY_SECONDS = 30
"""How long a writer waits for another to finish, in seconds."""
TABLES_VERSION = REGION.version
"""Version of a region's tables that this program expects: the newest under `migrations`."""
LATER = (
    "Install the later version of folkmoot-coordinator that made them, or restore the backup made "
    "before it"
)
"""What helps with tables that a later version made."""
_CONNECTIONS = 600  # more than there can be workers, so that none waits for a connection
_MIGRATING = 7_291_004_661  # what processes that make tables of PostgreSQL lock: any number
_WRITES = "folkmoot_writes"
_OPENED = "folkmoot_opened_file"
_IN_MEMORY = (None, "", ":memory:")
_OF_THE_PROGRAM = (sqlite3.IntegrityError, sqlite3.ProgrammingError, sqlite3.InterfaceError)
_OF_THE_PROGRAM_BY_SQLALCHEMY = (IntegrityError, ProgrammingError, InterfaceError)


class Database:
    """State that survives a restart, in SQLite or PostgreSQL."""

    def __init__(self, url: str | URL, schema: Schema = REGION, *, read_only: bool = False) -> None:
        """Prepares connections to `url`; nothing is opened yet, and no file is made.

        Args:
            url: Where the database is.
            schema: What is in it.
            read_only: True if the database itself is to refuse whatever this process writes.

        Raises:
            Problem: If the URL is wrong or its driver is not installed.
        """
        self._schema = schema
        self.is_read_only = read_only
        self._file: DatabaseFile | None = None
        self._damage: DamagedDatabase | None = None
        options: dict[str, Any] = {}
        try:
            parsed = make_url(url)
            if parsed.get_backend_name() == "sqlite" and parsed.database not in _IN_MEMORY:
                path = Path(parsed.database or "").absolute()
                self._file = DatabaseFile(path, schema.what, schema.damaged, BUSY_SECONDS)
                options["creator"] = self._open
            elif read_only:
                options["execution_options"] = {"postgresql_readonly": True}
            self._engine = create_engine(
                parsed, pool_pre_ping=True, max_overflow=_CONNECTIONS, **options
            )
        except (ArgumentError, NoSuchModuleError, ImportError, TypeError) as error:
            raise Problem(
                f"the database URL cannot be used ({error})",
                where=schema.setting,
                remedy="Write sqlite:///path or postgresql+psycopg://user@host/name, and "
                "install the driver (`pip install folkmoot-coordinator[postgresql]`)",
                exit_code=ExitCode.SETTINGS,
            ) from None
        port = self._engine.url.port
        if port is not None and not 0 < port <= MAX_PORT:
            raise Problem(
                f"the database URL cannot be used (a port is from 1 to {MAX_PORT})",
                where=schema.setting,
                remedy="Correct the port",
                exit_code=ExitCode.SETTINGS,
            )
        if self._engine.dialect.name == "sqlite":
            _manage_sqlite(self._engine, read_only=read_only)
        if self._file is not None:
            _watch_file(self._engine, self._file)

    def _open(self) -> sqlite3.Connection:
        """A connection to a file that is there: SQLite would make one that is missing.

        As a URI, so that every character of a path stands for itself.
        """
        assert self._file is not None
        uri = f"{self._file.path.as_uri()}?mode={'ro' if self.is_read_only else 'rw'}"
        return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, check_same_thread=False)

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
        except (DBAPIError, sqlite3.Error, UnicodeDecodeError) as error:
            problem = self._problem(error)
            if problem is None:
                raise
            raise problem from error

    def _problem(self, error: DBAPIError | sqlite3.Error | UnicodeDecodeError) -> Problem | None:
        """What an error means; None if it is the program's own."""
        original = error.orig if isinstance(error, DBAPIError) else error
        if self._file is not None and isinstance(original, sqlite3.Error | UnicodeDecodeError):
            if isinstance(original, _OF_THE_PROGRAM):
                return None
            problem = self._file.problem(original)
            if isinstance(problem, DamagedDatabase):
                self._damage = problem
            return problem
        if isinstance(
            error, UnicodeDecodeError | IntegrityError | ProgrammingError | InterfaceError
        ):
            return None
        return Problem(
            f"the database cannot be used now ({original})",
            where=self.address,
            remedy="Check that it is running, that the disk has room, and the permissions; "
            "`folkmoot-coordinator doctor` looks at each",
            exit_code=ExitCode.UNREACHABLE,
        )

    @property
    def damage(self) -> DamagedDatabase | None:
        """How the database was found to contradict itself, by any thread; None if it was not."""
        return self._damage

    def check_pages(self) -> None:
        """Looks at each page of a SQLite file; other databases check their own.

        Raises:
            DamagedDatabase: If one is damaged.
        """
        if self._file is None:
            return
        try:
            with self.connection(writes=False) as connection:
                self._file.check_pages(
                    (str(row[0]),) for row in connection.exec_driver_sql("PRAGMA quick_check")
                )
        except DamagedDatabase as damage:
            self._damage = damage
            raise

    @property
    def address(self) -> str:
        """The URL, without a password."""
        return self._engine.url.render_as_string(hide_password=True)

    def create(self) -> None:
        """Makes the tables of a new region, and the file where they are in one.

        Raises:
            Problem: If there are tables already.
        """
        self._make_file()
        if self.version() is not None:
            raise Problem(
                f"{self._schema.what} is here already",
                where=self.address,
                remedy="Name another database; nothing in it was changed",
                exit_code=ExitCode.SETTINGS,
            )
        self._migrate()

    def _make_file(self) -> None:
        if self._file is not None:
            path = self._file.path
            try:
                self._file.make()
            except OSError as error:
                raise unusable_as(UnusableDatabase, error, path, self._schema.what) from None

    def upgrade(self) -> None:
        """Brings the tables to the version this program expects.

        Raises:
            Problem: If there are none, or they have a version this program does not know.
        """
        self.require_tables()
        self._migrate()

    def require_tables(self) -> None:
        """Checks that there is a region in the database.

        An empty one in its place would be a region without councils, which refuses every node
        that belongs to it.

        Raises:
            Problem: Exit code SETTINGS, if there is none.
        """
        path = None if self._file is None else self._file.path
        try:
            lost = path is not None and not path.stat().st_size
        except FileNotFoundError:
            lost = True
        except OSError as error:
            assert path is not None
            raise unusable_as(UnusableDatabase, error, path, self._schema.what) from None
        if lost or self.version() is None:
            raise Problem(
                f"{self._schema.what} is missing or empty",
                where=str(path or self.address),
                remedy=self._schema.lost,
                exit_code=ExitCode.SETTINGS,
            )

    def _migrate(self) -> None:
        from alembic import command
        from alembic.util import CommandError

        with self.connection(writes=True) as connection:
            if connection.dialect.name == "postgresql":
                connection.execute(select(func.pg_advisory_xact_lock(_MIGRATING)))
            configuration = _alembic_configuration(self._schema)
            configuration.attributes["connection"] = connection
            try:
                command.upgrade(configuration, "head")
            except CommandError:
                raise Problem(
                    "the tables were made by a later version of this program (it knows up to "
                    f"{self._schema.version})",
                    where=self.address,
                    remedy=LATER,
                    exit_code=ExitCode.SETTINGS,
                ) from None

    def version(self) -> str | None:
        """Version of the tables; None if there are none."""
        with self.connection(writes=False) as connection:
            table = self._schema.version_table
            if not inspect(connection).has_table(table):
                return None
            found = connection.execute(text(f"SELECT version_num FROM {table}"))  # noqa: S608
            return found.scalar_one_or_none()

    def bring_up_to_date(self) -> None:
        """Upgrades tables that an earlier version of this program made.

        A database that was opened for reading is left as it is. One that is made when it is
        missing is made.

        Raises:
            Problem: If there are none, or a later version made them.
        """
        if self._schema.is_made_when_missing and not self.is_read_only:
            self._make_file()
            if self.version() != self._schema.version:
                self._migrate()
            return
        self.require_tables()
        if self.is_read_only or self.version() in (None, self._schema.version):
            self.require_current()
        else:
            self.upgrade()

    def require_current(self) -> None:
        """Raises Problem unless the tables have the version this program expects."""
        found, wanted = self.version(), self._schema.version
        if found != wanted:
            raise Problem(
                f"the tables have version {found or 'none'}; this program needs {wanted}",
                where=self.address,
                remedy=remedy_for(found, wanted),
                exit_code=ExitCode.SETTINGS,
            )

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()


def remedy_for(found: str | None, wanted: str = TABLES_VERSION) -> str:
    """What helps with tables of another version than the one expected; None for no tables."""
    if found is not None and found > wanted:
        return LATER
    return "Start `folkmoot-coordinator serve`: it upgrades the tables"


def _alembic_configuration(schema: Schema = REGION) -> Any:
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(schema.migrations).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    return configuration


def _manage_sqlite(engine: Engine, *, read_only: bool) -> None:
    """Makes SQLite durable, and writers wait for each other instead of failing.

    The driver would begin a transaction at the first write, and two that have read
    before could then not both go on. So the driver leaves transactions alone, and a
    transaction that will write says so when it begins.
    """

    @event.listens_for(engine, "connect")
    def _connected(driver: sqlite3.Connection, _record: object) -> None:
        driver.isolation_level = None
        driver.execute(f"PRAGMA busy_timeout = {BUSY_SECONDS * 1000}")
        if read_only:
            driver.execute("PRAGMA query_only = ON")
        else:
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
