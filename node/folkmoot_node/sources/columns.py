"""What the columns of a source's batches must be, and become in the node's own types."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from folkmoot_node.sources.connect import ConnectedSource
from folkmoot_node.sources.known_on import NOT_YET, KnownRecords
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.geography import GSS_CODE
from folkmoot_sdk.schema import (
    AREA_COLUMN,
    DATE_COLUMN,
    UPRN_COLUMN,
    Combine,
    Field,
    FieldType,
    Identifier,
    RecordLevel,
)

MAXIMUM_UPRN = 999_999_999_999
"""UPRNs have up to 12 digits (GeoPlace)."""
_SMALL = 30_000
_TIMES = ("years", "days")
_COUNTED = (Combine.COUNT, Combine.COUNT_DISTINCT)
_IDENTIFIER_COLUMNS = frozenset(entry.column for entry in Identifier)


def no_records(source: ConnectedSource, wanted: Sequence[str]) -> pl.DataFrame:
    """An empty frame with the columns and types that a reader gives, but no rows."""
    return pl.DataFrame(schema=Columns(source, wanted).types())


@dataclass(slots=True)
class Column:
    """How one column is checked and converted.

    Attributes:
        name: Column of the batch.
        convert: The value in the node's own type; null where it is not valid.
        sound: Without nulls: True where the value may stay.
        reason: Why it is rejected otherwise.
    """

    name: str
    convert: pl.Expr
    sound: pl.Expr
    reason: str

    def read(self, is_broken: bool) -> pl.Expr:
        """The value, null where it may not stay."""
        return pl.when(self.sound).then(self.convert) if is_broken else self.convert


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a source's batches must be, and become."""

    source: ConnectedSource
    wanted: Sequence[str]
    identifiers: Sequence[Identifier] = ()
    known: KnownRecords | None = None

    @property
    def names(self) -> list[str]:
        """The columns that every batch must have."""
        key = AREA_COLUMN if self.source.schema.level is RecordLevel.AREA else UPRN_COLUMN
        date = [DATE_COLUMN] if self.source.schema.has_date else []
        return [key, *date, *self.wanted, *(entry.column for entry in self.identifiers)]

    @property
    def areas(self) -> list[str]:
        """Those that hold areas."""
        schema = self.source.schema
        return [
            name
            for name in self.names
            if name == AREA_COLUMN
            or (
                name in schema
                and schema[name].type is FieldType.AREA
                and schema[name].combine not in _COUNTED
            )
        ]

    @property
    def summed(self) -> list[str]:
        """The wanted fields that are added up from run to run: amounts, not ages."""
        return [
            name
            for name in self.wanted
            if (field := self.source.schema[name]).type in (FieldType.INTEGER, FieldType.NUMBER)
            and field.combine not in _COUNTED
            and field.unit not in _TIMES
        ]

    def types(self) -> dict[str, pl.DataType | type[pl.DataType]]:
        """Their types once they are checked."""
        return {name: self._type(name) for name in self.names}

    def _type(self, name: str) -> pl.DataType | type[pl.DataType]:
        if name == UPRN_COLUMN:
            return pl.Int64
        if name == AREA_COLUMN:
            return pl.UInt32
        if name == DATE_COLUMN:
            return pl.Date
        declared = self.source.schema[name]
        if declared.combine in _COUNTED:
            return pl.Boolean if declared.combine is Combine.COUNT else pl.UInt64
        if declared.type is FieldType.INTEGER:
            return _integer_type(declared)
        return {
            FieldType.BOOLEAN: pl.Boolean,
            FieldType.NUMBER: pl.Float64,
            FieldType.CATEGORY: pl.Int16,
            FieldType.DATE: pl.Date,
            FieldType.AREA: pl.UInt32,
        }[declared.type]

    def column(self, data: pl.DataFrame, name: str) -> Column:
        """How a column of a batch is checked and converted."""
        if name not in data.columns:
            raise self.broken_contract(f"gives no column {name!r}")
        dtype = data.schema[name]
        value = pl.col(name)
        if name == UPRN_COLUMN:
            self._expect(dtype.is_integer(), name, dtype, "int64")
            sound = value.is_between(1, MAXIMUM_UPRN).fill_null(True)
            return Column(name, value.cast(pl.Int64), sound, "is not a UPRN of 1 to 12 digits")
        if name == DATE_COLUMN:
            self._expect(dtype == pl.Date, name, dtype, "date32")
            return Column(name, value, pl.lit(True), "")
        if name == AREA_COLUMN:
            return self._area(name, dtype)
        if name == Identifier.DATE_OF_BIRTH.column:
            self._expect(dtype == pl.Date, name, dtype, "date32")
            return Column(name, value, pl.lit(True), "")
        if name in _IDENTIFIER_COLUMNS:
            text = dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum)
            self._expect(text, name, dtype, "string")
            return Column(name, value.cast(pl.String), pl.lit(True), "")
        return self._field(self.source.schema[name], dtype)

    def _field(self, declared: Field, dtype: pl.DataType) -> Column:
        value = pl.col(declared.name)
        if declared.combine in _COUNTED:
            return Column(declared.name, _counted(value, dtype, declared), pl.lit(True), "")
        if declared.type is FieldType.CATEGORY:
            return self._category(declared, dtype)
        if declared.type is FieldType.AREA:
            return self._area(declared.name, dtype)
        if declared.type is FieldType.BOOLEAN:
            self._expect(dtype == pl.Boolean, declared.name, dtype, "bool")
            return Column(declared.name, value, pl.lit(True), "")
        if declared.type is FieldType.DATE:
            self._expect(dtype == pl.Date, declared.name, dtype, "date32")
            if self.known is None or not declared.outcome:
                return Column(declared.name, value, pl.lit(True), "")
            sound = (value <= self.known.today).fill_null(True)
            return Column(declared.name, value, sound, NOT_YET)
        if declared.type is FieldType.INTEGER:
            self._expect(dtype.is_integer(), declared.name, dtype, "int32 or int64")
            convert, sound = value.cast(_integer_type(declared)), pl.lit(True)
        else:
            self._expect(dtype.is_numeric(), declared.name, dtype, "float64")
            convert = value.cast(pl.Float64)
            sound = value.is_finite().fill_null(True) if dtype.is_float() else pl.lit(True)
        low, high = declared.minimum, declared.maximum
        if low is not None:
            sound = sound & (value >= low).fill_null(True)
        if high is not None:
            sound = sound & (value <= high).fill_null(True)
        return Column(declared.name, convert, sound, _range_reason(declared))

    def _category(self, declared: Field, dtype: pl.DataType) -> Column:
        value = pl.col(declared.name)
        known = pl.Enum(declared.codes)
        reason = "is not in the code list"
        if dtype == known:
            return Column(declared.name, value.to_physical().cast(pl.Int16), pl.lit(True), reason)
        text = dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum)
        self._expect(text, declared.name, dtype, "string or dictionary of strings")
        coded = value.cast(pl.String).cast(known, strict=False)
        sound = coded.is_not_null() | value.is_null()
        return Column(declared.name, coded.to_physical().cast(pl.Int16), sound, reason)

    def _area(self, name: str, dtype: pl.DataType) -> Column:
        text = dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum)
        self._expect(text, name, dtype, "string")
        value = pl.col(name).cast(pl.String)
        return Column(
            name,
            value,
            value.str.contains(f"^{GSS_CODE}$").fill_null(True),
            "is not a GSS code (a letter and eight digits)",
        )

    def _expect(self, right: bool, name: str, dtype: pl.DataType, expected: str) -> None:
        if not right:
            raise self.broken_contract(
                f"gives column {name!r} as {dtype}, but its schema says {expected}"
            )

    def broken_contract(self, what: str) -> Problem:
        """The fault of a plugin whose batches are not what its schema says."""
        return Problem(
            f"plugin {self.source.origin} {what}",
            where=f"source {self.source.name}",
            remedy="Run `folkmoot-plugin check`, or report it to the plugin's supplier",
            exit_code=ExitCode.FAULT,
        )


def _counted(value: pl.Expr, dtype: pl.DataType, declared: Field) -> pl.Expr:
    """What is counted need not be kept, and may say who somebody is.

    Of two different values of one household one in 2^64 pairs has the same hash.
    """
    known = value.is_not_null()
    if declared.combine is Combine.COUNT:
        return pl.when(known).then(pl.lit(True))
    if dtype == pl.UInt64:
        return value
    text = isinstance(dtype, pl.Categorical | pl.Enum)
    return pl.when(known).then((value.cast(pl.String) if text else value).hash())


def _integer_type(declared: Field) -> type[pl.DataType]:
    """A small type for what is known to be small, such as ages; sums may need more."""
    low, high = declared.minimum, declared.maximum
    small = low is not None and high is not None and low >= -_SMALL and high <= _SMALL
    return pl.Int16 if small and declared.combine is not Combine.SUM else pl.Int64


def _range_reason(declared: Field) -> str:
    low, high = declared.minimum, declared.maximum
    if low is not None and high is not None:
        return f"is not a number from {low:g} to {high:g}"
    if low is not None:
        return f"is not a number from {low:g}"
    if high is not None:
        return f"is not a number up to {high:g}"
    return "is not a finite number"
