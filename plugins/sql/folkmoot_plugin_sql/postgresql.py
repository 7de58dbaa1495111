"""PostgreSQL by ADBC: Arrow batches from a binary COPY, which streams.

The driver hands on rows as the server sends them, so memory holds one batch, however large
the table. COPY takes no parameters, so values of conditions are literals.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Self

import adbc_driver_manager
import polars as pl
import pyarrow as pa

# PyArrow's own reader, which the driver's cursors hand out, raises errors without SQLSTATE.
from adbc_driver_manager._reader import AdbcRecordBatchReader
from adbc_driver_postgresql import StatementOptions, dbapi
from sqlalchemy import Select
from sqlalchemy.dialects import postgresql

from folkmoot_plugin_sql import failures, typed
from folkmoot_plugin_sql.database import Database
from folkmoot_plugin_sql.options import APPLICATION, SqlOptions, refuse_keys
from folkmoot_plugin_sql.session import opening
from folkmoot_plugin_sql.statement import Statements
from folkmoot_plugin_sql.table_mapping import TableMapping
from folkmoot_sdk import PluginError

BATCH_BYTES = 16 << 20
"""Size of a batch, about, in bytes of Arrow."""
URL_KEYS = (
    "channel_binding", "gssencmode", "host", "hostaddr", "krbsrvname", "port", "require_auth",
    "sslcert", "sslcrl", "sslkey", "target_session_attrs",
)  # fmt: skip
"""Parameters of libpq that the URL may have."""

_DIALECT = postgresql.dialect(paramstyle="named")  # type: ignore[no-untyped-call]
_TYPE = b"POSTGRESQL:type"
_AS_TEXT = frozenset({"numeric", "uuid", "float4", "citext"})
_DECIMAL = "numeric"
_PADDED = "bpchar"
_UNREADABLE = {"money": "money (write column::numeric)", "json": "json", "jsonb": "jsonb"}


class PostgreSQL(Database):
    """A connection to PostgreSQL."""

    def __init__(self, options: SqlOptions, mapping: TableMapping, where: str) -> None:
        refuse_keys(options, URL_KEYS)
        self._options = options
        self._where = where
        self._statements = Statements(mapping, exact=True, literal=True)
        self._password = options.secret()
        self._fields: pa.Schema | None = None

    def __enter__(self) -> Self:
        """Connects, and begins a transaction that cannot write."""
        try:
            self._connection = dbapi.connect(self._place())
        except adbc_driver_manager.Error as error:
            raise self._failure(error, connecting=True) from None
        try:
            for statement in opening(self._options.statement_seconds):
                self._run(statement)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Ends the connection; a transaction that only read needs no end of its own."""
        try:
            self._connection.close()
        except adbc_driver_manager.Error:
            return  # the other side closed it before

    def columns(self) -> list[str]:
        """See `Database`."""
        statement = self._sql(self._statements.everything())
        try:
            with self._connection.cursor() as cursor:
                self._fields = cursor.adbc_execute_schema(statement)
        except adbc_driver_manager.Error as error:
            raise self._failure(error) from None
        return list(self._fields.names)

    def rows(self, columns: tuple[str, ...]) -> Iterator[pl.DataFrame]:
        """See `Database`."""
        kinds = {name: self._kind(name) for name in columns}
        as_text = [name for name, kind in kinds.items() if kind in _AS_TEXT]
        statement = self._sql(self._statements.rows(columns, as_text))
        with self._connection.cursor() as cursor:
            reader = self._reader(cursor.adbc_statement, statement)
            try:
                while (batch := self._next(reader)) is not None:
                    yield self._frame(batch, kinds)
            finally:
                reader.close()

    def count(self) -> int:
        """See `Database`."""
        return self._run(self._sql(self._statements.count()))

    def _place(self) -> str:
        """What libpq is told, in its own notation: a URL's has no place for every password."""
        url = self._options.parsed
        given = {
            "host": url.host,
            "port": url.port,
            "user": url.username,
            "dbname": url.database,
            "password": self._password,
            **{key: _joined(value) for key, value in url.query.items()},
            **self._options.tls,
            "connect_timeout": self._options.connect_seconds,
            # A network that has gone silent is noticed after a minute.
            "keepalives_idle": 30,
            "keepalives_interval": 10,
            "keepalives_count": 3,
            "application_name": APPLICATION,
            "client_encoding": "UTF8",
        }
        return " ".join(f"{key}={_quoted(str(value))}" for key, value in given.items() if value)

    def _sql(self, statement: Select[Any]) -> str:
        made: str = statement.compile(dialect=_DIALECT).string
        return made

    def _run(self, statement: str) -> int:
        """Runs a statement; the first value of its first row, or 0."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(statement)
                row = cursor.fetchone()
        except adbc_driver_manager.Error as error:
            raise self._failure(error) from None
        return int(row[0]) if row else 0

    def _reader(
        self, statement: adbc_driver_manager.AdbcStatement, sql: str
    ) -> AdbcRecordBatchReader:
        try:
            hint = {StatementOptions.BATCH_SIZE_HINT_BYTES.value: str(BATCH_BYTES)}
            statement.set_options(**hint)
            statement.set_sql_query(sql)
            stream, _ = statement.execute_query()
            return AdbcRecordBatchReader._import_from_c(stream.address)
        except adbc_driver_manager.Error as error:
            raise self._failure(error) from None

    def _next(self, reader: AdbcRecordBatchReader) -> pa.RecordBatch | None:
        try:
            return reader.read_next_batch()
        except StopIteration:
            return None
        except (adbc_driver_manager.Error, OSError) as error:
            raise self._failure(error) from None

    def _kind(self, name: str) -> str:
        """The type of a column in PostgreSQL's words.

        Raises:
            PluginError: If no field can be read from it.
        """
        assert self._fields is not None
        entry = self._fields.field(name)
        kind: str = (entry.metadata or {}).get(_TYPE, b"").decode()
        if kind in _UNREADABLE:
            raise typed.unreadable(self._where, name, _UNREADABLE[kind])
        known = entry.type
        readable = (
            pa.types.is_integer(known), pa.types.is_floating(known), pa.types.is_string(known),
            pa.types.is_boolean(known), pa.types.is_date(known), pa.types.is_timestamp(known),
        )  # fmt: skip
        if kind not in _AS_TEXT and not any(readable):
            raise typed.unreadable(self._where, name, kind or str(known))
        return kind

    def _frame(self, batch: pa.RecordBatch, kinds: dict[str, str]) -> pl.DataFrame:
        frame = pl.DataFrame(batch)
        return frame.with_columns(_readable(frame[name], kind) for name, kind in kinds.items())

    def _failure(self, error: Exception, *, connecting: bool = False) -> PluginError:
        said = failures.without(self._password, str(error))
        state = getattr(error, "sqlstate", None) or ""
        if connecting and not state:
            return failures.of_connecting(said).error(self._options.where, said=_line(said))
        if state:
            failure = failures.of_state(state)
        else:
            failed = "ERROR:" in said or "FATAL:" in said
            failure = failures.Failure.UNKNOWN if failed else failures.Failure.LOST
        shown = _line(said) if failure in failures.SAFE else ""
        return failure.error(self._where, f"SQLSTATE {state}" if state else "", shown)


def _joined(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ",".join(value)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _readable(values: pl.Series, kind: str) -> pl.Series:
    if kind == _DECIMAL:
        return typed.plain_decimals(values)
    if kind == _PADDED:
        return values.str.strip_chars_end(" ")
    if isinstance(values.dtype, pl.Datetime) and values.dtype.time_zone:
        return typed.local_days(values)
    return values


def _line(said: str) -> str:
    """The first line of a message, without what the driver puts before it."""
    first = said.strip().splitlines()[0] if said.strip() else ""
    for before in ("ERROR: ", "FATAL: ", "failed: ", "[libpq] "):
        if before in first:
            return first.split(before, 1)[1].strip()
    return first
