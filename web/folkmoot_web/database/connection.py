"""A site's database: the kit's tables, and those of the product beside them."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import URL

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.sql_database import SqlDatabase
from folkmoot_operator.sql_migrations import Tables
from folkmoot_web.database.models import KIT

BUSY_SECONDS = 10
"""How long a writer waits for another, and a request for a free connection, in seconds."""
_WHAT = "the site's database"


class Database(SqlDatabase):
    """State that survives a restart, in SQLite or PostgreSQL."""

    def __init__(
        self,
        url: str | URL,
        products: Sequence[Tables] = (),
        key: bytes | None = None,
        *,
        read_only: bool = False,
    ) -> None:
        """Prepares connections; nothing is opened yet.

        Args:
            url: SQLAlchemy URL; of a file for SQLite.
            products: Tables of the product in the same database, besides the kit's.
            key: With which a file of SQLite is encrypted, 32 bytes; None for a plain one.
            read_only: True if the database itself is to refuse whatever this process writes.

        Raises:
            Problem: Exit code SETTINGS, if the URL is wrong or its driver is not installed.
        """
        super().__init__(
            url,
            what=_WHAT,
            damaged="Stop the site, keep a copy of the file, and restore the newest backup",
            setting="database.url",
            distribution="folkmoot-web",
            busy_seconds=BUSY_SECONDS,
            max_overflow=40,
            connect_seconds=BUSY_SECONDS,
            key=key,
            read_only=read_only,
        )
        self._tables = (KIT, *products)

    def _unavailable(self, error: BaseException | None) -> Problem:
        # The text of the driver may quote what was being stored.
        kind = type(error).__name__
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
        self._make_file()
        for tables in self._tables:
            self._migrate(tables)

    def check(self) -> None:
        """Raises Problem unless the database answers."""
        with self.connection(writes=False) as connection:
            KIT.version(connection)
