"""Reads a source and checks its records against the declared schema.

What leaves this module has the node's own types, holds the wanted fields and no other,
and satisfies the schema. Everything else went to quarantine.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import polars as pl

from folkmoot_node.faults import plugin_fault
from folkmoot_node.sources.connect import ConnectedSource
from folkmoot_node.sources.identifiers import FILE, ROW
from folkmoot_node.sources.quarantine import Quarantine
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.errors import PluginError
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
from folkmoot_sdk.source import ReadContext, Records, Rejection

MAXIMUM_UPRN = 999_999_999_999
"""UPRNs have up to 12 digits (GeoPlace)."""

_SMALL = 30_000
_COUNTED = (Combine.COUNT, Combine.COUNT_DISTINCT)
_IDENTIFIER_COLUMNS = frozenset(entry.column for entry in Identifier)


class RecordReader:
    """Reads one source, batch by batch.

    Attributes:
        sound: Number of records that were read and sound.
        labels: For each area column the codes that its indexes stand for.
        latest: Latest record date, None if the schema has none.
    """

    def __init__(
        self,
        source: ConnectedSource,
        wanted: Sequence[str],
        reference_date: datetime.date,
        quarantine: Quarantine,
        identifiers: Sequence[Identifier] = (),
    ) -> None:
        self.sound = 0
        self.labels: dict[str, tuple[str, ...]] = {}
        self.latest: datetime.date | None = None
        self._source = source
        self._wanted = wanted
        self._reference_date = reference_date
        self._quarantine = quarantine
        self._left_out: Counter[str] = Counter()
        self._origins: dict[str, None] = {}
        self._identifiers = tuple(identifiers)
        self._columns = _Columns(source, wanted, self._identifiers)
        self._areas: dict[str, dict[str, int]] = {name: {} for name in self._columns.areas}

    @property
    def origins(self) -> tuple[str, ...]:
        """Files or tables that were read, in order."""
        return tuple(self._origins)

    @property
    def left_out(self) -> Mapping[str, int]:
        """Number of sound records that the source left out on purpose, by reason."""
        return {reason: records for reason, records in self._left_out.items() if records}

    def __iter__(self) -> Iterator[pl.DataFrame]:
        """Yields the sound records of each batch.

        `uprn` (Int64; null if the record has none) or `area` (index into its labels),
        `record_date` (Date) if the schema has one, and the wanted fields: Boolean, integers,
        Float64, Date; categories as Int16 index into their codes; areas as UInt32 index
        into their labels. With identifiers, their columns too, and `FILE` and `ROW`, which
        say where the record stands.

        Raises:
            Problem: Exit code DATA if the source cannot be read, UNREACHABLE if it cannot now
                and trying again may help, FAULT if its plugin breaks its contract.
        """

        def leave_out(reason: str, records: int) -> None:
            self._left_out[reason] += records

        context = ReadContext(
            tuple(self._wanted),
            self._reference_date,
            self._quarantine.reject,
            leave_out=leave_out,
            identifiers=self._identifiers,
        )
        source = self._source
        try:
            for batch in source.source.read(context):
                yield self._checked(batch)
        except PluginError as error:
            code = ExitCode.UNREACHABLE if error.transient else ExitCode.DATA
            raise Problem(
                error.problem, where=error.where, remedy=error.remedy, exit_code=code
            ) from None
        except Problem:
            raise
        except Exception as error:
            raise plugin_fault(source.origin, f"source {source.name}", error) from None
        finally:
            self._quarantine.close()
        self.labels = {name: tuple(codes) for name, codes in self._areas.items()}

    def _checked(self, batch: Records) -> pl.DataFrame:
        """The sound records of a batch; the others go to quarantine."""
        self._origins[batch.origin] = None
        data = batch.data if isinstance(batch.data, pl.DataFrame) else pl.DataFrame(batch.data)
        columns = [self._columns.column(data, name) for name in self._columns.names]
        data = data.select([column.name for column in columns])
        if self._identifiers:
            data = data.with_columns(pl.lit(batch.origin).alias(FILE), _rows(batch, data.height))
        faults = data.select((~column.sound).any().alias(column.name) for column in columns)
        broken = [column for column in columns if faults.item(0, column.name)]
        if broken:
            data = self._reject(batch, data, broken)
        places = [FILE, ROW] if self._identifiers else []
        sound = data.select(*places, *(column.convert.alias(column.name) for column in columns))
        sound = sound.with_columns(
            _indexed(sound[name], codes) for name, codes in self._areas.items()
        )
        self.sound += sound.height
        if DATE_COLUMN in sound.columns:
            dates = [date for date in (self.latest, sound[DATE_COLUMN].max()) if date is not None]
            self.latest = cast(datetime.date | None, max(dates, default=None))
        return sound

    def _reject(
        self, batch: Records, data: pl.DataFrame, broken: Sequence[_Column]
    ) -> pl.DataFrame:
        kept = pl.lit(True)
        for column in broken:
            rows = data.select((~column.sound).arg_true()).to_series().to_list()
            values = data[column.name].gather(rows).to_list()
            self._quarantine.reject([
                Rejection(
                    batch.origin,
                    int(batch.rows[at]) if batch.rows is not None else batch.first_row + at,
                    column.name,
                    column.reason,
                    str(value),
                )
                for at, value in zip(rows, values, strict=True)
            ])  # fmt: skip
            kept = kept & column.sound
        return data.filter(kept)


def _rows(batch: Records, count: int) -> pl.Series:
    if batch.rows is not None:
        return pl.Series(ROW, list(batch.rows), pl.Int64)
    return pl.int_range(batch.first_row, batch.first_row + count, eager=True).alias(ROW)


def no_records(source: ConnectedSource, wanted: Sequence[str]) -> pl.DataFrame:
    """An empty frame with the columns and types that a reader gives, but no rows."""
    return pl.DataFrame(schema=_Columns(source, wanted).types())


@dataclass(slots=True)
class _Column:
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


@dataclass(frozen=True, slots=True)
class _Columns:
    """What the columns of a source's batches must be, and become."""

    source: ConnectedSource
    wanted: Sequence[str]
    identifiers: Sequence[Identifier] = ()

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

    def column(self, data: pl.DataFrame, name: str) -> _Column:
        """How a column of a batch is checked and converted."""
        if name not in data.columns:
            raise self._broken_contract(f"gives no column {name!r}")
        dtype = data.schema[name]
        value = pl.col(name)
        if name == UPRN_COLUMN:
            self._expect(dtype.is_integer(), name, dtype, "int64")
            sound = value.is_between(1, MAXIMUM_UPRN).fill_null(True)
            return _Column(name, value.cast(pl.Int64), sound, "is not a UPRN of 1 to 12 digits")
        if name == DATE_COLUMN:
            self._expect(dtype == pl.Date, name, dtype, "date32")
            return _Column(name, value, pl.lit(True), "")
        if name == AREA_COLUMN:
            return self._area(name, dtype)
        if name == Identifier.DATE_OF_BIRTH.column:
            self._expect(dtype == pl.Date, name, dtype, "date32")
            return _Column(name, value, pl.lit(True), "")
        if name in _IDENTIFIER_COLUMNS:
            text = dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum)
            self._expect(text, name, dtype, "string")
            return _Column(name, value.cast(pl.String), pl.lit(True), "")
        return self._field(self.source.schema[name], dtype)

    def _field(self, declared: Field, dtype: pl.DataType) -> _Column:
        value = pl.col(declared.name)
        if declared.combine in _COUNTED:
            return _Column(declared.name, _counted(value, dtype, declared), pl.lit(True), "")
        if declared.type is FieldType.CATEGORY:
            return self._category(declared, dtype)
        if declared.type is FieldType.AREA:
            return self._area(declared.name, dtype)
        if declared.type is FieldType.BOOLEAN:
            self._expect(dtype == pl.Boolean, declared.name, dtype, "bool")
            return _Column(declared.name, value, pl.lit(True), "")
        if declared.type is FieldType.DATE:
            self._expect(dtype == pl.Date, declared.name, dtype, "date32")
            return _Column(declared.name, value, pl.lit(True), "")
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
        return _Column(declared.name, convert, sound, _range_reason(declared))

    def _category(self, declared: Field, dtype: pl.DataType) -> _Column:
        value = pl.col(declared.name)
        known = pl.Enum(declared.codes)
        reason = "is not in the code list"
        if dtype == known:
            return _Column(declared.name, value.to_physical().cast(pl.Int16), pl.lit(True), reason)
        text = dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum)
        self._expect(text, declared.name, dtype, "string or dictionary of strings")
        coded = value.cast(pl.String).cast(known, strict=False)
        sound = coded.is_not_null() | value.is_null()
        return _Column(declared.name, coded.to_physical().cast(pl.Int16), sound, reason)

    def _area(self, name: str, dtype: pl.DataType) -> _Column:
        text = dtype == pl.String or isinstance(dtype, pl.Categorical | pl.Enum)
        self._expect(text, name, dtype, "string")
        value = pl.col(name).cast(pl.String)
        return _Column(
            name,
            value,
            value.str.contains(f"^{GSS_CODE}$").fill_null(True),
            "is not a GSS code (a letter and eight digits)",
        )

    def _expect(self, right: bool, name: str, dtype: pl.DataType, expected: str) -> None:
        if not right:
            raise self._broken_contract(
                f"gives column {name!r} as {dtype}, but its schema says {expected}"
            )

    def _broken_contract(self, what: str) -> Problem:
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


def _indexed(codes: pl.Series, known: dict[str, int]) -> pl.Series:
    """The index of each code, in the order in which codes are first seen."""
    for code in codes.unique(maintain_order=True).drop_nulls().to_list():
        known.setdefault(code, len(known))
    return codes.cast(pl.Enum(list(known))).to_physical().cast(pl.UInt32)


def _range_reason(declared: Field) -> str:
    low, high = declared.minimum, declared.maximum
    if low is not None and high is not None:
        return f"is not a number from {low:g} to {high:g}"
    if low is not None:
        return f"is not a number from {low:g}"
    if high is not None:
        return f"is not a number up to {high:g}"
    return "is not a finite number"
