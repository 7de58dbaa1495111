"""The mapping file of a table or a query."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot_plugin_extracts.mapping import Mapping
from folkmoot_sdk.parameters import parameter

_PARTS = 3  # database, schema, table


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMapping(Mapping):
    """Which column of a table or a query is which field.

    Attributes:
        table: Name of a table or view; with its schema as in `revenues.accounts`, or a list of
            the parts if one of them has a dot in it.
        query: Instead of a table: a SELECT of the database's own dialect.
        order_by: Columns that give the rows one order, so that row numbers mean the same
            record in the next run.
        minimum_rows: Fewer rows stop the run: the table is being loaded, or the account may
            not see them.
    """

    table: str | tuple[str, ...] = ""
    query: str = ""
    order_by: tuple[str, ...] = ()
    minimum_rows: int = parameter(default=1, minimum=0)

    def __post_init__(self) -> None:
        Mapping.__post_init__(self)
        if bool(self.table) == bool(self.query.strip()):
            raise ValueError("give either `table` or `query`")
        if self.table and not (all(self.parts) and len(self.parts) <= _PARTS):
            raise ValueError("`table` is not a name such as accounts or revenues.accounts")
        if any("\0" in text for text in (*self.parts, self.query, *self.order_by)):
            raise ValueError("a name or the query holds a zero byte")

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts of the table's name; none if there is a query."""
        if isinstance(self.table, tuple):
            return self.table
        return tuple(self.table.split(".")) if self.table else ()

    @property
    def origin(self) -> str:
        """What the records are from, for quarantine and lineage."""
        return ".".join(self.parts) or f"query {self.name}"
