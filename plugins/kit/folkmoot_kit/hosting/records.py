"""Checks batches of records against what was asked for, before anything uses them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import types

from folkmoot_kit.channel import columns
from folkmoot_kit.channel.frames import Message
from folkmoot_kit.channel.words import LONGEST_LINE, MOST_ROWS, ROWS_COLUMN, UNREAD_COLUMN
from folkmoot_kit.hosting import answers, texts
from folkmoot_kit.hosting.answers import Garbage
from folkmoot_kit.hosting.errors import Asked
from folkmoot_kit.hosting.failure import FailureKind
from folkmoot_kit.hosting.text_columns import check_lengths, is_text
from folkmoot_sdk.schema import (
    AREA_COLUMN,
    DATE_COLUMN,
    UPRN_COLUMN,
    Combine,
    FieldType,
    Identifier,
    RecordLevel,
    Schema,
)
from folkmoot_sdk.source import ReadContext, Records

_COUNTED = (Combine.COUNT, Combine.COUNT_DISTINCT)
_LAST_ROW = (1 << 63) - 1 - MOST_ROWS
_ENUM = b"_PL_ENUM_VALUES2"
"""Where Polars writes the codes of a category."""
_NAMES = {
    FieldType.BOOLEAN: "bool",
    FieldType.INTEGER: "int32 or int64",
    FieldType.NUMBER: "float64",
    FieldType.CATEGORY: "string or dictionary of strings",
    FieldType.DATE: "date32",
    FieldType.AREA: "string",
}


class Batches:
    """What the batches of one read must be.

    Args:
        schema: The schema of the source.
        context: What was asked for.
        asked: Whom to name.
    """

    def __init__(self, schema: Schema, context: ReadContext, asked: Asked) -> None:
        self._asked = asked
        self._types: dict[str, FieldType | None] = {}
        self._codes = {
            entry.name: list(entry.codes)
            for entry in schema.fields
            if entry.codes and entry.combine not in _COUNTED
        }
        if schema.level is RecordLevel.AREA:
            self._types[AREA_COLUMN] = FieldType.AREA
        else:
            self._types[UPRN_COLUMN] = FieldType.INTEGER
        if schema.has_date:
            self._types[DATE_COLUMN] = FieldType.DATE
        for name in context.fields:
            declared = schema[name]
            self._types[name] = None if declared.combine in _COUNTED else declared.type
        for entry in context.identifiers:
            is_date = entry is Identifier.DATE_OF_BIRTH
            self._types[entry.column] = FieldType.DATE if is_date else FieldType.AREA

    def records(self, message: Message) -> Records | None:
        """The batch of a message; None if it has none.

        Returns:
            Its `data` are a pyarrow table with the columns that were asked for, of the types of
            the schema, null where unknown.

        Raises:
            Garbage: If the message is no batch.
            FrameError: If its columns are none.
            PluginFailure: If the batch is not what was asked for.
        """
        if message.columns is None:
            return None
        table = columns.read(message.columns)
        count = answers.whole(message.body, "rows", 0, MOST_ROWS)
        if table.num_rows != count:
            raise Garbage("another number of records than was said")
        origin = texts.line(message.body.get("origin"), LONGEST_LINE)
        first_row = answers.whole(message.body, "first_row", -_LAST_ROW, _LAST_ROW)
        self._check_names(table.column_names)
        self._check_types(table.schema)
        columns.validate(table)
        for column in table.columns:
            check_lengths(column)
        if not origin:
            raise self._breach("yields records without an origin")
        return Records(
            pa.table([table.column(name) for name in self._types], schema=self._schema(table)),
            origin,
            first_row,
            _rows(table),
            {name: at for name in self._types if (at := _unread(table, name)) is not None},
        )

    def _schema(self, table: pa.Table) -> pa.Schema:
        """The columns of a batch without what else was said of them.

        A library may believe what metadata say of a column's values, and not look. What Polars
        writes of a category is kept where it is true: it then need not go through the texts.
        """
        return pa.schema(
            [
                pa.field(name, table.schema.field(name).type, metadata=self._true(table, name))
                for name in self._types
            ]
        )

    def _true(self, table: pa.Table, name: str) -> dict[bytes, bytes] | None:
        column = table.column(name)
        codes = self._codes.get(name)
        if codes is None or not types.is_dictionary(column.type):
            return None
        true = {_ENUM: "".join(f"{len(code.encode())};{code}" for code in codes).encode()}
        held = all(chunk.dictionary.to_pylist() == codes for chunk in column.chunks)
        return true if held and table.schema.field(name).metadata == true else None

    def _check_names(self, names: Sequence[str]) -> None:
        if len(set(names)) != len(names):
            raise self._breach("yields a column twice")
        for name in self._types:
            if name not in names:
                raise self._breach(f"yields no column {name!r}")
        marks = {ROWS_COLUMN, *(UNREAD_COLUMN + name for name in self._types)}
        if not set(names) <= marks | set(self._types):
            raise self._breach("yields a column that was not asked for")

    def _check_types(self, schema: pa.Schema) -> None:
        for name, declared in self._types.items():
            found = schema.field(name).type
            fits = _is_flat(found) if declared is None else _fits(found, declared)
            if not fits:
                shown = "a flat type" if declared is None else _NAMES[declared]
                raise self._breach(f"yields column {name!r} that is not {shown}")
        for field in schema:
            if field.name == ROWS_COLUMN and field.type != pa.int64():
                raise Garbage("row numbers of another type")
            if field.name.startswith(UNREAD_COLUMN) and field.type != pa.bool_():
                raise Garbage("marks of another type")

    def _breach(self, problem: str) -> Exception:
        return self._asked.failure(FailureKind.CONTRACT, problem)


def _fits(found: pa.DataType, declared: FieldType) -> bool:
    if declared in (FieldType.CATEGORY, FieldType.AREA):
        return is_text(found)
    if declared is FieldType.INTEGER:
        return bool(found in (pa.int32(), pa.int64()))
    plain = {
        FieldType.BOOLEAN: pa.bool_(),
        FieldType.NUMBER: pa.float64(),
        FieldType.DATE: pa.date32(),
    }
    return bool(found == plain[declared])


def _is_flat(found: pa.DataType) -> bool:
    """Whether values of the type can be counted: of fixed width, or texts."""
    plain = (
        types.is_boolean(found)
        or types.is_integer(found)
        or types.is_floating(found)
        or types.is_date(found)
        or types.is_timestamp(found)
    )
    return plain or is_text(found)


def _rows(table: pa.Table) -> Sequence[int] | None:
    if ROWS_COLUMN not in table.column_names:
        return None
    column = table.column(ROWS_COLUMN)
    if column.null_count:
        raise Garbage("a row without a number")
    return _array(column)  # type: ignore[return-value]


def _unread(table: pa.Table, name: str) -> Sequence[int] | None:
    marks = UNREAD_COLUMN + name
    if marks not in table.column_names:
        return None
    column = table.column(marks)
    if column.null_count:
        raise Garbage("a mark that is unknown")
    places: list[int] = np.flatnonzero(_array(column)).tolist()
    return places


def _array(column: pa.ChunkedArray) -> npt.NDArray[Any]:
    """The values of a column without nulls, shape (rows,)."""
    pieces = [columns.fixed(chunk) for chunk in column.chunks]
    return pieces[0] if len(pieces) == 1 else np.concatenate([*pieces, np.empty(0, np.int64)])
