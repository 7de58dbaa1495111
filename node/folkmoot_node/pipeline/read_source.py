"""Reads one source of a run into the spool: checked, and divided among the partitions."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import polars as pl
from pydantic import BaseModel, ConfigDict

from folkmoot_node.households.areas import tabulate_areas
from folkmoot_node.pipeline.lineage import fingerprint, folders_of
from folkmoot_node.pipeline.partition import split
from folkmoot_node.pipeline.spool import SpoolWriter
from folkmoot_node.sources.columns import no_records
from folkmoot_node.sources.connect import ConnectedSource
from folkmoot_node.sources.identifiers import FILE, NOTHING, ROW, IdentifiersNeeded
from folkmoot_node.sources.known_on import KnownRecords
from folkmoot_node.sources.quarantine import Quarantine
from folkmoot_node.sources.reader import RecordReader
from folkmoot_node.sources.unread import stacked
from folkmoot_node.store.source_summary import OriginFile, RejectedReason
from folkmoot_sdk.schema import AREA_COLUMN, DATE_COLUMN, UPRN_COLUMN, Field, Identifier

_MAX_WAITING = 2_000_000
"""Records of a source that wait in memory until the number of partitions is known."""


class SourceRead(BaseModel):
    """What reading one source gave, beside its records.

    Attributes:
        records: Records that were read, wholly or in part.
        lost: Records of which nothing could be read.
        sums: Sums of known amounts, by field.
        rounded: Records whose UPRN ends in 00000.
        no_key: Those without a UPRN, or of a source about areas without an area.
        rejected: Records in quarantine: of which something could not be read.
        rejected_fields: Rejections by field.
        rejected_reasons: Rejections by field and kind of reason, the most frequent first.
        quarantine: The quarantine file; empty if nothing was rejected.
        files: What was read, in order.
        latest: Latest record date, None if the source has none.
        left_out: Sound records that the source left out on purpose, by reason.
        notes: What the source decided about its files.
        labels: For each area column the codes that its indexes stand for.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    records: int
    lost: int
    sums: dict[str, float]
    rounded: int
    no_key: int
    rejected: int
    rejected_fields: dict[str, int]
    rejected_reasons: tuple[RejectedReason, ...]
    quarantine: str
    files: tuple[OriginFile, ...]
    latest: datetime.date | None
    left_out: dict[str, int]
    notes: tuple[str, ...]
    labels: dict[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class LinkageInputs:
    """Receives what linkage needs from a source, in partition 0; None for what was not asked.

    Attributes:
        homes: `uprn`, `address`, `postcode` and `communal` of the frame's homes.
        people: `uprn`, `record_date` if there is one, and identifiers of those who live there.
        pending: Records without a UPRN that have identifiers, with these.
    """

    homes: SpoolWriter | None = None
    people: SpoolWriter | None = None
    pending: SpoolWriter | None = None


class SourceReading:
    """One source being read.

    Args:
        source: The source.
        wanted: Names of the fields to read.
        reference_date: Date on which ages and durations are computed.
        quarantine: Receives the records that are rejected.
        maximum_share: Share of records that may be rejected, from 0 to 1.
        asked: Identifiers that are read too, and what for.
        known: How a back-test divides its records; None if it reads all.
    """

    def __init__(
        self,
        source: ConnectedSource,
        wanted: Sequence[str],
        reference_date: datetime.date,
        quarantine: Quarantine,
        maximum_share: float,
        asked: IdentifiersNeeded = NOTHING,
        known: KnownRecords | None = None,
    ) -> None:
        self._source = source
        self._wanted = wanted
        self._quarantine = quarantine
        self._maximum_share = maximum_share
        self._asked = asked
        self._known = known
        self._reader = RecordReader(
            source, wanted, reference_date, quarantine, asked.identifiers, known
        )
        self._no_key = 0
        self._identifying = [entry.column for entry in asked.identifiers]

    def spread(
        self, writer: SpoolWriter, linkage_inputs: LinkageInputs, partitions: Future[int]
    ) -> SourceRead:
        """Reads records about people, households or properties batch by batch.

        Args:
            writer: Receives the records with a UPRN, each in its partition.
            linkage_inputs: Receives what was asked for linkage.
            partitions: Number of partitions. Until it is known some batches wait for it.

        Raises:
            Problem: If the source cannot be read, or too many of its records are rejected.
        """
        waiting: list[pl.DataFrame] = []
        for batch in self._reader:
            self._keep_for_linkage(batch, linkage_inputs)
            waiting.append(self._keyed(batch))
            if partitions.done() or sum(map(len, waiting)) > _MAX_WAITING:
                _spread(waiting, writer, partitions.result())
        _spread(waiting, writer, partitions.result())
        return self._finished()

    def spread_frame(
        self, writer: SpoolWriter, linkage_inputs: LinkageInputs, partitions: Callable[[int], int]
    ) -> tuple[SourceRead, int]:
        """Reads the household frame, whose size decides on the number of partitions.

        Args:
            writer: Receives the records, each in its partition.
            linkage_inputs: Receives what was asked for linkage.
            partitions: Given the number of records, the number of partitions.

        Returns:
            What was read, and the number of partitions.
        """
        batches = []
        for batch in self._reader:
            self._keep_for_linkage(batch, linkage_inputs)
            batches.append(self._keyed(batch))
        read = self._finished()
        count = partitions(read.records - read.no_key)
        _spread(batches, writer, count)
        return read, count

    def tabulate_areas(self, writer: SpoolWriter, fields: Sequence[Field]) -> SourceRead:
        """Reads a source about areas, and combines it to one row for each area, in partition 0.

        The rows are in the order of the labels of `AREA_COLUMN`.
        """
        records = stacked([no_records(self._source, self._wanted), *self._reader])
        read = self._finished(int(records[AREA_COLUMN].null_count()))
        areas = len(read.labels[AREA_COLUMN])
        writer.append(0, tabulate_areas(records, areas, fields))
        return read

    def _keyed(self, batch: pl.DataFrame) -> pl.DataFrame:
        missing = batch[UPRN_COLUMN].null_count()
        self._no_key += missing
        if self._identifying:
            batch = batch.drop(FILE, ROW, *self._identifying)
        return batch.drop_nulls(UPRN_COLUMN) if missing else batch

    def _keep_for_linkage(self, batch: pl.DataFrame, linkage_inputs: LinkageInputs) -> None:
        """Keeps what was asked for linkage of a batch."""
        known = batch if self._known is None else self._known.known(batch)
        if linkage_inputs.homes is not None:
            linkage_inputs.homes.append(0, self._homes(known))
        if linkage_inputs.people is not None:
            dates = [DATE_COLUMN] if DATE_COLUMN in batch.columns else []
            people = known.select(UPRN_COLUMN, *dates, *self._identifying)
            linkage_inputs.people.append(0, people.drop_nulls(UPRN_COLUMN))
        if linkage_inputs.pending is not None:
            named = pl.any_horizontal(pl.col(self._identifying).is_not_null())
            without = batch.filter(pl.col(UPRN_COLUMN).is_null() & named)
            if without.height:
                linkage_inputs.pending.append(0, without)

    def _homes(self, batch: pl.DataFrame) -> pl.DataFrame:
        """The homes of the frame; their addresses are null if they have none."""
        communal = self._asked.communal

        def text(identifier: Identifier, name: str) -> pl.Expr:
            found = identifier.column in batch.columns
            return (pl.col(identifier.column) if found else pl.lit(None, pl.String)).alias(name)

        is_communal = pl.col(communal).fill_null(False) if communal else pl.lit(False)
        return batch.select(
            UPRN_COLUMN,
            text(Identifier.ADDRESS, "address"),
            text(Identifier.POSTCODE, "postcode"),
            is_communal.alias("communal"),
        ).drop_nulls(UPRN_COLUMN)

    def _finished(self, no_key: int | None = None) -> SourceRead:
        reader, quarantine = self._reader, self._quarantine
        sound = reader.records - reader.partial + sum(reader.left_out.values())
        quarantine.check(sound, self._maximum_share, reader.spared)
        return SourceRead(
            records=reader.records,
            lost=max(0, quarantine.rejected - reader.partial),
            sums=dict(reader.sums),
            rounded=reader.rounded,
            no_key=self._no_key if no_key is None else no_key,
            rejected=quarantine.rejected,
            rejected_fields=dict(quarantine.fields),
            rejected_reasons=tuple(
                RejectedReason(field=field, reason=reason, values=number)
                for (field, reason), number in quarantine.reasons.most_common()
            ),
            quarantine=str(quarantine.path) if quarantine.lists and quarantine.rejected else "",
            files=fingerprint(reader.origins, folders_of(self._source.source.options)),
            latest=reader.latest,
            left_out=dict(reader.left_out),
            notes=tuple(reader.notes),
            labels=reader.labels,
        )


def _spread(batches: list[pl.DataFrame], writer: SpoolWriter, partitions: int) -> None:
    """Divides batches among the partitions, and forgets them."""
    while batches:
        for partition, records in split(batches.pop(0), partitions):
            writer.append(partition, records)
