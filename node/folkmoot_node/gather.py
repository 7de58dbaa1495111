"""Reads every source that is needed and makes one row per household of it all."""

from __future__ import annotations

import datetime
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.binding import Binding
from folkmoot_node.config import NodeConfig
from folkmoot_node.households import absent_value, as_they_are, combine, needs_order
from folkmoot_node.lineage import fingerprint, folders_of
from folkmoot_node.link import household_index, is_unique, link_by_area, link_by_uprn
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
        index: From UPRN to row of `households`.
        labels: For each area field the codes that its indexes stand for.
        sources: By name.
    """

    households: pl.DataFrame = field(default_factory=pl.DataFrame)
    index: pl.DataFrame = field(default_factory=pl.DataFrame)
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
    gathered = Gathered()
    with ThreadPoolExecutor(config.threads) as readers:

        def read(source: ConnectedSource) -> _Read:
            quarantine = Quarantine(config.quarantine_folder, source.name, run_id)
            wanted = binding.wanted[source.name]
            records = read_records(source, wanted, reference_date, quarantine)
            sound = records.frame.height + sum(records.left_out.values())
            quarantine.check(sound, config.maximum_share)
            return _Read(source, wanted, records, quarantine)

        waiting = deque(ordered)
        reading: deque[Future[_Read]] = deque()
        try:
            for at in range(len(ordered)):
                progress("sources", at, len(ordered))
                while waiting and len(reading) < config.threads:
                    reading.append(readers.submit(read, waiting.popleft()))
                read_source = reading.popleft().result()
                if at == 0:
                    _add_frame(gathered, read_source)
                elif read_source.source.schema.level is Level.AREA:
                    _add_area_source(gathered, read_source)
                else:
                    _add_source(gathered, read_source)
                del read_source
        except BaseException:
            readers.shutdown(cancel_futures=True)
            raise
    progress("sources", len(ordered), len(ordered))
    return gathered


def _add_frame(gathered: Gathered, read: _Read) -> None:
    """Makes the households of the frame's UPRNs."""
    records = read.records.frame
    uprns = records[UPRN_COLUMN]
    keyed = records.filter(uprns.is_not_null()) if uprns.null_count() else records
    if not keyed.height:
        raise Problem(
            "the household frame has no record with a UPRN; the last good scores stay",
            where=f"source {read.source.name}",
            remedy="Check the extract, the mapping and its conditions",
            exit_code=ExitCode.DATA,
        )
    if is_unique(keyed[UPRN_COLUMN]):
        households, values = keyed[UPRN_COLUMN], as_they_are(keyed, read.fields)
    else:
        households = keyed[UPRN_COLUMN].unique(maintain_order=True)
        linked = link_by_uprn(keyed, household_index(households), ordered=True)
        values, _ = combine(linked, len(households), read.fields)
    gathered.index = household_index(households)
    gathered.households = pl.DataFrame([households, *values.get_columns()])
    gathered.labels.update(read.records.labels)
    gathered.sources[read.source.name] = _summary(read, uprns.null_count(), keyed.height)


def _add_source(gathered: Gathered, read: _Read) -> None:
    """Adds the fields of another source about people, households or properties."""
    ordered = needs_order(read.fields)
    linked = link_by_uprn(read.records.frame, gathered.index, ordered=ordered)
    values, present = combine(linked, gathered.households.height, read.fields)
    gathered.households = gathered.households.hstack(_with_absent(values, ~present, read.fields))
    gathered.labels.update(read.records.labels)
    keyless = read.records.frame[UPRN_COLUMN].null_count()
    gathered.sources[read.source.name] = _summary(read, keyless, linked.height)


def _add_area_source(gathered: Gathered, read: _Read) -> None:
    """Adds the fields of a source about areas, by the household's area."""
    on = read.source.area_field or ""
    areas = gathered.labels[on]
    linked = link_by_area(read.records.frame, read.records.labels[AREA_COLUMN], areas)
    values, present = combine(linked, len(areas), read.fields)
    by_area = _with_absent(values, ~present, read.fields)
    # A household whose area is not known gets unknown values.
    gathered.households = gathered.households.hstack(
        [by_area[name].gather(gathered.households[on]) for name in read.wanted]
    )
    gathered.labels.update({k: v for k, v in read.records.labels.items() if k != AREA_COLUMN})
    keyless = read.records.frame[AREA_COLUMN].null_count()
    gathered.sources[read.source.name] = _summary(read, keyless, linked.height)


def _with_absent(
    values: pl.DataFrame, missing: npt.NDArray[np.bool_], fields: Sequence[Field]
) -> pl.DataFrame:
    """Gives households without a record the values that absence stands for."""
    if not missing.any():
        return values
    mask = pl.Series(missing)
    absent = {field.name: absent_value(field) for field in fields}
    return values.with_columns(
        values[name].set(mask, value) for name, value in absent.items() if value is not None
    )


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
        left_out=dict(records.left_out),
    )
