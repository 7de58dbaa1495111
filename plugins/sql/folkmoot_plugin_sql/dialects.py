"""What differs from database to database: time-outs, reading only, the codes of errors."""

from __future__ import annotations

import re
import sqlite3
import time
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection

from folkmoot_plugin_sql.failures import Failure, of_connecting, of_state
from folkmoot_plugin_sql.options import APPLICATION, SqlOptions
from folkmoot_plugin_sql.session import opening

_STEPS = 10_000  # of SQLite's machine, between two looks at the clock
Diagnosis = tuple[str, Failure | None]
"""The database's code, and what it means; None if that is not known."""


class Dialect:
    """A database of which nothing special is known."""

    def __init__(self, options: SqlOptions) -> None:
        self.options = options

    def arguments(self) -> dict[str, Any]:
        """Arguments of `create_engine`."""
        return {}

    def begin(self, connection: Connection) -> None:
        """Begins a transaction, as one that only reads where the database has such."""

    def failure(self, error: BaseException) -> Diagnosis:
        """What an error of the driver means."""
        state = getattr(error, "sqlstate", None)
        return (f"SQLSTATE {state}", of_state(state)) if state else ("", None)


class SQLite(Dialect):
    """A file, opened for reading."""

    def arguments(self) -> dict[str, Any]:
        """See `Dialect`."""
        return {"creator": self._open}

    def _open(self) -> sqlite3.Connection:
        path = self.options.base / (self.options.parsed.database or "")
        opened = sqlite3.connect(
            f"file:{quote(str(path.absolute()))}?mode=ro",
            uri=True,
            timeout=self.options.connect_seconds,
            isolation_level=None,
            check_same_thread=False,
        )
        end = time.monotonic() + self.options.statement_seconds
        opened.set_progress_handler(lambda: time.monotonic() > end, _STEPS)
        return opened

    def begin(self, connection: Connection) -> None:
        """See `Dialect`."""
        connection.exec_driver_sql("PRAGMA query_only = ON")
        connection.exec_driver_sql("BEGIN")

    def failure(self, error: BaseException) -> Diagnosis:
        """See `Dialect`."""
        said = str(error)
        for pattern, failure in _SQLITE.items():
            if re.search(pattern, said):
                return getattr(error, "sqlite_errorname", ""), failure
        return getattr(error, "sqlite_errorname", ""), None


_SQLITE = {
    r"^interrupted": Failure.TIME_OUT,
    r"^database (table )?is locked": Failure.BUSY,
    r"^unable to open|not a database": Failure.NO_DATABASE,
    r"^no such (table|column)": Failure.MISSING,
    r"readonly database": Failure.WRITES,
    r"syntax error|^no such function|^incomplete input|^You can only": Failure.WRONG,
    r"^Could not decode": Failure.ENCODING,
}


class PostgreSQLDriver(Dialect):
    """PostgreSQL by another driver than ADBC, such as psycopg."""

    def arguments(self) -> dict[str, Any]:
        """See `Dialect`."""
        if not self.options.parsed.drivername.endswith(("psycopg", "psycopg2")):
            return {}
        given = {"connect_timeout": self.options.connect_seconds, "application_name": APPLICATION}
        return {"connect_args": {**given, **self.options.tls}}

    def begin(self, connection: Connection) -> None:
        """See `Dialect`."""
        for statement in opening(self.options.statement_seconds):
            connection.exec_driver_sql(statement)

    def failure(self, error: BaseException) -> Diagnosis:
        """See `Dialect`."""
        code, failure = super().failure(error)
        return code, failure or of_connecting(str(error))


class MySQL(Dialect):
    """MySQL and MariaDB."""

    def arguments(self) -> dict[str, Any]:
        """See `Dialect`."""
        return {"connect_args": {"connect_timeout": self.options.connect_seconds}}

    def begin(self, connection: Connection) -> None:
        """See `Dialect`."""
        seconds = self.options.statement_seconds
        if getattr(connection.dialect, "is_mariadb", False):
            connection.exec_driver_sql(f"SET SESSION max_statement_time = {seconds}")
        else:
            connection.exec_driver_sql(f"SET SESSION max_execution_time = {seconds * 1000}")
        connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
        connection.exec_driver_sql("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")

    def failure(self, error: BaseException) -> Diagnosis:
        """See `Dialect`."""
        code = error.args[0] if error.args and isinstance(error.args[0], int) else 0
        return (f"error {code}", _MYSQL.get(code)) if code else ("", None)


