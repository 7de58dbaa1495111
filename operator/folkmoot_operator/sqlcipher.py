"""Files of SQLite that SQLCipher encrypts.

Needs `sqlcipher3`, which the distributions that encrypt a database require; it is imported where
a key is given.
"""

from __future__ import annotations

import sqlite3
from types import ModuleType
from typing import Any

from folkmoot_operator.problems import ExitCode, Problem

KEY_BYTES = 32
"""Of a key: random bits, not a passphrase, so that nothing has to be stretched."""


class Cipher:
    """Opens encrypted files with one key.

    Attributes:
        driver: The module of the driver, which has the interface of `sqlite3`.
    """

    driver: ModuleType

    def __init__(self, key: bytes) -> None:
        """Loads the driver.

        Args:
            key: 32 random bytes.

        Raises:
            Problem: Exit code SETTINGS, if the driver is not installed.
        """
        if len(key) != KEY_BYTES:
            raise ValueError(f"a key of SQLCipher has {KEY_BYTES} bytes")
        try:
            from sqlcipher3 import dbapi2
        except ImportError:
            raise Problem(
                "an encrypted database needs a package that is not installed: sqlcipher3",
                where="the Python environment",
                remedy="Install it: `pip install sqlcipher3`",
                exit_code=ExitCode.SETTINGS,
            ) from None
        self.driver = dbapi2
        self._key = key

    def connect(self, address: str, **options: Any) -> Any:
        """A connection that reads and writes encrypted; see `sqlite3.connect`."""
        connection = self.driver.connect(address, **options)
        # As a blob literal SQLCipher takes the key as it is, without deriving another from it.
        connection.execute(f"PRAGMA key = \"x'{self._key.hex()}'\"")
        return connection

    def as_sqlite(self, error: BaseException | None) -> sqlite3.Error | None:
        """An error of the driver as the same of `sqlite3`, with its code; None for any other."""
        if not isinstance(error, self.driver.Error):
            return None
        kind = getattr(sqlite3, type(error).__name__, sqlite3.DatabaseError)
        made: sqlite3.Error = kind(*error.args)
        code = getattr(error, "sqlite_errorcode", None)
        if code is not None:
            made.sqlite_errorcode = code
        return made
