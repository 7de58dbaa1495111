"""The records of a run as its stages keep them: made to households, and counted by source."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from folkmoot_node.corrections.decisions import InForce
from folkmoot_node.households.areas import area_rows, area_values, records_found
from folkmoot_node.households.assemble import Assembly, PartitionRecords
from folkmoot_node.households.corrected_values import corrected_households
from folkmoot_node.pipeline.link_source import RunLinkage
from folkmoot_node.pipeline.read_source import SourceRead
from folkmoot_node.pipeline.run_sources import RunSources
from folkmoot_node.pipeline.spool import Spool
from folkmoot_node.scoring.area_types import foreign_areas, unstated_areas
from folkmoot_node.scoring.bound import Binding
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.columns import no_records
from folkmoot_node.sources.connect import ConnectedSource
from folkmoot_node.sources.unread import stacked
from folkmoot_node.store.source_summary import SourceSummary
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.schema import AREA_COLUMN


class RunRecords:
    """What the stages of a run have read and linked. May be used from several threads.

    Args:
        config: The node's configuration.
        binding: The policy joined to plugins and sources.
        sources: The sources that it needs.
        spool: The run's spool.
        linkage: Its linkage.
    """

    def __init__(
        self,
        config: NodeConfig,
        binding: Binding,
        sources: RunSources,
        spool: Spool,
        linkage: RunLinkage,
    ) -> None:
        self._config = config
        self._binding = binding
        self._sources = sources
        self._spool = spool
        self._linkage = linkage
        self._read: dict[str, SourceRead] = {}

    def read(self, name: str) -> SourceRead:
        """What reading a source gave."""
        if name not in self._read:
            self._read[name] = SourceRead.model_validate_json(self._spool.document(name))
        return self._read[name]

    def labels(self) -> dict[str, tuple[str, ...]]:
        """For each area field of households the codes that its indexes stand for."""
        return {
            field: codes
            for name in self._sources.needed
            for field, codes in self.read(name).labels.items()
            if field != AREA_COLUMN
        }

    def assembled(
        self, partition: int, in_force: InForce, *, by_person: bool = True
    ) -> tuple[pl.DataFrame | None, Mapping[str, PartitionRecords]]:
        """Makes the households of a partition, once all sources are read and linked.

        Args:
            partition: The partition.
            in_force: The decisions about objections that count.
            by_person: Whether with the records that were linked by person.

        Returns:
            One row for each household, with the columns of `Assembly`, corrected; None if there is
            no household. And what became of the records, by source.
        """
        frame = self._sources.frame
        found = self._spool.read(frame, partition)
        if found is None:
            return None, {}
        records = self._sources.known(frame, found)
        if not records.height:
            return None, {}  # later records of the frame hold events of homes not known then
        assembly = Assembly(frame, records, self._sources.fields(frame), self._sources.communal)
        self._add_outcomes(assembly, frame, found)
        for name in self._sources.others:
            source = self._sources.needed[name]
            fields = self._sources.fields(name)
            if self._sources.is_about_areas(name):
                on, rows = self._area_rows(source)
                values = self._spool.read(name, 0)
                assert values is not None
                assembly.add_areas(name, on, *area_values(values, fields, rows))
            else:
                tables = [no_records(source, self._sources.wanted(name))]
                found = self._spool.read(name, partition)
                tables += [] if found is None else [found]
                tables += self._linkage.records(name, partition, by_person=by_person)
                records = stacked(tables)
                if name not in self._sources.events_alone:
                    assembly.add(name, self._sources.known(name, records), fields)
                self._add_outcomes(assembly, name, records)
        became = assembly.records(self._report_area, self.labels())
        used = {name: bound.field for name, bound in self._binding.fields.items()}
        return corrected_households(assembly.households, in_force, used), became

    def summary(self, name: str, records: Mapping[str, PartitionRecords]) -> SourceSummary:
        """What became of a source's records.

        Args:
            name: Its name.
            records: What became of them in all partitions together, by source.
        """
        source, read = self._sources.needed[name], self.read(name)
        became = records.get(name, PartitionRecords())
        linkage = self._linkage.found(name)
        if self._sources.is_about_areas(name):
            _, rows = self._area_rows(source)
            values = self._spool.read(name, 0)
            assert values is not None
            found = records_found(values, rows)
        else:
            # Who lives in several households is counted in each of them, and here once.
            found = became.linked - linkage.more
        return SourceSummary(
            name=name,
            data_set=source.schema.name,
            supplier=source.schema.supplier,
            plugin=str(source.origin),
            files=read.files,
            fields=tuple(self._sources.wanted(name)),
            records=read.records,
            rejected=read.rejected,
            rejected_fields=read.rejected_fields,
            rejected_reasons=read.rejected_reasons,
            quarantine=read.quarantine,
            linked=found,
            no_uprn=read.no_key,
            not_in_frame=read.records - read.no_key + linkage.found - found - became.communal,
            unlinked=read.no_key - linkage.found - linkage.ambiguous,
            communal=became.communal,
            by_address=linkage.by_address,
            by_person=linkage.by_person,
            by_review=linkage.by_review,
            ambiguous=linkage.ambiguous,
            linked_areas=became.areas,
            unlinked_sectors=linkage.sectors_of(read.no_key),
            latest_record=read.latest,
            left_out=read.left_out,
            notes=read.notes,
            about_areas=self._sources.is_about_areas(name),
            lost=read.lost,
            sums=read.sums,
            most_at_one_home=became.most,
            rounded=read.rounded,
            homes_without_area=became.without_area,
            foreign_areas=foreign_areas(read.labels, self._config.council)
            if name == self._sources.frame
            else {},
            unstated_areas=unstated_areas(self._binding).get(name, ""),
            trusts_absence=any(field.absent is not None for field in self._sources.fields(name)),
        )

    def _add_outcomes(self, assembly: Assembly, name: str, records: pl.DataFrame) -> None:
        known = self._sources.known_records(name)
        if known is not None and known.outcomes:
            assembly.add_outcomes(name, records, known.outcomes, known.on)

    @property
    def _report_area(self) -> str | None:
        """The field by which the linkage report counts records."""
        named = self._config.linkage.report_area
        areas = [name for name in self.labels() if name in self._binding.fields]
        if named is None:
            return areas[0] if areas else None
        if named not in areas:
            raise Problem(
                f"{named!r} is no area that the policy uses",
                where="node.toml: linkage.report_area",
                remedy=f"Valid: {', '.join(areas) or 'none'}; or take the key out",
                exit_code=ExitCode.SETTINGS,
            )
        return named

    def _area_rows(self, source: ConnectedSource) -> tuple[str, pl.Series]:
        on = source.area_field or ""
        return on, area_rows(self.labels()[on], self.read(source.name).labels[AREA_COLUMN])
