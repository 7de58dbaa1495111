"""The coordinator's database: connections, transactions, schema version."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError
from sqlalchemy.orm import Session

from folkmoot_operator.network_addresses import MAX_PORT
from folkmoot_operator.private_files import open_private
from folkmoot_operator.problems import ExitCode, Problem

BUSY_SECONDS = 30
"""How long a writer waits for another to finish, in seconds."""
TABLES_VERSION = "0007"
"""Version of the tables that this program expects: the newest under `migrations`."""
LATER = (
    "Install the later version of folkmoot-coordinator that made them, or restore the backup made "
    "before it"
)
"""What helps with tables that a later version made."""
_CONNECTIONS = 600  # more than there can be workers, so that none waits for a connection
_VERSION_TABLE = "alembic_version"
_MIGRATIONS = Path(__file__).parent / "migrations"
_WRITES = "folkmoot_writes"


class Database:
    """State that survives a restart, in SQLite or PostgreSQL."""

    def __init__(self, url: str) -> None:
        """Prepares connections to `url`; nothing is opened yet.

        Raises:
            Problem: If the URL is wrong or its driver is not installed.
        """
        try:
            self._engine = create_engine(url, pool_pre_ping=True, max_overflow=_CONNECTIONS)
        except (ArgumentError, NoSuchModuleError, ImportError, TypeError) as error:
            raise Problem(
                f"the database URL cannot be used ({error})",
                where="database.url",
                remedy="Write sqlite:///path or postgresql+psycopg://user@host/name, and "
                "install the driver (`pip install folkmoot-coordinator[postgresql]`)",
                exit_code=ExitCode.SETTINGS,
            ) from None
        port = self._engine.url.port
        if port is not None and not 0 < port <= MAX_PORT:
            raise Problem(
                f"the database URL cannot be used (a port is from 1 to {MAX_PORT})",
                where="database.url",
                remedy="Correct the port",
                exit_code=ExitCode.SETTINGS,
            )
        if self._engine.dialect.name == "sqlite":
            _manage_sqlite(self._engine)
            self._file: Path | None = Path(self._engine.url.database or "")
        else:
            self._file = None

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
        options: dict[str, Any] = {_WRITES: writes}
        if not writes and self._engine.dialect.name == "postgresql":
            options["isolation_level"] = "REPEATABLE READ"  # one state for several queries
        try:
            with self._engine.connect() as connection:
                marked = connection.execution_options(**options)
                with marked.begin():
                    yield marked
        except OperationalError as error:
            raise Problem(
                f"the database cannot be used now ({error.orig})",
                where=self.address,
                remedy="Check that it is running, that the disk has room, and the permissions; "
                "`folkmoot-coordinator doctor` looks at each",
                exit_code=ExitCode.UNREACHABLE,
            ) from error

    @property
    def address(self) -> str:
        """The URL, without a password."""
        return self._engine.url.render_as_string(hide_password=True)

    def upgrade(self) -> None:
        """Brings the tables to the version this program expects; makes them if missing.

        Raises:
            Problem: If the tables have a version this program does not know.
        """
        from alembic import command
        from alembic.util import CommandError

        if self._file is not None:
            open_private(self._file, append=True).close()
        with self.connection(writes=True) as connection:
            configuration = _alembic_configuration()
            configuration.attributes["connection"] = connection
            try:
                command.upgrade(configuration, "head")
            except CommandError:
                raise Problem(
                    "the tables were made by a later version of this program (it knows up to "
                    f"{TABLES_VERSION})",
                    where=self.address,
                    remedy=LATER,
                    exit_code=ExitCode.SETTINGS,
                ) from None

    def version(self) -> str | None:
        """Version of the tables; None if there are none."""
        with self.connection(writes=False) as connection:
            if not inspect(connection).has_table(_VERSION_TABLE):
                return None
            found = connection.execute(text(f"SELECT version_num FROM {_VERSION_TABLE}"))  # noqa: S608
            return found.scalar_one_or_none()

    def bring_up_to_date(self) -> None:
        """Upgrades tables that an earlier version of this program made.

        Raises:
            Problem: If there are none, or a later version made them.
        """
        if self.version() in (None, TABLES_VERSION):
            self.require_current()
        else:
            self.upgrade()

    def require_current(self) -> None:
        """Raises Problem unless the tables have the version this program expects."""
        found, wanted = self.version(), TABLES_VERSION
        if found != wanted:
            raise Problem(
                f"the tables have version {found or 'none'}; this program needs {wanted}",
                where=self.address,
                remedy=remedy_for(found),
                exit_code=ExitCode.SETTINGS,
            )

    def close(self) -> None:
        """Closes every connection."""
        self._engine.dispose()


def remedy_for(found: str | None) -> str:
    """What helps with tables of another version than the one expected; None for no tables."""
    if found is not None and found > TABLES_VERSION:
        return LATER
    return "Start `folkmoot-coordinator serve`: it upgrades the tables"


def _alembic_configuration() -> Any:
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    configuration.set_main_option("path_separator", "os")
    return configuration


def _manage_sqlite(engine: Engine) -> None:
    """Makes SQLite durable, and writers wait for each other instead of failing.

    The driver would begin a transaction at the first write, and two that have read
    before could then not both go on. So the driver leaves transactions alone, and a
    transaction that will write says so when it begins.
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
