"""Whether the database can be used, its tables fit this program, and there is room."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.exc import SQLAlchemyError

from folkmoot_coordinator.database.connection import TABLES_VERSION, Database, remedy_for
from folkmoot_operator.checks import Check, Finding, State, free_bytes, sized

MIN_FREE_BYTES = 1_000_000_000
"""Free disk below which answers may soon not be stored."""


def tables(url: str | URL, *contents: Callable[[Database], Iterator[Finding]]) -> Check:
    """Whether the tables are those that this program needs, and what is in them is right.

    Args:
        url: Of the database.
        contents: Look at what the tables hold, if they have the right version.
    """

    def look() -> Iterator[Finding]:
        database = Database(url)
        try:
            database.require_tables()
            found = database.version()
            if found is not None and found < TABLES_VERSION:
                yield Finding(
                    "database",
                    State.OK,
                    f"{database.address}, version {found}; whatever opens it next upgrades it to "
                    f"{TABLES_VERSION}",
                )
                return
            if found != TABLES_VERSION:
                yield Finding(
                    "database",
                    State.FAIL,
                    f"tables have version {found}; this program needs {TABLES_VERSION}",
                    remedy_for(found),
                )
                return
            database.check_pages()
            yield Finding("database", State.OK, f"{database.address}, version {found}")
            for content in contents:
                yield from content(database)
        except SQLAlchemyError as error:
            yield Finding(
                "database",
                State.FAIL,
                f"{database.address} cannot be used ({type(error).__name__})",
                "Check that it is running, and database.url in coordinator.toml",
            )
        finally:
            database.close()

    return Check("database", look)


def disk(folder: Path) -> Check:
    """Whether the disk that holds a folder has room for answers."""

    def look() -> Iterator[Finding]:
        free = free_bytes(folder)
        text = f"{sized(free)} free in {folder}"
        if free < MIN_FREE_BYTES:
            yield Finding("disk", State.WARN, text, "Make room: answers are stored here")
        else:
            yield Finding("disk", State.OK, text)

    return Check("disk", look)
