"""The statements that are sent: they select columns of one table or query, and nothing else.

A query of the mapping stands in brackets, as a table. So a statement that is no SELECT is a
fault of syntax in every database.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnClause,
    ColumnElement,
    FromClause,
    Select,
    String,
    Text,
    Unicode,
    cast,
    column,
    func,
    literal_column,
    not_,
    or_,
    select,
    table,
    text,
)
from sqlalchemy.sql.elements import quoted_name

from folkmoot_plugin_extracts.mapping import Where
from folkmoot_plugin_sql.table_mapping import TableMapping

_TEXT = String().with_variant(String(4000), "oracle").with_variant(Unicode(), "mssql")


@dataclass(frozen=True, slots=True)
class Statements:
    """The statements for one mapping.

    Attributes:
        mapping: Names the table or query, the conditions and the order.
        exact: True if names are sent in quotes, as they are written. Databases that hold
            names in capitals (Oracle) need SQLAlchemy's own rule.
        literal: True if values of conditions stand in the statement, for what takes no
            parameters; else they are parameters.
    """

    mapping: TableMapping
    exact: bool
    literal: bool = False

    def everything(self) -> Select[Any]:
        """All columns, for describing them: it is never run for its rows."""
        return select(literal_column("*")).select_from(self._source(()))

    def rows(self, columns: Sequence[str], as_text: Sequence[str] = ()) -> Select[Any]:
        """The rows that the mapping selects, in its order.

        Args:
            columns: Those wanted.
            as_text: Those of them that the database should turn into text.
        """
        uses = self.mapping
        conditions = [condition.column for condition in uses.where]
        source = self._source(dict.fromkeys((*columns, *conditions, *uses.order_by)))
        wanted: list[ColumnElement[Any]] = [
            cast(source.c[name], Text()).label(self._name(name))
            if name in as_text
            else source.c[name]
            for name in columns
        ]
        statement = select(*wanted).select_from(source)
        statement = statement.where(*(self._met(source, entry) for entry in uses.where))
        return statement.order_by(*(source.c[name] for name in uses.order_by))

    def count(self) -> Select[Any]:
        """The number of all rows, selected or not."""
        return select(func.count()).select_from(self._source(()))

    def _name(self, name: str) -> str:
        return quoted_name(name, True) if self.exact else name

    def _source(self, columns: Sequence[str] | dict[str, None]) -> FromClause:
        made: list[ColumnClause[Any]] = [column(self._name(name)) for name in columns]
        uses = self.mapping
        if uses.query:
            # A colon begins no parameter here, and a comment at the end must end.
            body = uses.query.strip().removesuffix(";").replace(":", r"\:")
            return text(f"{body}\n").columns(*made).subquery("mapped")
        *schema, name = uses.parts
        within = self._name(".".join(schema)) if schema else None
        return table(self._name(name), *made, schema=within)

    def _met(self, source: FromClause, condition: Where) -> ColumnElement[bool]:
        """A condition, as for files, of the column's text without blanks."""
        found = source.c[condition.column]
        trimmed = func.trim(cast(found, _TEXT))
        texts = [value for value in condition.texts if value]
        met: ColumnElement[bool] = trimmed.in_([self._value(value) for value in texts])
        if len(texts) < len(condition.texts):
            met = or_(met, found.is_(None), trimmed == self._value(""))
        elif condition.excluded:
            # A comparison with nothing is neither true nor false.
            return or_(not_(met), found.is_(None))
        return not_(met) if condition.excluded else met

    def _value(self, value: str) -> ColumnElement[str] | str:
        if not self.literal:
            return value
        # With standard_conforming_strings a quote is the only character that means something.
        doubled = value.replace("'", "''")
        return literal_column(f"'{doubled}'")
