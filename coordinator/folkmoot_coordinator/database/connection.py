"""The coordinator's database: its schema, versions of its tables, and damage to its file."""

from __future__ import annotations

from sqlalchemy import URL

from folkmoot_coordinator.database.schema import REGION, Schema
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.sql_database import LATER, Fault, SqlDatabase
from folkmoot_operator.sqlite_faults import DamagedDatabase, UnusableDatabase
from folkmoot_operator.unusable_files import unusable_as

BUSY_SECONDS = 30
"""How long a writer waits for another to finish, in seconds."""
TABLES_VERSION = REGION.tables.newest
"""Version of a region's tables that this program expects: the newest under `migrations`."""
_CONNECTIONS = 600  # more than there can be workers, so that none waits for a connection


class Database(SqlDatabase):
    """State that survives a restart, in SQLite or PostgreSQL."""

    def __init__(self, url: str | URL, schema: Schema = REGION, *, read_only: bool = False) -> None:
        """Prepares connections to `url`; nothing is opened yet, and no file is made.

        Args:
            url: Where the database is.
            schema: What is in it.
            read_only: True if the database itself is to refuse whatever this process writes.

        Raises:
            Problem: Exit code SETTINGS, if the URL is wrong or its driver is not installed.
        """
        super().__init__(
            url,
            what=schema.what,
            damaged=schema.damaged,
            setting=schema.setting,
            distribution="folkmoot-coordinator",
            busy_seconds=BUSY_SECONDS,
            max_overflow=_CONNECTIONS,
            read_only=read_only,
        )
        self._schema = schema
        self._damage: DamagedDatabase | None = None

    def _problem(self, error: Fault) -> Problem | None:
        problem = super()._problem(error)
        if isinstance(problem, DamagedDatabase):
            self._damage = problem
        return problem

    def _unavailable(self, error: BaseException | None) -> Problem:
        return Problem(
            f"the database cannot be used now ({error})",
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

    def create(self) -> None:
        """Makes the tables of a new region, and the file where they are in one.

        Raises:
            Problem: If there are tables already.
        """
        self._make_file()
        if self.version() is not None:
            raise Problem(
                f"{self._what} is here already",
                where=self.address,
                remedy="Name another database; nothing in it was changed",
                exit_code=ExitCode.SETTINGS,
            )
        self._migrate(self._schema.tables)

    def upgrade(self) -> None:
        """Brings the tables to the version this program expects.

        Raises:
            Problem: If there are none, or they have a version this program does not know.
        """
        self.require_tables()
        self._migrate(self._schema.tables)

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
            raise unusable_as(UnusableDatabase, error, path, self._what) from None
        if lost or self.version() is None:
            raise Problem(
                f"{self._what} is missing or empty",
                where=str(path or self.address),
                remedy=self._schema.lost,
                exit_code=ExitCode.SETTINGS,
            )

    def version(self) -> str | None:
        """Version of the tables; None if there are none."""
        with self.connection(writes=False) as connection:
            return self._schema.tables.version(connection)

    def bring_up_to_date(self) -> None:
        """Upgrades tables that an earlier version of this program made.

        A database that was opened for reading is left as it is. One that is made when it is
        missing is made.

        Raises:
            Problem: If there are none, or a later version made them.
        """
        if self._schema.is_made_when_missing and not self.is_read_only:
            self._make_file()
            if self.version() != self._schema.tables.newest:
                self._migrate(self._schema.tables)
            return
        self.require_tables()
        if self.is_read_only or self.version() in (None, self._schema.tables.newest):
            self.require_current()
        else:
            self.upgrade()

    def require_current(self) -> None:
        """Raises Problem unless the tables have the version this program expects."""
        found, wanted = self.version(), self._schema.tables.newest
        if found != wanted:
            raise Problem(
                f"the tables have version {found or 'none'}; this program needs {wanted}",
                where=self.address,
                remedy=remedy_for(found, wanted),
                exit_code=ExitCode.SETTINGS,
            )


def remedy_for(found: str | None, wanted: str = TABLES_VERSION) -> str:
    """What helps with tables of another version than the one expected; None for no tables."""
    if found is not None and found > wanted:
        return LATER
    return "Start `folkmoot-coordinator serve`: it upgrades the tables"
