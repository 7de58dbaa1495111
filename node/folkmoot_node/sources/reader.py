"""Reads a source and checks its records against the declared schema.

What leaves this module has the node's own types, holds the wanted fields and no other,
and satisfies the schema. Everything else went to quarantine. A record with a value that could
not be read stays, and says which: its household must not look like one without a record.
"""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import cast

import polars as pl

from folkmoot_node.plugins.failures import plugin_fault
from folkmoot_node.sources.columns import Column, Columns
from folkmoot_node.sources.connect import ConnectedSource
from folkmoot_node.sources.identifiers import FILE, ROW
from folkmoot_node.sources.known_on import KnownRecords
from folkmoot_node.sources.quarantine import Quarantine
from folkmoot_node.sources.unread import DATE_UNREAD, UNREAD, unread_column
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.schema import DATE_COLUMN, UPRN_COLUMN, Identifier
from folkmoot_sdk.source import ReadContext, Records, Rejection

_ROUNDED_TO = 100_000


class RecordReader:
    """Reads one source, batch by batch.

    Attributes:
        records: Number of records that were read, wholly or in part.
        partial: Number of those of which some value could not be read.
        spared: Number of those of which a back-test leaves all out: whoever was born after its date
            has an age below 0 on it.
        rounded: Number of records whose UPRN ends in 00000, as spreadsheets leave it.
        sums: Sum of each number whose sum means something, of known values.
        labels: For each area column the codes that its indexes stand for.
        latest: Latest record date, None if the schema has none; in a back-test the latest day of a
            record or event, also of those that are left out here.
        notes: What the source decided about its files.
    """

    def __init__(
        self,
        source: ConnectedSource,
        wanted: Sequence[str],
        reference_date: datetime.date,
        quarantine: Quarantine,
        identifiers: Sequence[Identifier] = (),
        known: KnownRecords | None = None,
    ) -> None:
        self.records = 0
        self.partial = 0
        self.spared = 0
        self.rounded = 0
        self.sums: dict[str, float] = {}
        self.labels: dict[str, tuple[str, ...]] = {}
        self.latest: datetime.date | None = None
        self.notes: list[str] = []
        self._source = source
        self._wanted = wanted
        self._reference_date = reference_date
        self._quarantine = quarantine
        self._left_out: Counter[str] = Counter()
        self._origins: dict[str, None] = {}
        self._identifiers = tuple(identifiers)
        self._known = known
        self._columns = Columns(source, wanted, self._identifiers, known)
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
        """Yields the records of each batch.

        `uprn` (Int64; null if the record has none) or `area` (index into its labels),
        `record_date` (Date) if the schema has one, and the wanted fields: Boolean, integers,
        Float64, Date; categories as Int16 index into their codes; areas as UInt32 index
        into their labels; null where unknown or not read. With identifiers, their columns too,
        and `FILE` and `ROW`, which say where the record stands. `UNREAD` in batches that have
        values that could not be read.

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
            note=self.notes.append,
            known_on=self._known.read_until if self._known is not None else None,
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
            raise plugin_fault(source.origin, "read", f"source {source.name}", error) from None
        finally:
            self._quarantine.close()
        self.labels = {name: tuple(codes) for name, codes in self._areas.items()}

    def _checked(self, batch: Records) -> pl.DataFrame:
        """The records of a batch, without the values that do not satisfy the schema."""
        self._origins[batch.origin] = None
        data = batch.data if isinstance(batch.data, pl.DataFrame) else pl.DataFrame(batch.data)
        columns = [self._columns.column(data, name) for name in self._columns.names]
        data = data.select([column.name for column in columns])
        unread = self._unread(batch, data)
        places = [FILE, ROW] if self._identifiers else []
        if self._identifiers:
            data = data.with_columns(pl.lit(batch.origin).alias(FILE), _rows(batch, data.height))
        faults = data.select((~column.sound).any().alias(column.name) for column in columns)
        broken = [column for column in columns if faults.item(0, column.name)]
        for column in broken:
            unread.setdefault(column.name, []).extend(self._reject(batch, data, column))
        read = data.select(
            *places, *(column.read(column in broken).alias(column.name) for column in columns)
        )
        read = read.with_columns(_indexed(read[name], codes) for name, codes in self._areas.items())
        self.partial += len(set().union(*unread.values()))
        marks = unread_column(read.height, self._places(unread))
        read = self._known_then(read if marks is None else read.with_columns(marks.alias(UNREAD)))
        self.records += read.height
        if UPRN_COLUMN in read.columns:
            self.rounded += int((read[UPRN_COLUMN] % _ROUNDED_TO == 0).sum())
        self._sum(read)
        return read

    def _known_then(self, read: pl.DataFrame) -> pl.DataFrame:
        """The records without those that a back-test leaves out, which are counted."""
        latest = None
        if self._known is not None:
            latest = self._known.latest(read)
            partial = _partial(read)
            read, left_out = self._known.needed(read)
            self._left_out.update(left_out)
            self.spared += partial - _partial(read)
        elif DATE_COLUMN in read.columns:
            latest = cast(datetime.date | None, read[DATE_COLUMN].max())
        self.latest = max((day for day in (self.latest, latest) if day), default=None)
        return read

    def _unread(self, batch: Records, data: pl.DataFrame) -> dict[str, list[int]]:
        """The places of the records whose values the source could not read, by column."""
        found = {}
        for name, places in batch.unread.items():
            rows = list(places)
            if name not in data.columns:
                raise self._columns.broken_contract(f"could not read {name!r}, which is no column")
            if rows and not 0 <= min(rows) <= max(rows) < data.height:
                raise self._columns.broken_contract(f"names records without a place in {name!r}")
            if data[name].gather(rows).null_count() < len(rows):
                raise self._columns.broken_contract(
                    f"gives values of {name!r} that it calls unread"
                )
            found[name] = rows
        return found

    def _reject(self, batch: Records, data: pl.DataFrame, column: Column) -> list[int]:
        """Sends the unsound values of a column to quarantine; gives the places of their records."""
        rows: list[int] = data.select((~column.sound).arg_true()).to_series().to_list()
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
        return rows

    def _places(self, unread: Mapping[str, Sequence[int]]) -> Iterator[tuple[int, Sequence[int]]]:
        """For each wanted field, and the record date, the records whose value was not read."""
        for place, name in enumerate(self._wanted):
            if name in unread:
                yield place, unread[name]
        if DATE_COLUMN in unread:
            yield DATE_UNREAD, unread[DATE_COLUMN]

    def _sum(self, read: pl.DataFrame) -> None:
        for name in self._columns.summed:
            self.sums[name] = self.sums.get(name, 0.0) + float(read[name].sum())


def _rows(batch: Records, count: int) -> pl.Series:
    if batch.rows is not None:
        return pl.Series(ROW, list(batch.rows), pl.Int64)
    return pl.int_range(batch.first_row, batch.first_row + count, eager=True).alias(ROW)


def _indexed(codes: pl.Series, known: dict[str, int]) -> pl.Series:
    """The index of each code, in the order in which codes are first seen."""
    for code in codes.unique(maintain_order=True).drop_nulls().to_list():
        known.setdefault(code, len(known))
    return codes.cast(pl.Enum(list(known))).to_physical().cast(pl.UInt32)


def _partial(records: pl.DataFrame) -> int:
    """Number of records of which some value could not be read."""
    return records[UNREAD].count() if UNREAD in records.columns else 0