_MYSQL = {
    2002: Failure.UNREACHABLE, 2003: Failure.UNREACHABLE, 2006: Failure.LOST, 2013: Failure.LOST,
    1040: Failure.BUSY, 1205: Failure.BUSY, 1213: Failure.BUSY, 1053: Failure.LOST,
    1317: Failure.TIME_OUT, 3024: Failure.TIME_OUT, 1969: Failure.TIME_OUT,
    1044: Failure.LOGIN, 1045: Failure.LOGIN, 1049: Failure.NO_DATABASE,
    1142: Failure.FORBIDDEN, 1143: Failure.FORBIDDEN, 1054: Failure.MISSING,
    1146: Failure.MISSING, 1064: Failure.WRONG, 1792: Failure.WRITES,
}  # fmt: skip


class Oracle(Dialect):
    """Oracle, by python-oracledb."""

    def arguments(self) -> dict[str, Any]:
        """See `Dialect`."""
        return {"connect_args": {"tcp_connect_timeout": self.options.connect_seconds}}

    def begin(self, connection: Connection) -> None:
        """See `Dialect`."""
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.call_timeout = self.options.statement_seconds * 1000  # for each round trip
        connection.exec_driver_sql("SET TRANSACTION READ ONLY")

    def failure(self, error: BaseException) -> Diagnosis:
        """See `Dialect`."""
        found = re.search(r"\b(ORA|DPY)-[0-9]+", str(error))
        return (found[0], _ORACLE.get(found[0])) if found else ("", None)


_ORACLE = {
    "DPY-6005": Failure.UNREACHABLE, "DPY-6000": Failure.UNREACHABLE,
    "DPY-4011": Failure.LOST, "DPY-4024": Failure.TIME_OUT, "DPY-6001": Failure.NO_DATABASE,
    "ORA-12541": Failure.UNREACHABLE, "ORA-12170": Failure.UNREACHABLE,
    "ORA-12514": Failure.NO_DATABASE, "ORA-03113": Failure.LOST, "ORA-03135": Failure.LOST,
    "ORA-01033": Failure.BUSY, "ORA-01034": Failure.BUSY, "ORA-01555": Failure.BUSY,
    "ORA-01013": Failure.TIME_OUT, "ORA-01017": Failure.LOGIN, "ORA-28000": Failure.LOGIN,
    "ORA-28001": Failure.LOGIN, "ORA-01045": Failure.FORBIDDEN, "ORA-01031": Failure.FORBIDDEN,
    "ORA-00942": Failure.MISSING, "ORA-00904": Failure.MISSING, "ORA-00933": Failure.WRONG,
    "ORA-01456": Failure.WRITES,
}  # fmt: skip


class SQLServer(Dialect):
    """SQL Server, by pyodbc. It has no transaction that only reads: the account must be so."""

    def arguments(self) -> dict[str, Any]:
        """See `Dialect`."""
        return {"connect_args": {"timeout": self.options.connect_seconds}}

    def begin(self, connection: Connection) -> None:
        """See `Dialect`."""
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.timeout = self.options.statement_seconds
        wait = self.options.statement_seconds * 1000
        connection.exec_driver_sql(f"SET LOCK_TIMEOUT {wait}")

    def failure(self, error: BaseException) -> Diagnosis:
        """See `Dialect`."""
        state = error.args[0] if error.args and isinstance(error.args[0], str) else ""
        if not re.fullmatch(r"[0-9A-Z]{5}", state):
            return "", None
        return f"SQLSTATE {state}", of_state(state)


def dialect_of(options: SqlOptions) -> Dialect:
    """What is known of the database that the URL names."""
    known: dict[str, type[Dialect]] = {
        "sqlite": SQLite, "postgresql": PostgreSQLDriver, "mysql": MySQL, "mariadb": MySQL,
        "oracle": Oracle, "mssql": SQLServer,
    }  # fmt: skip
    return known.get(options.parsed.get_backend_name(), Dialect)(options)
