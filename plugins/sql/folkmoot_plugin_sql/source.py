"""The data source `sql`: a table or query of a database."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from folkmoot_plugin_extracts.batch import Batch, check_columns
from folkmoot_plugin_extracts.mapped import MappedSource
from folkmoot_plugin_extracts.mapping import load
from folkmoot_plugin_sql.database import Database
from folkmoot_plugin_sql.options import SqlOptions
from folkmoot_plugin_sql.table_mapping import TableMapping
from folkmoot_sdk import PluginError, ReadContext


class SqlSource(MappedSource):
    """One table or query of a database, read as a mapping file says."""

    kind = "sql"
    Options = SqlOptions

    def __init__(self, options: SqlOptions) -> None:
        mapping = load(options.base / options.mapping, TableMapping)
        super().__init__(options, mapping)
        self._table = mapping
        self._where = f"{options.where}: {mapping.origin}"
        self._connect = options

    def batches(
        self, columns: tuple[str, ...], context: ReadContext
    ) -> Iterator[tuple[str, Batch]]:
        """Yields the rows of the table, in the order in which the database gives them.

        The first row is row 1.

        Raises:
            PluginError: If the database cannot be reached or read, something that the mapping
                names is not there, or there are fewer rows than there must be.
        """
        uses = self._table
        conditions = (condition.column for condition in uses.where)
        used = tuple(dict.fromkeys((*columns, *conditions, *uses.order_by)))
        read = 0
        with self._database() as database:
            check_columns(self._where, used, database.columns(), are_names=True)
            for frame in database.rows(columns):
                yield uses.origin, Batch(frame, read + 1)
                read += frame.height
            if uses.where:
                context.leave_out("the mapping's `where` selects others", database.count() - read)
        if read < uses.minimum_rows:
            raise PluginError(
                self._where,
                f"gives {read} rows, fewer than the {uses.minimum_rows} that there must be",
                "See whether the table is being loaded, and whether the account may see its "
                "rows; `minimum_rows` in the mapping sets the number",
            )
        if not read:
            yield uses.origin, Batch(pl.DataFrame(schema=dict.fromkeys(columns, pl.String)), 1)

    def _database(self) -> Database:
        if self._connect.parsed.drivername == "postgresql":
            from folkmoot_plugin_sql.postgresql import PostgreSQL

            return PostgreSQL(self._connect, self._table, self._where)
        from folkmoot_plugin_sql.engine import Engine

        return Engine(self._connect, self._table, self._where)
