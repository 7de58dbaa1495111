"""Migrations of several sets of tables in one database, each with a version of its own.

Needs the extra `database`.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, inspect, text


@dataclass(frozen=True, slots=True)
class Tables:
    """Tables that are migrated together.

    Attributes:
        name: Lower-case letters, such as `drafts`.
        migrations: The folder of Alembic; its `env.py` calls `run_migrations(metadata)`.
        newest: The version that this program expects.
        version_kept_in: The table that holds the version; `<name>_version` if empty.
    """

    name: str
    migrations: Path
    newest: str
    version_kept_in: str = ""

    @property
    def version_table(self) -> str:
        """Where the version is."""
        return self.version_kept_in or f"{self.name}_version"

    def version(self, connection: Connection) -> str | None:
        """The version of the tables in a database; None if there are none."""
        if not inspect(connection).has_table(self.version_table):
            return None
        found = connection.execute(text(f"SELECT version_num FROM {self.version_table}"))  # noqa: S608
        return found.scalar_one_or_none()

    def configuration(self, connection: Connection | None = None) -> Any:
        """Alembic's configuration for these tables; on a connection, to run migrations there."""
        from alembic.config import Config  # what only reads the tables does without it

        configuration = Config()
        configuration.set_main_option("script_location", str(self.migrations).replace("%", "%%"))
        configuration.set_main_option("path_separator", "os")
        configuration.attributes["connection"] = connection
        configuration.attributes["version_table"] = self.version_table
        return configuration


def run_migrations(metadata: MetaData) -> None:
    """What `env.py` of a folder of migrations does.

    Args:
        metadata: Of the tables that the folder migrates.
    """
    from alembic import context

    attributes = context.config.attributes
    context.configure(
        connection=attributes["connection"],
        target_metadata=metadata,
        version_table=attributes["version_table"],
        render_as_batch=True,
    )
    with context.begin_transaction():
        context.run_migrations()
