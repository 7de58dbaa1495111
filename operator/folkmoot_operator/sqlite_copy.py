"""Copies of SQLite files as they are at one moment, while others read and write them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from folkmoot_operator.private_files import open_private
from folkmoot_operator.sqlcipher import Cipher
from folkmoot_operator.sqlite_faults import DatabaseFile

BUSY_SECONDS = 30.0
_KEEP = "The backups there are stay as they are. Run `doctor`, which looks at every page"
IS_SQLITE = frozenset({".sqlite", ".sqlite3", ".db"})
"""Endings of names that are copied so: the bytes of an open database are no copy of it."""
JOURNALS = ("-wal", "-shm", "-journal")
"""Endings that SQLite adds to the name of a database for files that are nothing without it."""


def copy_database(source: Path, copy: Path, what: str, key: bytes | None = None) -> None:
    """Copies a database at one moment, by SQLite's own online backup, and looks at each page.

    Those who write go on meanwhile; what they commit after it began is not in the copy.

    Args:
        source: The file of SQLite, or of SQLCipher.
        copy: The copy; it must not exist. With a key it is encrypted by the same.
        what: What it is for people: `the node's state file`.
        key: Of SQLCipher, 32 bytes; None for a plain file.

    Raises:
        Problem: Exit code UNREACHABLE, if it cannot be used now; VERIFICATION, if a page of it is
            damaged: a damaged database never takes the place of a sound backup.
    """
    file = DatabaseFile(source, what, _KEEP, BUSY_SECONDS)
    cipher = None if key is None else Cipher(key)
    connect: Callable[..., Any] = sqlite3.connect if cipher is None else cipher.connect
    open_private(copy, append=False).close()
    try:
        with (
            closing(
                connect(f"{source.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_SECONDS)
            ) as here,
            closing(connect(f"{copy.absolute().as_uri()}?mode=rw", uri=True)) as there,
        ):
            here.execute(
                "SELECT count(*) FROM sqlite_master"
            ).fetchone()  # a wrong key is found here
            here.backup(there)
            there.execute("PRAGMA journal_mode = DELETE")  # one file, and nothing beside it
            file.check_pages(there.execute("PRAGMA quick_check"))
    except (sqlite3.Error, UnicodeDecodeError) as error:
        raise file.problem(error) from None
    except Exception as error:
        known = None if cipher is None else cipher.as_sqlite(error)
        if known is None:
            raise
        raise file.problem(known) from None
