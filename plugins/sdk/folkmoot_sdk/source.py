"""Data sources: where records come from."""

from __future__ import annotations

import datetime
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol, runtime_checkable

from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.schema import Identifier, Schema


@runtime_checkable
class ArrowStream(Protocol):
    """Anything that exports the Arrow C stream: Polars, pyarrow, DuckDB, pandas."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Returns a PyCapsule named `arrow_array_stream`."""
        ...


@dataclass(frozen=True, slots=True)
class Rejection:
    """One value, or a whole record, that could not be read, and why.

    Attributes:
        file: File or table.
        row: Row in the file as a person counts: the header of a CSV file is row 1.
        field: Column of the file.
        reason: What is wrong, for example `31/02/2026 is not a date (DD/MM/YYYY)`. It
            may quote the value: quarantine files never leave the node.
        value: The value found, or empty.
    """

    file: str
    row: int
    field: str
    reason: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Records:
    """A batch of records of one file or table.

    Attributes:
        data: Exports the Arrow C stream. Columns: `uprn` (int64; null if the record has
            none), `area` (string) if the level is area, `record_date` (date32) if the schema
            has one, the identifiers that the node asked for, as `Identifier.column`, and the
            wanted fields by name.
        origin: File or table, for quarantine and lineage.
        rows: Row numbers of the records, int64, if they are not consecutive from
            `first_row`; else None.
        first_row: Row number of the first record.
        unread: For each column, the places in `data`, from 0, of the records whose value could
            not be read. The value is null there, and the source has told `ReadContext.reject` of
            it. A value that is null and not listed is missing in the record. A record whose
            `uprn` could not be read is listed under `uprn`.
    """

    data: ArrowStream
    origin: str
    first_row: int = 1
    rows: Sequence[int] | None = None
    unread: Mapping[str, Sequence[int]] = field(default_factory=dict)


REPEATED = "identical to an earlier record"
"""How the reason begins for which a source leaves out a record that stands there twice."""
LATER = "dated after the date of the back-test"
"""The reason for which a source leaves out a record that is dated after `ReadContext.known_on`."""


def _uncounted(reason: str, records: int) -> None:
    del reason, records


def _unheard(text: str) -> None:
    del text


@dataclass(frozen=True, slots=True)
class ReadContext:
    """What the node hands to a source that reads.

    Attributes:
        fields: Names of the fields that some factor or statistic declared. Data
            minimisation: a source reads these and no others.
        reference_date: The date on which ages and durations are computed.
        reject: Call it with the values, or whole records, that cannot be read; the node writes
            them to quarantine, and stops the run if they are too many. A record of which some
            value can be read stays in the batch (see `Records.unread`): its household must not
            look like one without a record.
        leave_out: Call it with a reason and a number of records that are sound but not
            wanted, such as retired properties. The node counts them by reason; they are
            not errors and fill no quarantine. The reason names no value of a record.
        identifiers: Which of the schema's identifiers the node links by; batches carry these
            and no others.
        note: Call it with what the source decided about its files, such as which of several
            extracts it does not read. The node shows the text beside the source's figures. It
            names files and options, no value of a record and no number of records.
        known_on: In a back-test, the date as of which households are scored; else None, as where
            what happened later is asked for. The node leaves out records whose `record_date` is
            later. A source may do so before it reads their other values, which is faster, and
            calls `leave_out` with `LATER` and their number. It leaves out no other.
    """

    fields: Collection[str]
    reference_date: datetime.date
    reject: Callable[[Sequence[Rejection]], None]
    leave_out: Callable[[str, int], None] = _uncounted
    identifiers: Collection[Identifier] = ()
    note: Callable[[str], None] = _unheard
    known_on: datetime.date | None = None


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """Base of the options of a source: a frozen dataclass, filled from `node.toml`.

    Attributes:
        base: Folder to which relative paths refer, filled by the node.
    """

    base: Path = field(default=Path(), kw_only=True)


class DataSource(ABC):
    """A place where records come from.

    A subclass sets `kind` and `Options`, and is made by the node with the options of one
    `[[sources]]` entry of `node.toml`.
    """

    kind: ClassVar[str]
    """Identifier by which `node.toml` names this sort of source."""
    Options: ClassVar[type[SourceOptions]] = SourceOptions
    """Frozen dataclass of options; see `folkmoot_sdk.parameters`."""

    def __init__(self, options: SourceOptions) -> None:
        self.options = options

    @classmethod
    def draft(cls, file: Path) -> str:
        """A first version of what says how a file is read, for a person to complete.

        `folkmoot-node sources draft` writes it, and `folkmoot-node init --from` asks each kind of
        source in turn which reads a file. It is TOML: the options of the source, or for the kind
        `extracts` a mapping file. A source that reads as it is told need not have one.

        Args:
            file: A file like those that the source will read.

        Returns:
            Text with what can be seen of the file, and questions about what cannot. It quotes no
            value by which somebody could be recognised.

        Raises:
            PluginError: If the file cannot be read or does not look like what this kind of source
                reads, or if this kind drafts nothing.
        """
        raise PluginError(
            f"kind {cls.kind!r}", "has nothing to draft", "Write its options into node.toml"
        )

    @property
    @abstractmethod
    def schema(self) -> Schema:
        """What the source holds. Reads no record."""

    @abstractmethod
    def read(self, context: ReadContext) -> Iterator[Records]:
        """Yields the records in batches, with the wanted fields only.

        May run on a thread of its own while other sources are read; one source is never
        read by two threads at once.

        Raises:
            PluginError: If the source cannot be read at all (no such file, duplicated
                header, wrong encoding). A value or record that cannot be read is not an
                error: it goes to `context.reject`.
        """
