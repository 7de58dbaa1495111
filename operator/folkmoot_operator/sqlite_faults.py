"""What an error of SQLite means: a file that cannot be used now, or one that is damaged.

SQLite has a code for each, but the codes of reading and writing keep the cause to themselves;
the operating system is asked for it.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from folkmoot_operator.private_files import OWNER_ONLY
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.unusable_files import UnusableFile, in_the_way, of_number, unusable_as

_PRIMARY = 0xFF
"""The part of a code that says the kind of error; the rest says more about it."""
_IN_USE = {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL}
_OUTSIDE = {
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_NOLFS,
}
_INSIDE = {
    sqlite3.SQLITE_IOERR_CORRUPTFS,
    sqlite3.SQLITE_IOERR_DATA,
    sqlite3.SQLITE_IOERR_SHORT_READ,
}
"""Those of reading whose cause is in the file."""


class UnusableDatabase(UnusableFile):
    """A database that cannot be used now, for a cause outside its file."""


class DamagedDatabase(Problem):
    """A database that contradicts itself: whoever uses it has to stop."""


@dataclass(frozen=True, slots=True)
class DatabaseFile:
    """A file of SQLite, and what an operator is told about it.

    Attributes:
        path: The file.
        what: What it is for people: `the node's state file`.
        damaged: What to do if it is damaged.
        busy_seconds: How long a writer waits for another.
    """

    path: Path
    what: str
    damaged: str
    busy_seconds: float

    @property
    def beside(self) -> tuple[Path, ...]:
        """The files that SQLite keeps beside it while it is open."""
        name = self.path.name
        return tuple(self.path.with_name(name + end) for end in ("-wal", "-shm", "-journal"))

    def make(self) -> None:
        """Makes the file, empty and for this account alone, unless it is there.

        One that is there is not opened: whoever closes a file loses all locks that its process has
        on it, those of SQLite among them. Another process that then closes the database would take
        itself for the last, and remove the log into which this one goes on writing.

        Raises:
            OSError: If it cannot be made, or is a link.
        """
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
        try:
            os.close(os.open(self.path, flags, OWNER_ONLY))
        except FileExistsError:
            if self.path.is_symlink():
                raise of_number(errno.ELOOP) from None

    def identity(self) -> tuple[int, int] | None:
        """Device and number of the file that is at the path now; None if there is none.

        A connection goes on with the file that it has opened, wherever that was moved: what it
        wrote there after the file was replaced would be lost.
        """
        try:
            found = self.path.stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def problem(self, error: sqlite3.Error | UnicodeDecodeError) -> Problem:
        """What an error means.

        Returns:
            An `UnusableDatabase` if the cause is outside the file, else a `DamagedDatabase`.
        """
        code = getattr(error, "sqlite_errorcode", None)
        if isinstance(error, UnicodeDecodeError) or code is None:  # it quotes the text
            return self.damage("a text in it cannot be read")
        kind = code & _PRIMARY
        if kind in _IN_USE:
            return UnusableDatabase(
                f"{self.what} cannot be used now: another process keeps it locked, for more than "
                f"{self.busy_seconds:g} seconds",
                where=str(self.path),
                remedy=f"End the program that holds it (`fuser {self.path}` names it), such as a "
                "backup or a database browser, and try again. Nothing is damaged",
                exit_code=ExitCode.UNREACHABLE,
            )
        if kind == sqlite3.SQLITE_FULL:
            return unusable_as(UnusableDatabase, of_number(errno.ENOSPC), self.path, self.what)
        if kind == sqlite3.SQLITE_NOMEM:
            return unusable_as(UnusableDatabase, of_number(errno.ENOMEM), self.path, self.what)
        if code == sqlite3.SQLITE_READONLY_DBMOVED:
            return UnusableDatabase(
                f"{self.what} was moved or replaced while it was open",
                where=str(self.path),
                remedy="Stop the programs that use it before you replace it; then start again",
                exit_code=ExitCode.UNREACHABLE,
            )
        if kind in _OUTSIDE and code not in _INSIDE:
            found = in_the_way(self.path, self.beside)
            if found is not None:
                return unusable_as(UnusableDatabase, found, self.path, self.what)
            if kind != sqlite3.SQLITE_READONLY:
                return UnusableDatabase(
                    f"{self.what} cannot be used now ({error.sqlite_errorname})",
                    where=str(self.path),
                    remedy="Look at the disk that holds it (free space, quota, the kernel's "
                    "log), and try again. Nothing is known to be damaged",
                    exit_code=ExitCode.UNREACHABLE,
                )
        return self.damage(str(error))

    def damage(self, how: str) -> DamagedDatabase:
        """The problem of a file that contradicts itself.

        Args:
            how: What was found; holds nothing of what is in the file.
        """
        return DamagedDatabase(
            f"{self.what} is damaged ({how})",
            where=str(self.path),
            remedy=self.damaged,
            exit_code=ExitCode.VERIFICATION,
        )

    def check_pages(self, rows: Iterator[tuple[str]]) -> None:
        """Judges what `PRAGMA quick_check` says.

        Args:
            rows: Its rows.

        Raises:
            DamagedDatabase: If a page is damaged.
        """
        try:
            found = [row[0] for row in rows]
        except UnicodeDecodeError as error:
            raise self.problem(error) from None
        if found != ["ok"]:
            raise self.damage(f"{len(found)} faults in its pages")
