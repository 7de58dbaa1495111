"""Other databases by SQLAlchemy: rows streamed from a server-side cursor, batch by batch."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any, Self

import polars as pl
from sqlalchemy import Connection, Select, create_engine, false, inspect
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, NoSuchTableError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from folkmoot_plugin_sql import typed
from folkmoot_plugin_sql.database import Database
from folkmoot_plugin_sql.dialects import Dialect, dialect_of
from folkmoot_plugin_sql.failures import SAFE, Failure, without
from folkmoot_plugin_sql.options import APPLICATION, SqlOptions
from folkmoot_plugin_sql.statement import Statements
from folkmoot_plugin_sql.table_mapping import TableMapping
from folkmoot_sdk import PluginError


class Engine(Database):
    """A connection by SQLAlchemy."""

    def __init__(self, options: SqlOptions, mapping: TableMapping, where: str) -> None:
        self._options = options
        self._mapping = mapping
        self._where = where
        self._password = options.secret()
        self._dialect: Dialect = dialect_of(options)
        url = options.parsed
        if self._password:
            url = url.set(password=self._password)
        try:
            self._engine = create_engine(
                url,
                poolclass=NullPool,
                hide_parameters=True,
                pool_logging_name=APPLICATION,
                **self._dialect.arguments(),
            )
        except NoSuchModuleError:
            raise PluginError(
                "options.url",
                f"names a database that SQLAlchemy does not know, {url.drivername!r}",
                "Write it as the README's examples; some databases need a package for SQLAlchemy",
            ) from None
        except ImportError as error:
            raise PluginError(
                "options.url",
                f"needs the driver {error.name!r}, which is not installed",
                "Install it beside the node; the README names those that were made for this",
            ) from None
        except (ArgumentError, TypeError, ValueError):
            raise PluginError(
                "options.url", "does not suit its driver", "See the driver's page in SQLAlchemy"
            ) from None
        # What a driver says when a broken connection is closed may quote a record.
        logger = self._engine.pool.logger
        if isinstance(logger, logging.Logger):
            logger.disabled = True
        exact = not self._engine.dialect.requires_name_normalize
        quoting = exact and self._engine.dialect.name in ("postgresql", "sqlite")
        self._statements = Statements(mapping, exact=quoting)
        self._opened = ExitStack()

    def __enter__(self) -> Self:
        """Connects, and begins a transaction that cannot write where the database has such."""
        self._deadline = time.monotonic() + self._options.statement_seconds
        try:
            self._connection: Connection = self._opened.enter_context(self._engine.connect())
            self._dialect.begin(self._connection)
        except SQLAlchemyError as error:
            self._opened.close()
            raise self._failure(error, connecting=True) from None
        return self

    def __exit__(self, *_: object) -> None:
        """Rolls back, and ends the connection."""
        try:
            self._opened.close()
        except SQLAlchemyError:
            return  # the other side closed it before
        finally:
            self._engine.dispose()

    def columns(self) -> list[str]:
        """See `Database`."""
        try:
            if self._mapping.query:
                nothing = self._statements.everything().where(false())
                with self._connection.execute(nothing) as found:
                    return list(found.keys())
            *schema, table = self._mapping.parts
            described = inspect(self._connection).get_columns(table, ".".join(schema) or None)
            return [str(entry["name"]) for entry in described]
        except NoSuchTableError:
            raise Failure.MISSING.error(self._where, said="no such table or view") from None
        except SQLAlchemyError as error:
            raise self._failure(error) from None

    def rows(self, columns: tuple[str, ...]) -> Iterator[pl.DataFrame]:
        """See `Database`."""
        size = self._options.batch_rows
        streamed = {"stream_results": True, "yield_per": size}
        result = self._run(self._statements.rows(columns), streamed)
        try:
            batches = result.partitions(size)
            while (batch := self._next(batches)) is not None:
                yield typed.frame(columns, batch, self._where)
        finally:
            result.close()

    def count(self) -> int:
        """See `Database`."""
        return int(self._run(self._statements.count(), {}).scalar_one())

    def _run(self, statement: Select[Any], options: dict[str, Any]) -> Any:
        try:
            return self._connection.execute(statement, execution_options=options)
        except SQLAlchemyError as error:
            raise self._failure(error) from None

    def _next(self, batches: Iterator[Any]) -> Any:
        if time.monotonic() > self._deadline:
            raise Failure.TIME_OUT.error(self._where)
        try:
            return next(batches, None)
        except SQLAlchemyError as error:
            raise self._failure(error) from None
        except Exception as error:  # drivers raise their own where SQLAlchemy does not look
            raise self._failure(error) from None

    def _failure(self, error: Exception, *, connecting: bool = False) -> PluginError:
        original = getattr(error, "orig", None) or error
        code, failure = self._dialect.failure(original)
        if failure is None:
            failure = Failure.UNREACHABLE if connecting else Failure.UNKNOWN
            if getattr(error, "connection_invalidated", False):
                failure = Failure.LOST
        said = ""
        if failure in SAFE:
            said = without(self._password, str(original).strip().partition("\n")[0])
        where = self._options.where if connecting else self._where
        return failure.error(where, code, said)
