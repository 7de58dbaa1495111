"""The values in a source's batches, against what its schema says of them."""

from __future__ import annotations

import datetime
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from folkmoot_sdk.conformance.findings import Check, Finding
from folkmoot_sdk.schema import Combine, Field, FieldType, Schema
from folkmoot_sdk.source import DataSource, ReadContext, Rejection

VALUE_RANGE = Check(
    "value-range", "source", "Values are within the minimum and maximum of their field",
    "A mistake in one record would decide a household's score.",
    "Reject the value, and yield null in its place",
)  # fmt: skip
VALUE_NAN = Check(
    "value-nan", "source", "What is unknown is null",
    "NaN and infinity in a column are values: sums over them are lost.",
    "Yield null where there is no number",
)  # fmt: skip
VALUE_CODE = Check(
    "value-code", "source", "Categories hold the codes that the field declares",
    "A code that no factor knows stops the run, or counts as unknown.",
    "Translate codes, or reject the value and yield null",
)  # fmt: skip
UPRN_RANGE = Check(
    "uprn-range", "source", "A UPRN has one to twelve digits",
    "The records would be linked to no household, or to a wrong one.",
    "Reject the value, and yield null",
)  # fmt: skip

_MOST_UPRN = 999_999_999_999
_COUNTED = (Combine.COUNT, Combine.COUNT_DISTINCT)


@dataclass(slots=True)
class Content:
    """What came out of one reading.

    Attributes:
        records: Number of records.
        known: For each column how many values are not null.
        digests: For each record a digest of its file, row and values, with repetitions.
        files: What the source names as the origin of records and of rejections.
        rejected: What was handed to `reject`.
        words: Every text that is not for quarantine: reasons of records left out, notes.
        findings: What the values break.
    """

    records: int = 0
    known: Counter[str] = field(default_factory=Counter)
    digests: Counter[bytes] = field(default_factory=Counter)
    files: set[str] = field(default_factory=set)
    rejected: list[Rejection] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)


def read_all(
    subject: str,
    source: DataSource,
    schema: Schema,
    reference_date: datetime.date,
    *,
    digest: bool = True,
) -> Content:
    """Reads all fields of a source, and compares the values with the schema.

    Args:
        subject: What findings call the source.
        source: Batches are as `records.read` of the SDK has found them: of the right types.
        schema: Its schema.
        reference_date: Date of the run.
        digest: Whether to note what each record holds.

    Raises:
        PluginError: From the source.
        Exception: Anything else that the source raises.
    """
    content = Content()
    context = ReadContext(
        tuple(entry.name for entry in schema.fields),
        reference_date,
        content.rejected.extend,
        leave_out=lambda reason, _: content.words.append(reason),
        identifiers=schema.identifiers,
        note=content.words.append,
    )
    found: dict[Check, Finding] = {}
    for batch in source.read(context):
        table = _table(batch.data)
        content.records += table.num_rows
        content.files.add(batch.origin)
        for name in table.column_names:
            column = table[name]
            content.known[name] += len(column) - column.null_count
        for check, seen in _wrong_values(table, schema):
            found.setdefault(check, check.finding(seen, subject))
        if digest:
            content.digests.update(_digests(table, batch.origin))
    content.files |= {entry.file for entry in content.rejected}
    content.findings = list(found.values())
    return content


def _table(data: Any) -> Any:
    """A table of Arrow with the columns of a batch; null is null."""
    return pa.RecordBatchReader.from_stream(data).read_all()


def _digests(table: Any, origin: str) -> Iterator[bytes]:
    for row in table.to_pylist():
        yield hashlib.sha256(repr((origin, sorted(row.items()))).encode()).digest()


def _wrong_values(table: Any, schema: Schema) -> Iterator[tuple[Check, str]]:
    if "uprn" in table.column_names:
        uprns = table["uprn"]
        for wrong in (pc.less(uprns, 1), pc.greater(uprns, _MOST_UPRN)):
            if pc.any(wrong).as_py():
                yield UPRN_RANGE, "column 'uprn' holds numbers that cannot be one"
    for entry in schema.fields:
        if entry.name not in table.column_names or entry.combine in _COUNTED:
            continue
        for check, seen in _RULES.get(entry.type, _no_rule)(entry, table[entry.name]):
            yield check, f"column {entry.name!r} {seen}"


def _number(entry: Field, column: Any) -> Iterator[tuple[Check, str]]:
    known = column.drop_null()
    is_float = pa.types.is_floating(column.type)
    if is_float and len(known) and not pc.all(pc.is_finite(known)).as_py():
        yield VALUE_NAN, "holds NaN or infinity"
    low, high = entry.minimum, entry.maximum
    if low is not None and pc.any(pc.less(column, low)).as_py():
        yield VALUE_RANGE, f"holds values below {low:g}, its minimum"
    if high is not None and pc.any(pc.greater(column, high)).as_py():
        yield VALUE_RANGE, f"holds values above {high:g}, its maximum"


def _category(entry: Field, column: Any) -> Iterator[tuple[Check, str]]:
    # `unique` of pyarrow makes "" of null in a view of strings.
    found = set(column.to_pylist()) - {None}
    unknown = sorted(found - set(entry.codes))
    if unknown:
        yield VALUE_CODE, f"holds {len(unknown)} codes that are not declared"


def _no_rule(entry: Field, column: Any) -> Iterator[tuple[Check, str]]:
    del entry, column
    yield from ()


_RULES: dict[FieldType, Callable[[Field, Any], Iterator[tuple[Check, str]]]] = {
    FieldType.NUMBER: _number,
    FieldType.INTEGER: _number,
    FieldType.CATEGORY: _category,
}
