"""What `conformance.check_source` checks, in which order."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from folkmoot_sdk.conformance.findings import Check, Finding, Found, said
from folkmoot_sdk.conformance.records import Reading, Told, lost, peeked, read
from folkmoot_sdk.declarations import source_faults
from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.parameters import build
from folkmoot_sdk.schema import Schema
from folkmoot_sdk.source import DataSource

SOURCE_DECLARATION = Check(
    "source-declaration", "source", "The class declares all that a node needs to know",
    "A node refuses to load what it cannot describe to the council.",
    "Correct the class attribute that is named",
)  # fmt: skip
SOURCE_NOT_MADE = Check(
    "source-not-made", "source", "The source can be made from its options",
    "The council's settings cannot be used.",
    "Correct the options, or what the constructor does with them",
)  # fmt: skip
SCHEMA = Check(
    "schema", "source", "The schema is a folkmoot_sdk.Schema that stays as it is",
    "The council approves a schema before records are read: it may not change afterwards.",
    "Make the schema from the options alone, and read no record for it",
)  # fmt: skip
READ_AGAIN = Check(
    "read-again", "source", "Reading again gives the same records",
    "A run that was interrupted could not be repeated.",
    "Keep no position and no list between two readings",
)  # fmt: skip

REFERENCE_DATE = datetime.date(2026, 4, 1)


def source_findings(
    cls: type[DataSource], options: Mapping[str, Any], reference_date: datetime.date
) -> tuple[Finding, ...]:
    """Checks a source in this process; see `conformance.check_source`.

    Returns:
        What is wrong; empty if nothing is.
    """
    declared = source_declaration_findings(cls)
    if declared:
        return declared
    given = {key: str(value) if key == "base" else value for key, value in options.items()}
    return reading_findings(
        f"source {cls.kind}", lambda: cls(build(cls.Options, given, "options")), reference_date
    )


def source_declaration_findings(cls: type[DataSource]) -> tuple[Finding, ...]:
    """What the class says of itself that no node would load."""
    subject = f"source {getattr(cls, 'kind', getattr(cls, '__qualname__', cls))}"
    return tuple(SOURCE_DECLARATION.finding(fault, subject) for fault in source_faults(cls))


def reading_findings(
    subject: str,
    make: Callable[[], DataSource],
    reference_date: datetime.date,
    step: Callable[[str], None] = lambda what: None,
) -> tuple[Finding, ...]:
    """Every check of a source that is made by reading it.

    Args:
        subject: What findings call it.
        make: Makes the source, here or in a process of its own.
        reference_date: Date of the run.
        step: Called with what is read next, in a few words.
    """
    try:
        source = made(subject, make)
        schema = schema_of(subject, source)
    except Found as found:
        return (found.finding,)
    findings: list[Finding] = []
    told: dict[str, Told] = {}
    for reading in _readings(subject, schema):
        step(f"reading {reading.what}")
        try:
            told[reading.what] = read(source, schema, reading, reference_date)
        except Found as found:
            findings.append(found.finding)
    first, again, keys = (told.get(what) for what in (_ALL, _AGAIN, _NONE))
    if first is not None and again is not None and first.handed_on != again.handed_on:
        count, before = again.handed_on.total(), first.handed_on.total()
        seen = f"reading again gives {count} records, not {before}"
        if count == before:
            seen = "reading again gives records of other rows"
        findings.append(READ_AGAIN.finding(seen, subject))
    if first is not None and keys is not None:
        findings += lost(first, keys, subject)
        findings += peeked(first, keys, subject)
    return tuple(findings)


_ALL, _AGAIN, _NONE = "all fields", "all fields again", "no field"


def _readings(subject: str, schema: Schema) -> list[Reading]:
    names = tuple(field.name for field in schema.fields)
    offered = schema.identifiers
    readings = [
        Reading(subject, _ALL, names),
        Reading(subject, "the first field", names[:1]),
        Reading(subject, _NONE, ()),
        Reading(subject, _AGAIN, names),
    ]
    if offered:
        readings.append(Reading(subject, "all identifiers", names[:1], offered))
        readings += [Reading(subject, f"only {entry.value}", (), (entry,)) for entry in offered]
    return readings


def made(subject: str, make: Callable[[], DataSource]) -> DataSource:
    """Makes a source.

    Raises:
        Found: If it cannot be made.
    """
    try:
        return make()
    except PluginError as error:
        seen = f"cannot be made: {error.where}: {error.problem}"
        raise Found(SOURCE_NOT_MADE.finding(seen, subject, error.remedy)) from None
    except Exception as error:
        seen = f"cannot be made: {said(error)}"
        raise Found(SOURCE_NOT_MADE.finding(seen, subject)) from None


def schema_of(subject: str, source: DataSource) -> Schema:
    """The schema of a source, asked for twice.

    Raises:
        Found: If it is none, or changes.
    """
    try:
        schema: object = source.schema
        again = source.schema
    except Exception as error:
        raise Found(SCHEMA.finding(f"`schema` raises {said(error)}", subject)) from None
    if not isinstance(schema, Schema):
        seen = f"`schema` is {type(schema).__name__}, not folkmoot_sdk.Schema"
        raise Found(SCHEMA.finding(seen, subject))
    if schema != again:
        raise Found(SCHEMA.finding("`schema` differs from call to call", subject))
    return schema
