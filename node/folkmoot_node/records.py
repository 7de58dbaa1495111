"""Reads a source and checks its records against the declared schema.

What leaves this module has the node's own types, holds the wanted fields and no other,
and satisfies the schema. Everything else went to quarantine.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import polars as pl

from folkmoot_node.faults import plugin_fault
from folkmoot_node.plugins import ConnectedSource
from folkmoot_node.quarantine import Quarantine
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.schema import (
    AREA_COLUMN,
    DATE_COLUMN,
    UPRN_COLUMN,
    Combine,
    Field,
    FieldType,
    Level,
)
from folkmoot_sdk.source import ReadContext, Records, Rejection

MAXIMUM_UPRN = 999_999_999_999
"""UPRNs have up to 12 digits (GeoPlace)."""

_SMALL = 30_000
_GSS = r"^[EWSNKJ]\d{8}$"


@dataclass(slots=True)
class SourceRecords:
    """The sound records of one source.

    Attributes:
        frame: `uprn` (Int64; null if the record has none) or `area` (index into its
            labels), `record_date` (Date) if the schema has one, and the wanted fields:
            Boolean, integers, Float64, Date; categories as Int16 index into their codes;
            areas as UInt32 index into their labels.
        labels: For each area column the codes that occur, ascending.
        rejected: Number of records in quarantine.
        origins: Files or tables that were read, in order.
        latest: Latest record date, None if the schema has none.
        left_out: Number of sound records that the source left out on purpose, by reason.
    """

    frame: pl.DataFrame
    labels: Mapping[str, tuple[str, ...]]
    rejected: int
    origins: tuple[str, ...]
    latest: datetime.date | None
    left_out: Mapping[str, int]


def read_records(
    source: ConnectedSource,
    wanted: Sequence[str],
    reference_date: datetime.date,
    quarantine: Quarantine,
) -> SourceRecords:
    """Reads the wanted fields of a source.

    Raises:
        Problem: Exit code DATA if the source cannot be read, UNREACHABLE if it cannot now and
            trying again may help, FAULT if its plugin breaks
            its contract.
    """
    left_out: Counter[str] = Counter()

    def leave_out(reason: str, records: int) -> None:
        left_out[reason] += records

    context = ReadContext(tuple(wanted), reference_date, quarantine.reject, leave_out=leave_out)
    reader = _Reader(source, wanted, quarantine)
    try:
        for batch in source.source.read(context):
            reader.add(batch)
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
        quarantine.close()
    return reader.result({reason: n for reason, n in left_out.items() if n})


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


@dataclass(slots=True)
class _Reader:
    """Collects the batches of one source."""

    source: ConnectedSource
    wanted: Sequence[str]
    quarantine: Quarantine
    _frames: list[pl.DataFrame] = field(default_factory=list)
    _origins: dict[str, None] = field(default_factory=dict)

    def add(self, batch: Records) -> None:
        """Checks one batch and keeps its sound records."""
        self._origins[batch.origin] = None
        data = batch.data if isinstance(batch.data, pl.DataFrame) else pl.DataFrame(batch.data)
        columns = [self._column(data, name) for name in self._names()]
        data = data.select([column.name for column in columns])
        faults = data.select((~column.sound).any().alias(column.name) for column in columns)
        broken = [column for column in columns if faults.item(0, column.name)]
        if broken:
            data = self._reject(batch, data, broken)
        self._frames.append(data.select(column.convert.alias(column.name) for column in columns))

    def result(self, left_out: Mapping[str, int]) -> SourceRecords:
        """All records together."""
        if self._frames:
            frame = pl.concat(self._frames)
        else:
            frame = pl.DataFrame(schema={name: self._empty_type(name) for name in self._names()})
        self._frames.clear()
        areas = [name for name in frame.columns if isinstance(frame.schema[name], pl.Categorical)]
        labels = {name: _labels(frame[name]) for name in areas}
        frame = frame.with_columns(
            pl.col(name).cast(pl.Enum(labels[name])).to_physical().cast(pl.UInt32) for name in areas
        )
        latest = frame[DATE_COLUMN].max() if DATE_COLUMN in frame.columns else None
        return SourceRecords(
            frame=frame,
            labels=labels,
            rejected=self.quarantine.rejected,
            origins=tuple(self._origins),
            latest=latest if isinstance(latest, datetime.date) else None,
            left_out=left_out,
        )

    def _names(self) -> list[str]:
        key = AREA_COLUMN if self.source.schema.level is Level.AREA else UPRN_COLUMN
        date = [DATE_COLUMN] if self.source.schema.has_date else []
        return [key, *date, *self.wanted]

    def _empty_type(self, name: str) -> pl.DataType | type[pl.DataType]:
        if name == UPRN_COLUMN:
            return pl.Int64
        if name == AREA_COLUMN:
            return pl.Categorical
        if name == DATE_COLUMN:
            return pl.Date
        declared = self.source.schema[name]
        if declared.type is FieldType.INTEGER:
            return _integer_type(declared)
        return {
            FieldType.BOOLEAN: pl.Boolean,
            FieldType.NUMBER: pl.Float64,
            FieldType.CATEGORY: pl.Int16,
            FieldType.DATE: pl.Date,
            FieldType.AREA: pl.Categorical,
        }[declared.type]

    def _column(self, data: pl.DataFrame, name: str) -> _Column:
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
        return self._field(self.source.schema[name], dtype)

    def _field(self, declared: Field, dtype: pl.DataType) -> _Column:
        value = pl.col(declared.name)
        if declared.combine in {Combine.COUNT, Combine.COUNT_DISTINCT}:
            return _Column(declared.name, value, pl.lit(True), "")
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
            value.cast(pl.Categorical),
            value.str.contains(_GSS).fill_null(True),
            "is not a GSS code (a letter and eight digits)",
        )

    def _reject(
        self, batch: Records, data: pl.DataFrame, broken: Sequence[_Column]
    ) -> pl.DataFrame:
        kept = pl.lit(True)
        for column in broken:
            rows = data.select((~column.sound).arg_true()).to_series().to_list()
            values = data[column.name].gather(rows).to_list()
            self.quarantine.reject([
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


def _integer_type(declared: Field) -> type[pl.DataType]:
    """A small type for what is known to be small, such as ages; sums may need more."""
    low, high = declared.minimum, declared.maximum
    small = low is not None and high is not None and low >= -_SMALL and high <= _SMALL
    return pl.Int16 if small and declared.combine is not Combine.SUM else pl.Int64


def _labels(series: pl.Series) -> tuple[str, ...]:
    """The codes that occur, ascending."""
    return tuple(series.unique().drop_nulls().cast(pl.String).sort().to_list())


def _range_reason(declared: Field) -> str:
    low, high = declared.minimum, declared.maximum
    if low is not None and high is not None:
        return f"is not a number from {low:g} to {high:g}"
    if low is not None:
        return f"is not a number from {low:g}"
    if high is not None:
        return f"is not a number up to {high:g}"
    return "is not a finite number"
