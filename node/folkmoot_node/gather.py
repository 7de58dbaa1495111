"""Reads every source that is needed and makes one row per household of it all."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from folkmoot_node import columns
from folkmoot_node.binding import Binding
from folkmoot_node.config import NodeConfig
from folkmoot_node.households import RECORDS_COLUMN, combine
from folkmoot_node.lineage import fingerprint, folders_of
from folkmoot_node.link import link
from folkmoot_node.plugins import ConnectedSource
from folkmoot_node.quarantine import Quarantine
from folkmoot_node.records import read_records
from folkmoot_node.run_summary import SourceSummary
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.schema import AREA_COLUMN, UPRN_COLUMN, Level

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


def gather(
    config: NodeConfig,
    sources: Sequence[ConnectedSource],
    binding: Binding,
    reference_date: datetime.date,
    run_id: str,
    progress: Progress,
) -> Gathered:
    """Reads, checks, combines and links every source that is needed.

    Sources are taken one by one, the frame first and areas last, so that the records of
    one source only are in memory.
    """
    ordered = sorted(
        (s for s in sources if binding.wanted[s.name] or s.name == config.frame),
        key=lambda s: (s.name != config.frame, s.schema.level is Level.AREA),
    )
    gathered = Gathered(pl.DataFrame())
    for at, source in enumerate(ordered):
        progress("sources", at, len(ordered))
        _add_source(gathered, config, source, binding, reference_date, run_id)
    progress("sources", len(ordered), len(ordered))
    gathered.households = columns.add_groups(
        columns.shrink(gathered.households), binding.attributes
    )
    return gathered


def _add_source(
    gathered: Gathered,
    config: NodeConfig,
    source: ConnectedSource,
    binding: Binding,
    reference_date: datetime.date,
    run_id: str,
) -> None:
    wanted = binding.wanted[source.name]
    fields = [source.schema[name] for name in wanted]
    quarantine = Quarantine(config.quarantine_folder, source.name, run_id)
    records = read_records(source, wanted, reference_date, quarantine)
    quarantine.check(records.frame.height, config.maximum_share)
    key = AREA_COLUMN if source.schema.level is Level.AREA else UPRN_COLUMN
    if source.name == config.frame and key == AREA_COLUMN:
        raise Problem(
            "a source about areas names no households",
            where=f"source {source.name}",
            remedy="Set scoring.frame to a source with UPRNs",
            exit_code=ExitCode.SETTINGS,
        )
    keyless = records.frame[key].null_count()
    combined = combine(records.frame, key, fields)
    total = records.frame.height
    del records.frame
    if source.name == config.frame:
        linked = total - keyless
        gathered.households = combined.drop(RECORDS_COLUMN)
    else:
        on = UPRN_COLUMN
        if key == AREA_COLUMN:
            on = source.area_field or ""
            combined = _relabel(combined, records.labels[AREA_COLUMN], gathered.labels[on])
        gathered.households, linked = link(gathered.households, on, combined, key, fields)
    gathered.labels.update({k: v for k, v in records.labels.items() if k != AREA_COLUMN})
    gathered.sources[source.name] = SourceSummary(
        name=source.name,
        data_set=source.schema.name,
        supplier=source.schema.supplier,
        plugin=str(source.origin),
        files=fingerprint(records.origins, folders_of(source.source.options)),
        fields=wanted,
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
