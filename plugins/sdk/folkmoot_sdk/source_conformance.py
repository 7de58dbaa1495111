"""What `conformance.check_source` checks."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from folkmoot_sdk import arrow
from folkmoot_sdk.declarations import source_faults
from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.parameters import build
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
from folkmoot_sdk.source import DataSource, ReadContext, Records, Rejection

REFERENCE_DATE = datetime.date(2026, 4, 1)
_COUNTED = (Combine.COUNT, Combine.COUNT_DISTINCT)


class _Fault(Exception):
    """Stops the checks that make no sense after a fault."""


def source_conformance(
    cls: type[DataSource], options: Mapping[str, Any], reference_date: datetime.date
) -> tuple[str, ...]:
    """Checks a source; see `conformance.check_source`.

    Returns:
        The faults, one sentence each; empty if there are none.
    """
    faults = list(source_faults(cls))
    if faults:
        return tuple(faults)
    try:
        source = _make(cls, options)
        schema = _schema(source)
    except _Fault as fault:
        return (str(fault),)
    names = [field.name for field in schema.fields]
    offered = schema.identifiers
    reads: dict[str, tuple[list[str], tuple[Identifier, ...]]] = {
        "all fields": (names, ()),
        "the first field": (names[:1], ()),
        "no field": ([], ()),
        "all fields again": (names, ()),
    }
    if offered:
        reads["all identifiers"] = (names[:1], offered)
        reads |= {f"only {entry.value}": ([], (entry,)) for entry in offered}
    rows: dict[str, _Told] = {}
    for what, (wanted, identifiers) in reads.items():
        try:
            rows[what] = _read(source, schema, wanted, identifiers, reference_date)
        except _Fault as fault:
            faults.append(f"reading {what}: {fault}")
    first, again = rows.get("all fields"), rows.get("all fields again")
    if (
        first is not None
        and again is not None
        and first.handed_on.total() != again.handed_on.total()
    ):
        faults.append(
            f"reading again gives {again.handed_on.total()} records, not {first.handed_on.total()}"
        )
    keys = rows.get("no field")
    if first is not None and keys is not None:
        faults += _lost(first, keys)
    return tuple(faults)


@dataclass(frozen=True, slots=True)
class _Told:
    """What a source told of its records.

    Attributes:
        handed_on: File and row of each record in a batch.
        rejected: File and row of each value, or record, that could not be read.
    """

    handed_on: Counter[tuple[str, int]]
    rejected: frozenset[tuple[str, int]]


def _lost(fields: _Told, keys: _Told) -> list[str]:
    """The fault of leaving out a record whose key can be read, since a field cannot."""
    lost = sorted((fields.rejected & set(keys.handed_on)) - set(fields.handed_on))
    if not lost:
        return []
    file, row = lost[0]
    return [
        f"leaves out {len(lost)} records of which a field could not be read, such as row {row} of "
        f"{file}: hand them on with null, and name the field in `Records.unread`; otherwise their "
        "households look like those without a record"
    ]


def _make(cls: type[DataSource], options: Mapping[str, Any]) -> DataSource:
    given = {key: str(value) if key == "base" else value for key, value in options.items()}
    try:
        return cls(build(cls.Options, given, "options"))
    except PluginError as error:
        raise _Fault(f"cannot be made: {error}") from None
    except Exception as error:
        raise _Fault(f"cannot be made: {_said(error)}") from None


def _schema(source: DataSource) -> Schema:
    try:
        schema: object = source.schema
        again = source.schema
    except Exception as error:
        raise _Fault(f"`schema` raises {_said(error)}") from None
    if not isinstance(schema, Schema):
        raise _Fault(f"`schema` is {type(schema).__name__}, not folkmoot_sdk.Schema")
    if schema != again:
        raise _Fault("`schema` differs from call to call")
    return schema


def _read(
    source: DataSource,
    schema: Schema,
    wanted: list[str],
    identifiers: tuple[Identifier, ...],
    reference_date: datetime.date,
) -> _Told:
    rejected: list[object] = []
    left_out: list[tuple[object, object]] = []
    context = ReadContext(
        tuple(wanted),
        reference_date,
        rejected.extend,
        leave_out=lambda reason, records: left_out.append((reason, records)),
        identifiers=identifiers,
    )
    handed_on: Counter[tuple[str, int]] = Counter()
    unread = 0
    try:
        for batch in source.read(context):
            handed_on.update(_batch(batch, schema, wanted, identifiers))
            unread += sum(len(places) for places in batch.unread.values())
    except (_Fault, PluginError) as error:
        raise _Fault(str(error)) from None
    except Exception as error:
        raise _Fault(f"raises {_said(error)}") from None
    for entry in rejected:
        if not isinstance(entry, Rejection):
            raise _Fault(f"hands {type(entry).__name__} to `reject`, not folkmoot_sdk.Rejection")
        if not entry.reason or not entry.file:
            raise _Fault("rejects a record without file or reason")
    for reason, records in left_out:
        if not isinstance(reason, str) or not reason:
            raise _Fault("leaves records out without a reason")
        if not isinstance(records, int) or records < 0:
            raise _Fault(f"leaves out {records!r} records")
    if unread and not rejected:
        raise _Fault("names values that could not be read, and hands none of them to `reject`")
    told = frozenset((entry.file, entry.row) for entry in rejected if isinstance(entry, Rejection))
    return _Told(handed_on, told)


def _batch(
    batch: object, schema: Schema, wanted: list[str], identifiers: tuple[Identifier, ...]
) -> list[tuple[str, int]]:
    """Checks a batch; gives the file and row of each record."""
    if not isinstance(batch, Records):
        raise _Fault(f"yields {type(batch).__name__}, not folkmoot_sdk.Records")
    try:
        found = arrow.shape(batch.data)
    except (TypeError, ValueError) as error:
        raise _Fault(str(error)) from None
    if not batch.origin:
        raise _Fault("yields records without an origin")
    if batch.rows is not None and len(batch.rows) != found.rows:
        raise _Fault(f"yields {found.rows} records and {len(batch.rows)} row numbers")
    _check_keys(found, schema)
    _check_identifiers(found, identifiers)
    keys = {UPRN_COLUMN, DATE_COLUMN, AREA_COLUMN}
    keys |= {entry.column for entry in identifiers}
    for name in found.columns:
        if name not in wanted and name not in keys:
            raise _Fault(f"yields column {name!r}, which was not asked for")
    for name in wanted:
        if name not in found.columns:
            raise _Fault(f"yields no column {name!r}")
        declared = schema[name]
        column = found.columns[name]
        if declared.combine not in _COUNTED and not arrow.fits(column, declared.type):
            raise _Fault(f"yields column {name!r} as {column}; declared is {declared.type.value}")
    for name, places in batch.unread.items():
        if name not in found.columns:
            raise _Fault(f"could not read {name!r}, which is no column")
        if any(not 0 <= place < found.rows for place in places):
            raise _Fault(f"names records in `unread` of {name!r} that have no place in the batch")
    rows = batch.rows
    if rows is None:
        rows = range(batch.first_row, batch.first_row + found.rows)
    return [(batch.origin, int(row)) for row in rows]


def _check_keys(found: arrow.Shape, schema: Schema) -> None:
    needed = {AREA_COLUMN: FieldType.AREA} if schema.level is RecordLevel.AREA else {}
    if schema.level is not RecordLevel.AREA:
        needed[UPRN_COLUMN] = FieldType.INTEGER
    if schema.has_date:
        needed[DATE_COLUMN] = FieldType.DATE
    for name, kind in needed.items():
        if name not in found.columns:
            raise _Fault(f"yields no column {name!r}")
        if not arrow.fits(found.columns[name], kind):
            raise _Fault(f"yields column {name!r} as {found.columns[name]}")


def _check_identifiers(found: arrow.Shape, identifiers: tuple[Identifier, ...]) -> None:
    for entry in identifiers:
        if entry.column not in found.columns:
            raise _Fault(f"yields no column {entry.column!r}")
        is_date = entry is Identifier.DATE_OF_BIRTH
        column = found.columns[entry.column]
        if not arrow.fits(column, FieldType.DATE if is_date else FieldType.AREA):
            expected = "date32" if is_date else "string"
            raise _Fault(f"yields column {entry.column!r} as {column}; it is to be {expected}")


def _said(error: Exception) -> str:
    text = str(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
