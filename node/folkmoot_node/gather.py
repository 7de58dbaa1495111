"""Reads every source that is needed and makes one row per household of it all."""

from __future__ import annotations

import datetime
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from folkmoot_node.binding import Binding
from folkmoot_node.config import NodeConfig
from folkmoot_node.households import RECORDS_COLUMN, combine
from folkmoot_node.lineage import fingerprint, folders_of
from folkmoot_node.link import link
from folkmoot_node.plugins import ConnectedSource
from folkmoot_node.quarantine import Quarantine
from folkmoot_node.records import SourceRecords, read_records
from folkmoot_node.run_summary import SourceSummary
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.schema import AREA_COLUMN, UPRN_COLUMN, Field, Level

Progress = Callable[[str, int, int], None]
"""Told the stage, what is done and what there is to do."""


@dataclass(slots=True)
class Gathered:
    """Households with all wanted fields, and what is told of the sources.

    Attributes:
        households: One row per UPRN of the frame.
        labels: For each area field the codes that its indexes stand for.
        sources: By name.
    """

    households: pl.DataFrame
    labels: dict[str, tuple[str, ...]] = field(default_factory=dict)
    sources: dict[str, SourceSummary] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Read:
    """One source, read."""

    source: ConnectedSource
    wanted: Sequence[str]
    records: SourceRecords
    quarantine: Quarantine

    @property
    def fields(self) -> list[Field]:
        return [self.source.schema[name] for name in self.wanted]


def gather(
    config: NodeConfig,
    sources: Sequence[ConnectedSource],
    binding: Binding,
    reference_date: datetime.date,
    run_id: str,
    progress: Progress,
) -> Gathered:
    """Reads, checks, combines and links every source that is needed.

    Sources are combined one by one, the frame first and areas last, while the next ones
    are read, each on a thread: as many as `threads` says, which bounds how many sources'
    records are in memory.
    """
    ordered = sorted(
        (s for s in sources if binding.wanted[s.name] or s.name == config.frame),
        key=lambda s: (s.name != config.frame, s.schema.level is Level.AREA),
    )
    if not ordered:
        raise Problem(
            "no source is configured",
            where="node.toml: sources",
            remedy="Add [[sources]], and name one of them as scoring.frame",
            exit_code=ExitCode.SETTINGS,
        )
    if ordered[0].schema.level is Level.AREA:
        raise Problem(
            "a source about areas names no households",
            where=f"source {config.frame}",
            remedy="Set scoring.frame to a source with UPRNs",
            exit_code=ExitCode.SETTINGS,
        )
    gathered = Gathered(pl.DataFrame())
    with ThreadPoolExecutor(config.threads) as readers:

        def read(source: ConnectedSource) -> _Read:
            quarantine = Quarantine(config.quarantine_folder, source.name, run_id)
            wanted = binding.wanted[source.name]
            records = read_records(source, wanted, reference_date, quarantine)
            quarantine.check(records.frame.height, config.maximum_share)
            return _Read(source, wanted, records, quarantine)

        waiting = deque(ordered)
        reading: deque[Future[_Read]] = deque()
        try:
            for at in range(len(ordered)):
                progress("sources", at, len(ordered))
                while waiting and len(reading) < config.threads:
                    reading.append(readers.submit(read, waiting.popleft()))
                add = _add_source if at else _add_frame
                add(gathered, reading.popleft().result())
        except BaseException:
            readers.shutdown(cancel_futures=True)
            raise
    progress("sources", len(ordered), len(ordered))
    return gathered


def _add_frame(gathered: Gathered, read: _Read) -> None:
    """Makes the households of the frame's UPRNs."""
    source, records = read.source, read.records
    combined = combine(records.frame, UPRN_COLUMN, read.fields)
    if not combined.height:
        raise Problem(
            "the household frame has no record with a UPRN; the last good scores stay",
            where=f"source {source.name}",
            remedy="Check the extract, the mapping and its conditions",
            exit_code=ExitCode.DATA,
        )
    gathered.households = combined.drop(RECORDS_COLUMN)
    gathered.labels.update(records.labels)
    keyless = records.frame[UPRN_COLUMN].null_count()
    linked = records.frame.height - keyless
    gathered.sources[source.name] = _summary(read, keyless, linked)


def _add_source(gathered: Gathered, read: _Read) -> None:
    """Adds the fields of another source to the households."""
    source, records = read.source, read.records
    by_area = source.schema.level is Level.AREA
    key = AREA_COLUMN if by_area else UPRN_COLUMN
    combined = combine(records.frame, key, read.fields)
    on = UPRN_COLUMN
    if by_area:
        on = source.area_field or ""
        combined = _relabel(combined, records.labels[AREA_COLUMN], gathered.labels[on])
    gathered.households, linked = link(gathered.households, on, combined, key, read.fields)
    gathered.labels.update({k: v for k, v in records.labels.items() if k != AREA_COLUMN})
    keyless = records.frame[key].null_count()
    gathered.sources[source.name] = _summary(read, keyless, linked)


def _summary(read: _Read, keyless: int, linked: int) -> SourceSummary:
    source, records, quarantine = read.source, read.records, read.quarantine
    total = records.frame.height
    return SourceSummary(
        name=source.name,
        data_set=source.schema.name,
        supplier=source.schema.supplier,
        plugin=str(source.origin),
        files=fingerprint(records.origins, folders_of(source.source.options)),
        fields=tuple(read.wanted),
        records=total,
        rejected=quarantine.rejected,
        rejected_fields=dict(quarantine.fields),
        quarantine=str(quarantine.path) if quarantine.rejected else "",
        linked=linked,
        no_uprn=keyless,
        not_in_frame=total - keyless - linked,
        latest_record=records.latest,
    )


def _relabel(
    combined: pl.DataFrame, labels: Sequence[str], households: Sequence[str]
) -> pl.DataFrame:
    """Areas of a source as indexes into the households' areas; others are left out."""
    place = {code: at for at, code in enumerate(households)}
    index = np.array([place.get(code, -1) for code in labels], dtype=np.int64)
    key = pl.Series(AREA_COLUMN, index[combined[AREA_COLUMN].to_numpy()])
    return (
        combined.with_columns(key).filter(pl.col(AREA_COLUMN) >= 0).cast({AREA_COLUMN: pl.UInt32})
    )
