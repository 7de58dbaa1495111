"""One row for each household with the columns that somebody asks for: what cohorts are made of.

Columns are called as `store.schema` names them. Three of a million households take some seconds
to read, and are then kept by who asks: what is counted and listed comes from that table.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from folkmoot_node.store.run_summary import RunSummary, StoredAttribute, StoredField
from folkmoot_node.store.schema import (
    BAND_COLUMN,
    COMPLETENESS_COLUMN,
    PART_COLUMN,
    POINT,
    SCORE_COLUMN,
    UNKNOWN_POINTS,
    WITHHELD_COLUMN,
    attribute_column,
    corrected_column,
    date_column,
    field_column,
    points_column,
    record_column,
    rejected_column,
    suppressed_column,
)
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.parameters import nearest
from folkmoot_sdk.schema import UPRN_COLUMN, FieldType

if TYPE_CHECKING:
    import duckdb

VALUE_TYPES: dict[FieldType, pl.DataType] = {
    FieldType.BOOLEAN: pl.Boolean(),
    FieldType.INTEGER: pl.Int64(),
    FieldType.NUMBER: pl.Float64(),
    FieldType.CATEGORY: pl.Int16(),
    FieldType.DATE: pl.Date(),
}
"""Type of a household's value, by that of its field; a category's is the index of its code."""

MARKS = {
    "rejected_inputs": rejected_column(""),
    "suppressed_inputs": suppressed_column(""),
    "corrected_inputs": corrected_column(""),
}
"""Columns of the list of households that name inputs, and how the marks in the details begin."""


def marked(details: pl.DataFrame) -> dict[str, pl.Expr]:
    """For each column of `MARKS` the names of the inputs that are marked, separated by blanks.

    Args:
        details: Households, as a part of the details has them.
    """
    return {column: _names(details, prefix) for column, prefix in MARKS.items()}


def _names(details: pl.DataFrame, prefix: str) -> pl.Expr:
    names = []
    for name, kind in details.schema.items():
        if name.startswith(prefix):
            is_marked = pl.col(name).is_not_null() if kind == pl.Date else pl.col(name)
            names.append(pl.when(is_marked).then(pl.lit(name.removeprefix(prefix))))
    return pl.concat_str(names, separator=" ", ignore_nulls=True) if names else pl.lit("")


@dataclass(frozen=True, slots=True)
class _Column:
    """One column that can be asked for.

    Attributes:
        type: Its type in the table.
        counted: Column of `households` that it is made from; empty if it comes from the details.
        needs: Columns of the details that it is made from; a part need not have all.
        made: The column, from the columns of one part.
    """

    type: pl.DataType
    made: Callable[[Collection[str]], pl.Expr]
    counted: str = ""
    needs: tuple[str, ...] = ()


class HouseholdTable:
    """The columns of an open store. `HouseholdStore.columns` and `column_types` use it."""

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        run: RunSummary,
        details: Callable[[int, Sequence[str] | None], pl.DataFrame],
    ) -> None:
        """Takes what it reads from.

        Args:
            connection: With the store attached as `store`.
            run: What the run did.
            details: Gives some columns of one part of the details, those that it has; all if None.
        """
        self._connection = connection
        self._details = details
        rows = connection.execute("SELECT part FROM store.details ORDER BY part").fetchall()
        self._parts: tuple[int, ...] = tuple(part for (part,) in rows)
        kept = details(self._parts[0], None).columns if self._parts else []
        counted = connection.execute("SELECT * FROM store.households LIMIT 0").description
        self._columns = _columns(run, set(kept), {name for name, *_ in counted or ()})

    @property
    def types(self) -> dict[str, pl.DataType]:
        """Type of each column that can be asked for, `uprn` left out."""
        return {name: column.type for name, column in self._columns.items()}

    def read(self, names: Sequence[str], withheld: Collection[int] = ()) -> pl.DataFrame:
        """Reads columns, part by part.

        Args:
            names: The columns.
            withheld: Households that are withheld besides those that the run withholds.

        Returns:
            One row for each household, by UPRN, with the columns and types of
            `HouseholdStore.columns`, null where unknown.
        """
        wanted = {name: self._column(name) for name in dict.fromkeys(names) if name != UPRN_COLUMN}
        none = pl.DataFrame(
            schema={UPRN_COLUMN: pl.Int64(), **{n: one.type for n, one in wanted.items()}}
        )
        parts = [_made(part, wanted) for part in self._read(wanted)]
        found = pl.concat([none, *parts], rechunk=True).sort(UPRN_COLUMN)
        if WITHHELD_COLUMN in wanted and withheld:
            since = pl.col(UPRN_COLUMN).is_in(sorted(withheld))
            found = found.with_columns(pl.col(WITHHELD_COLUMN) | since)
        return found

    def _column(self, name: str) -> _Column:
        found = self._columns.get(name)
        if found is None:
            raise Problem(
                f"the last run has no column {name!r}",
                where="the last scoring run",
                remedy=f"{nearest(name, self._columns)}. The risk stratification policy may have "
                "changed since the name was written",
                exit_code=ExitCode.DATA,
            )
        return found

    def _read(self, wanted: dict[str, _Column]) -> Iterator[pl.DataFrame]:
        """What the wanted columns are made from; all at once if no details are needed."""
        counted = sorted({one.counted for one in wanted.values() if one.counted})
        needs = sorted({name for one in wanted.values() for name in one.needs})
        from_details = any(not one.counted for one in wanted.values())
        if not from_details:
            yield self._counted(counted)
            return
        for part in self._parts:
            rows = self._details(part, [UPRN_COLUMN, *needs])
            if counted:
                found = self._counted(counted, f"WHERE {PART_COLUMN} = {part:d}")
                rows = rows.join(found, on=UPRN_COLUMN, maintain_order="left", validate="1:1")
            yield rows

    def _counted(self, columns: Sequence[str], where: str = "") -> pl.DataFrame:
        listed = "".join(f', "{name}"' for name in columns if name != UPRN_COLUMN)
        found = self._connection.execute(
            f"SELECT {UPRN_COLUMN}{listed} FROM store.households {where}"  # noqa: S608
        )
        return pl.DataFrame(found.fetchnumpy())


def _made(part: pl.DataFrame, wanted: dict[str, _Column]) -> pl.DataFrame:
    there = set(part.columns)
    return part.select(
        pl.col(UPRN_COLUMN).cast(pl.Int64),
        **{name: one.made(there).cast(one.type) for name, one in wanted.items()},
    )


def _columns(
    run: RunSummary, kept: Collection[str], counted: Collection[str]
) -> dict[str, _Column]:
    """Every column that a run can give, by name.

    Args:
        run: The run.
        kept: Columns of the details.
        counted: Columns of `households`.
    """
    found = {
        SCORE_COLUMN: _Column(
            pl.Float64(), lambda _: (pl.col(SCORE_COLUMN) / POINT).round(3), SCORE_COLUMN
        ),
        COMPLETENESS_COLUMN: _completeness(run),
        WITHHELD_COLUMN: _Column(pl.Boolean(), lambda _: pl.col(WITHHELD_COLUMN), WITHHELD_COLUMN)
        if WITHHELD_COLUMN in counted
        else _Column(pl.Boolean(), lambda _: pl.lit(False), UPRN_COLUMN),
    }
    for name, stored in run.stored.items():
        found[BAND_COLUMN if name == BAND_COLUMN else attribute_column(name)] = _attribute(stored)
    for factor in run.factors:
        found[points_column(factor.name)] = _points(points_column(factor.name))
    for name, field in run.fields.items():
        found[field_column(name)] = _field(field_column(name), field)
        found[rejected_column(name)] = _told(rejected_column(name), pl.Boolean(), absent=False)
        for column in (suppressed_column(name), corrected_column(name)):
            found[column] = _told(column, pl.Date(), absent=None)
    for source in run.sources:
        for column, kind in (
            (record_column(source.name), pl.Boolean()),
            (date_column(source.name), pl.Date()),
        ):
            if column in kept:
                found[column] = _told(column, kind, absent=None)
    return found


def _attribute(stored: StoredAttribute) -> _Column:
    known = stored.stored_codes[:-1]

    def made(_: Collection[str]) -> pl.Expr:
        index = pl.col(stored.column)
        return _decoded(pl.when(index < len(known)).then(index), known)

    return _Column(pl.Enum(known), made, stored.column)


def _decoded(index: pl.Expr, codes: Sequence[str]) -> pl.Expr:
    """The codes of indexes: Enum, null where the index is."""
    return pl.lit(pl.Series(codes, dtype=pl.Enum(codes))).gather(index.cast(pl.UInt32))


def _points(name: str) -> _Column:
    def made(_: Collection[str]) -> pl.Expr:
        known = pl.col(name) != UNKNOWN_POINTS
        return pl.when(known).then((pl.col(name) / POINT).round(3))

    return _Column(pl.Float64(), made, needs=(name,))


def _field(name: str, field: StoredField) -> _Column:
    if field.type is FieldType.CATEGORY:
        codes = field.codes
        return _Column(pl.Enum(codes), lambda _: _decoded(pl.col(name), codes), needs=(name,))
    return _Column(VALUE_TYPES[field.type], lambda _: pl.col(name), needs=(name,))


def _told(name: str, kind: pl.DataType, *, absent: Any) -> _Column:
    """A column that only parts have in which it says something."""

    def made(there: Collection[str]) -> pl.Expr:
        return pl.col(name) if name in there else pl.lit(absent, dtype=kind)

    return _Column(kind, made, needs=(name,))


def _completeness(run: RunSummary) -> _Column:
    weights = {points_column(factor.name): factor.weight for factor in run.factors}
    total = sum(weights.values())

    def made(_: Collection[str]) -> pl.Expr:
        known = ((pl.col(name) != UNKNOWN_POINTS) * weight for name, weight in weights.items())
        return pl.sum_horizontal(known) / total

    return _Column(pl.Float64(), made, needs=tuple(weights))
