"""One reading of a source: each batch, and what the source says of its records."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from folkmoot_sdk import arrow
from folkmoot_sdk.conformance.findings import Check, Finding, Found, said
from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.parameters import closest
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

READ_FAILS = Check(
    "read-fails", "source", "The source can be read",
    "The council's records are not used, or the run stops.",
    "Raise PluginError(where, problem, remedy) only for what an operator has to fix",
)  # fmt: skip
BATCH_TYPE = Check(
    "batch-type", "source", "`read` yields folkmoot_sdk.Records over an Arrow stream",
    "The node cannot take anything else.",
    "Yield Records(frame, file); frames of Polars, pyarrow, DuckDB and pandas will do",
)  # fmt: skip
COLUMN_MISSING = Check(
    "column-missing", "source", "A batch has the columns that were asked for",
    "A factor would have nothing to score.",
    "Yield each name in `context.fields`, as the schema spells it, and the keys",
)  # fmt: skip
COLUMN_NOT_ASKED = Check(
    "column-not-asked", "source", "A batch has no column that was not asked for",
    "A council may use only what a factor needs: what is not needed is not to be read.",
    "Select `context.fields`, the keys, and `context.identifiers`",
)  # fmt: skip
COLUMN_TYPE = Check(
    "column-type", "source", "Columns have the Arrow types that the schema declares",
    "Values would be cut short or read as something else.",
    "Cast the column: FieldType says which Arrow type each field type has",
)  # fmt: skip
READS_UNASKED = Check(
    "reads-unasked", "source", "The source reads no field that was not asked for",
    "A council may use only what a factor needs: what is not needed is not to be read.",
    "Read the columns behind `context.fields` alone, and check no others",
)  # fmt: skip
ROW_NUMBERS = Check(
    "row-numbers", "source", "Each record has its file and row number",
    "Nobody could find the record that a rejection is about.",
    "Give Records an origin, and `rows` with one number for each record",
)  # fmt: skip
REJECTIONS = Check(
    "rejections", "source", "What cannot be read is handed to `reject` and named in `unread`",
    "The node counts rejections to notice a broken extract; what it is not told of is lost.",
    "Call context.reject with folkmoot_sdk.Rejection, and give places in `unread`",
)  # fmt: skip
LEFT_OUT = Check(
    "left-out", "source", "Records that are left out are counted, with a reason",
    "An operator sees fewer households and cannot know why.",
    "Call context.leave_out(reason, number), the number 0 or more",
)  # fmt: skip

_COUNTED = (Combine.COUNT, Combine.COUNT_DISTINCT)
_KEYS = {UPRN_COLUMN, DATE_COLUMN, AREA_COLUMN}


@dataclass(frozen=True, slots=True)
class Told:
    """What a source told of its records.

    Attributes:
        handed_on: File and row of each record in a batch.
        rejected: File, row and column of the file of each value that could not be read.
        unread: File, row and field of each value that is null for that reason.
    """

    handed_on: Counter[tuple[str, int]]
    rejected: frozenset[tuple[str, int, str]]
    unread: frozenset[tuple[str, int, str]]


@dataclass(frozen=True, slots=True)
class Reading:
    """What is asked of a source in one reading.

    Attributes:
        subject: What findings call the source.
        what: What is read, in words.
        fields: The wanted fields.
        identifiers: The wanted identifiers.
    """

    subject: str
    what: str
    fields: tuple[str, ...]
    identifiers: tuple[Identifier, ...] = ()

    def found(self, check: Check, seen: str, remedy: str = "") -> Found:
        """A finding of this reading, to be raised."""
        return Found(check.finding(f"reading {self.what}: {seen}", self.subject, remedy))


def read(
    source: DataSource, schema: Schema, reading: Reading, reference_date: datetime.date
) -> Told:
    """Reads a source to its end.

    Raises:
        Found: At the first thing that a source may not do.
    """
    rejected: list[object] = []
    left_out: list[tuple[object, object]] = []
    context = ReadContext(
        reading.fields,
        reference_date,
        rejected.extend,
        leave_out=lambda reason, records: left_out.append((reason, records)),
        identifiers=reading.identifiers,
    )
    handed_on: Counter[tuple[str, int]] = Counter()
    unread: set[tuple[str, int, str]] = set()
    try:
        for batch in source.read(context):
            places = _batch(batch, schema, reading)
            handed_on.update(places)
            for name, at in batch.unread.items():
                unread.update((*places[place], name) for place in at)
    except Found:
        raise
    except PluginError as error:
        raise reading.found(READ_FAILS, f"{error.where}: {error.problem}", error.remedy) from None
    except Exception as error:
        raise reading.found(READ_FAILS, f"raises {said(error)}") from None
    _account(reading, rejected, left_out, unread)
    told = frozenset(
        (entry.file, entry.row, entry.field) for entry in rejected if isinstance(entry, Rejection)
    )
    return Told(handed_on, told, frozenset(unread))


def _account(
    reading: Reading,
    rejected: Collection[object],
    left_out: Collection[tuple[object, object]],
    unread: Collection[object],
) -> None:
    for entry in rejected:
        if not isinstance(entry, Rejection):
            seen = f"hands {type(entry).__name__} to `reject`, not folkmoot_sdk.Rejection"
            raise reading.found(REJECTIONS, seen)
        if not entry.reason or not entry.file:
            raise reading.found(REJECTIONS, "rejects a record without file or reason")
    for reason, records in left_out:
        if not isinstance(reason, str) or not reason:
            raise reading.found(LEFT_OUT, "leaves records out without a reason")
        if not isinstance(records, int) or records < 0:
            raise reading.found(LEFT_OUT, f"leaves out {records!r} records")
    if unread and not rejected:
        seen = "names values that could not be read, and hands none of them to `reject`"
        raise reading.found(REJECTIONS, seen)


def _batch(batch: object, schema: Schema, reading: Reading) -> list[tuple[str, int]]:
    """Checks a batch; gives the file and row of each record."""
    if not isinstance(batch, Records):
        seen = f"yields {type(batch).__name__}, not folkmoot_sdk.Records"
        raise reading.found(BATCH_TYPE, seen)
    try:
        found = arrow.shape(batch.data)
    except (TypeError, ValueError) as error:
        raise reading.found(BATCH_TYPE, str(error)) from None
    if not batch.origin:
        raise reading.found(ROW_NUMBERS, "yields records without an origin")
    if batch.rows is not None and len(batch.rows) != found.rows:
        seen = f"yields {found.rows} records and {len(batch.rows)} row numbers"
        raise reading.found(ROW_NUMBERS, seen)
    _columns(found, schema, reading)
    for name, places in batch.unread.items():
        if name not in found.columns:
            raise reading.found(REJECTIONS, f"could not read {name!r}, which is no column")
        if any(not 0 <= place < found.rows for place in places):
            seen = f"names records in `unread` of {name!r} that have no place in the batch"
            raise reading.found(REJECTIONS, seen)
    rows = batch.rows
    if rows is None:
        rows = range(batch.first_row, batch.first_row + found.rows)
    return [(batch.origin, int(row)) for row in rows]


def _columns(found: arrow.Shape, schema: Schema, reading: Reading) -> None:
    identifiers = {entry.column: entry for entry in reading.identifiers}
    wanted = [*_needed(schema), *reading.fields, *identifiers]
    extra = [name for name in found.columns if name not in {*wanted, *_KEYS}]
    for name in wanted:
        if name not in found.columns:
            instead = closest(name, extra)
            hint = f"; yields {instead!r} instead" if instead else ""
            raise reading.found(COLUMN_MISSING, f"yields no column {name!r}{hint}")
    for name in extra:
        raise reading.found(COLUMN_NOT_ASKED, f"yields column {name!r}, which was not asked for")
    for name in wanted:
        column = found.columns[name]
        kind, expected = _expected(name, schema, identifiers)
        if kind is not None and not arrow.fits(column, kind):
            seen = f"yields column {name!r} as {column}; {expected}"
            raise reading.found(COLUMN_TYPE, seen)


def _needed(schema: Schema) -> dict[str, FieldType]:
    """The keys that every batch of the source holds."""
    needed = {}
    if schema.level is RecordLevel.AREA:
        needed[AREA_COLUMN] = FieldType.AREA
    else:
        needed[UPRN_COLUMN] = FieldType.INTEGER
    if schema.has_date:
        needed[DATE_COLUMN] = FieldType.DATE
    return needed


def _expected(name: str, schema: Schema, identifiers: Any) -> tuple[FieldType | None, str]:
    if name in identifiers:
        if identifiers[name] is Identifier.DATE_OF_BIRTH:
            return FieldType.DATE, "it is to be date32"
        return FieldType.AREA, "it is to be string"
    needed = _needed(schema)
    if name in needed:
        return needed[name], f"it is to be {_KEY_TYPES[name]}"
    declared = schema[name]
    if declared.combine in _COUNTED:
        return None, ""
    return declared.type, f"declared is {declared.type.value}"


_KEY_TYPES = {UPRN_COLUMN: "int64", AREA_COLUMN: "string", DATE_COLUMN: "date32"}


def lost(fields: Told, keys: Told, subject: str) -> list[Finding]:
    """Finds records whose key can be read, left out because a field cannot."""
    rejected = {(file, row) for file, row, _ in fields.rejected}
    found = sorted((rejected & set(keys.handed_on)) - set(fields.handed_on))
    if not found:
        return []
    file, row = found[0]
    seen = (
        f"leaves out {len(found)} records of which a field could not be read, such as row {row} "
        f"of {file}"
    )
    remedy = (
        "Hand them on with null, and name the field in `Records.unread`; otherwise their "
        "households look like those without a record"
    )
    return [REJECTIONS.finding(seen, subject, remedy)]


def peeked(fields: Told, keys: Told, subject: str) -> list[Finding]:
    """Finds values of fields that were rejected although no field was asked for."""
    of_fields = {(file, row) for file, row, _ in fields.unread}
    of_keys = {(file, row) for file, row, _ in keys.unread}
    found = sorted(
        entry
        for entry in keys.rejected & fields.rejected
        if entry[:2] in of_fields - of_keys and entry[:2] in keys.handed_on
    )
    if not found:
        return []
    file, row, column = found[0]
    seen = (
        f"asked for no field, it rejects values of {column or 'a column'!r} all the same, such as "
        f"in row {row} of {file}"
    )
    return [READS_UNASKED.finding(seen, subject)]
