"""Turns the columns of a file into values, and finds what is malformed.

Parsing is columnar: a value that cannot be read becomes null, and the cheap question
"are there more nulls than before?" comes first. Only if there are, the unreadable values
are looked at one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import polars as pl

from folkmoot_plugin_extracts.codes import Boolean
from folkmoot_plugin_extracts.columns import Text
from folkmoot_plugin_extracts.numbers import Number
from folkmoot_plugin_extracts.reader import Reader


@dataclass(frozen=True, slots=True)
class Parsed:
    """One column, read.

    Attributes:
        values: The values, null where unknown or malformed.
        malformed: True where malformed; None if nothing is.
    """

    values: pl.Series
    malformed: pl.Series | None


@dataclass(frozen=True, slots=True)
class Fault:
    """What is malformed in some rows.

    Attributes:
        columns: The columns that the fault is in: several if they do not go together.
        rows: Boolean, never null: True for the rows.
        reasons: From some texts to the reason of each.
    """

    columns: tuple[str, ...]
    rows: pl.Series
    reasons: Callable[[Sequence[str]], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Read:
    """A value of each row, read from one column or made of several.

    Attributes:
        values: The values, null where unknown or malformed.
        malformed: Boolean, never null: True where there is no value since something is
            malformed; None if nothing is.
        faults: What is malformed, also where another column gave the value.
    """

    values: pl.Series
    malformed: pl.Series | None = None
    faults: Sequence[Fault] = field(default_factory=list)


def read_columns(
    reader: Reader, columns: Sequence[str], frame: pl.DataFrame, nulls: Sequence[str]
) -> Read:
    """Reads one column, or makes one value of several.

    A part that is blank does not count, as long as another is there.

    Args:
        reader: How the value is read.
        columns: The columns; more than one if the reader joins several.
        frame: The rows as they stand in the file.
        nulls: Texts that stand for an unknown value, as an empty cell does.
    """
    if len(columns) == 1:
        read = read_column(reader, frame[columns[0]], nulls)
        if read.malformed is None:
            return Read(read.values)
        return Read(
            read.values, read.malformed, [Fault((columns[0],), read.malformed, reader.faults)]
        )
    parts, faults = [], []
    nothing = pl.repeat(False, frame.height, eager=True)
    blank, broken = ~nothing, nothing
    for column in columns:
        raw = frame[column]
        read = read_column(reader.part, raw, nulls)
        empty = raw.is_null()
        if raw.dtype == pl.String:
            empty |= (raw.str.strip_chars() == "").fill_null(True)
        blank &= empty
        values = read.values
        if isinstance(reader, Number):
            values = values.set(empty, 0)
        parts.append(values)
        if read.malformed is not None:
            broken |= read.malformed
            faults.append(Fault((column,), read.malformed, reader.part.faults))
    joined = reader.join(parts)
    values = joined.values.set(blank, None)
    contradictory = joined.contradictory & ~blank
    if contradictory.any():
        faults.append(Fault(tuple(columns), contradictory, _same(joined.reason)))
    malformed = (broken & values.is_null()) | contradictory
    return Read(values, malformed if malformed.any() else None, faults)


def _same(reason: str) -> Callable[[Sequence[str]], Sequence[str]]:
    return lambda texts: [f"{text} {reason}" for text in texts]


def read_column(reader: Reader, raw: pl.Series, nulls: Iterable[str]) -> Parsed:
    """Reads a column.

    An empty cell and a null value are unknown, unless the reader counts them among its
    own words. Blanks around a value are ignored.
    """
    if "" in reader.words and raw.null_count():
        if raw.dtype == pl.Boolean and isinstance(reader, Boolean):
            return Parsed(raw.fill_null("" in reader.true), None)
        raw = Text().parse(raw).fill_null("")
    unknown = _unknown_values(raw.dtype, [t for t in ("", *nulls) if t not in reader.words])
    if len(unknown) and _pass_for_values(reader, unknown):
        raw = raw.set(_is_one_of(raw, unknown), None)
    if isinstance(reader, Number) and raw.dtype == pl.String:
        raw = _without_numbers(reader, raw, unknown)
    values = reader.parse(raw)
    if values.null_count() == raw.null_count() or (reader.lenient and raw.dtype != pl.String):
        return Parsed(values, None)
    if raw.dtype == pl.String:
        raw = raw.str.strip_chars()
        values = reader.parse(raw)
    if reader.lenient:
        return Parsed(values, None)
    malformed = values.is_null() & raw.is_not_null() & ~_is_one_of(raw, unknown)
    return Parsed(values, malformed if malformed.any() else None)


def _unknown_values(dtype: pl.DataType, texts: list[str]) -> pl.Series:
    """The null values that a column of a type can hold, in that type or float64."""
    if dtype == pl.String:
        return pl.Series(texts, dtype=pl.String)
    if dtype.is_numeric():
        return pl.Series([float(text) for text in texts if _is_number(text)], dtype=pl.Float64)
    dates = pl.Series(texts, dtype=pl.String).str.to_date("%Y-%m-%d", strict=False).drop_nulls()
    return dates.cast(dtype) if dtype.is_temporal() else pl.Series([], dtype=dtype)


def _pass_for_values(reader: Reader, unknown: pl.Series) -> bool:
    """Whether a null value, such as -9 or 01/01/1900, would be read as a value."""
    return unknown.dtype != pl.String or reader.parse(unknown).null_count() < len(unknown)


def _is_one_of(raw: pl.Series, unknown: pl.Series) -> pl.Series:
    """True where a value is one of the null values; False where it is null already."""
    if raw.dtype == pl.String:
        raw = raw.str.strip_chars()
    elif raw.dtype.is_numeric():
        raw = raw.cast(pl.Float64)
    return raw.is_in(unknown.implode()).fill_null(False)


def _without_numbers(reader: Number, raw: pl.Series, unknown: pl.Series) -> pl.Series:
    """The texts without those that are a null value in another writing, as 9999.00 is 9999."""
    numbers = reader.as_written(unknown).drop_nulls()
    if not len(numbers):
        return raw
    found = reader.as_written(raw.str.strip_chars()).is_in(numbers.implode()).fill_null(False)
    return raw.set(found, None) if found.any() else raw


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
