"""One scoring run in stages: functions of the run's id and of a source or partition.

The stages read and write the run's spool, so that threads, tasks or workers on other
machines can run them; each may be repeated. `folkmoot_node.pipeline.own_run` begins and ends
runs, `folkmoot_node.pipeline.order` has the order of the stages.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import polars as pl

from folkmoot_node.corrections.decisions import Decisions, InForce
from folkmoot_node.households.areas import area_rows, area_values, records_found
from folkmoot_node.households.assemble import Assembly, PartitionRecords
from folkmoot_node.households.corrected_values import applied, corrected_households, withheld
from folkmoot_node.linkage.people_sources import people_identifiers_needed
from folkmoot_node.pipeline import store_columns as columns
from folkmoot_node.pipeline.link_source import RunLinkage
from folkmoot_node.pipeline.plan import RunPlan, read_plan, run_folder
from folkmoot_node.pipeline.read_source import SourceRead, SourceReading
from folkmoot_node.pipeline.scored_partition import PartitionOutcome, ScoredPartition
from folkmoot_node.pipeline.spool import Spool
from folkmoot_node.plugins.loaded import LoadedPlugins
from folkmoot_node.policies.risk_policy import RiskPolicy, load_policy
from folkmoot_node.scoring.area_types import foreign_areas, unstated_areas
from folkmoot_node.scoring.binding import bind_for
from folkmoot_node.scoring.bound import Binding
from folkmoot_node.scoring.run_scoring import RunScoring
from folkmoot_node.settings.node_toml import NodeConfig, load_config
from folkmoot_node.sources.connect import ConnectedSource, Plugins, load_plugins
from folkmoot_node.sources.identifiers import communal_field, identifiers_needed
from folkmoot_node.sources.known_on import KnownRecords, require_dated
from folkmoot_node.sources.quarantine import Quarantine
from folkmoot_node.sources.reader import no_records
from folkmoot_node.sources.unread import stacked
from folkmoot_node.store.encrypted_file import read_key
from folkmoot_node.store.run_summary import SourceSummary, StoredAttribute
from folkmoot_node.store.writer import ROW_GROUP
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.factor import ScoringContext
from folkmoot_sdk.schema import AREA_COLUMN, Field, RecordLevel

_PARTITIONS = "@partitions"
"""Name in the spool of the number of partitions; no source can have it."""
_CORRECTIONS = "@corrections"
"""Name in the spool of the decisions about objections, which all stages of a run share."""
_COUNTED, _DETAILS = 0, 1
"""Where a scored partition keeps its two tables in the spool."""


class ScoringRun:
    """The stages of a run. They may run on several threads.

    Attributes:
        plan: What the run is.
        config: The node's configuration.
        policy: The risk stratification policy.
        binding: The policy joined to plugins and sources.
    """

    def __init__(
        self, plan: RunPlan, config: NodeConfig, plugins: Plugins, policy: RiskPolicy
    ) -> None:
        self._own_plugins: LoadedPlugins | None = None
        self.plan = plan
        self.config = config
        self.policy = policy
        self.binding: Binding = bind_for(
            policy, config, plugins, plan.today, plan.failed, plan.known
        )
        self._sources = {
            source.name: source
            for source in sorted(
                self.binding.sources,
                key=lambda s: (s.name != config.frame, s.schema.level is RecordLevel.AREA),
            )
        }
        self._check_frame()
        read = {n for n in self._sources if self.binding.wanted[n] or n == config.frame}
        needed = read | {bound.source for bound in self.binding.outcomes.values()}
        self._asked = identifiers_needed(
            config, {n: s for n, s in self._sources.items() if n in needed}
        )
        self._asked = people_identifiers_needed(self._asked, config, self._sources, needed)
        read |= {name for name, found in self._asked.items() if found.people}
        needed |= read
        if plan.known:
            require_dated(plan.known, {n: s for n, s in self._sources.items() if n in read})
        self._events_alone = needed - read
        self._sources = {n: s for n, s in self._sources.items() if n in needed}
        self._communal = communal_field(config, self._sources[config.frame])
        key = read_key(config.key_file, config.readers)
        self._spool = Spool(run_folder(config, plan.run_id), key, plan.run_id, plan.memory)
        self._linkage = RunLinkage(config, self._asked, self._spool, key, plan.reference_date)
        context = ScoringContext(plan.reference_date)
        self._scoring = RunScoring(self.binding.factors, policy, context)
        # What rounds count is scored by processes that have not seen what linkage of people moves.
        self._scoring_alone = RunScoring(self.binding.factors, policy, context, apart=True)
        self._in_force: InForce | None = None
        self._read: dict[str, SourceRead] = {}
        self._partitions: Future[int] = Future()

    @classmethod
    def open(cls, home: Path, run_id: str) -> ScoringRun:
        """The run that another process has begun.

        Args:
            home: The node's home folder.
            run_id: The run.

        Raises:
            Problem: Exit code DATA, if there is no such run any more.
        """
        config = load_config(home)
        plan = read_plan(config, run_id)
        policy = load_policy(plan.policy)
        if policy.digest.hex() != plan.policy_sha256:
            raise Problem(
                "the policy has changed while households were scored",
                where=str(plan.policy),
                remedy="Score again",
                exit_code=ExitCode.DATA,
            )
        plugins = load_plugins(config)
        run = cls(plan, config, plugins, policy)
        run._own_plugins = plugins
        return run

    @property
    def sources(self) -> tuple[str, ...]:
        """The sources that are needed, after the frame; those about areas last."""
        return tuple(self._sources)[1:]

    @property
    def in_force(self) -> InForce:
        """The decisions about objections that count in this run."""
        if self._in_force is None:
            decisions = Decisions.model_validate_json(self._spool.document(_CORRECTIONS))
            self._in_force = decisions.in_force(self.plan.today)
        return self._in_force

    @property
    def linkable(self) -> tuple[str, ...]:
        """Those that may hold records without a UPRN whose household can be found."""
        return tuple(name for name in self.sources if self._linkage.links(name))

    @property
    def partitions(self) -> int:
        """Number of partitions; known once the frame is read."""
        return self._known_partitions().result()

    @property
    def frame_records(self) -> int:
        """Records of the frame that have a UPRN: as many as households, or more."""
        read = self._source_read(self.config.frame)
        return read.records - read.no_key

    def read_frame(self) -> None:
        """Reads the household frame. Other sources may be read meanwhile, and wait for it.

        Raises:
            Problem: Exit code DATA, if the frame has no household; in a back-test it may have none.
        """
        if self._partitions.done():
            self._partitions = Future()  # a second try
        try:
            partitions = self._read_frame()
        except BaseException as error:
            self._partitions.set_exception(error)
            raise
        self._partitions.set_result(partitions)

    def read(self, source: str) -> None:
        """Reads another source, and divides its records among the partitions."""
        reading = self._reading(source)
        with ExitStack() as stack:
            writer = stack.enter_context(self._spool.writer(source))
            if self._sources[source].schema.level is RecordLevel.AREA:
                read = reading.tabulate_areas(writer, self._fields(source))
            else:
                linkage_inputs = self._linkage.linkage_inputs(source, stack)
                read = reading.spread(writer, linkage_inputs, self._known_partitions())
            writer.document = read.model_dump_json()

    def link(self, source: str) -> None:
        """Finds the households of records without a UPRN, as the settings say.

        Writes the source's file for clerical review.

        Raises:
            Problem: Exit code DATA for a malformed decision in that file, or if no home has
                an address; SETTINGS if the libraries of linkage are missing.
        """
        self._linkage.link(source, self.partitions)

    def end_linkage(self) -> None:
        """Frees what linkage has taken, once all sources are linked."""
        self._linkage.end()

    @property
    def is_over(self) -> bool:
        """Whether the process that began the run has removed what it wrote."""
        return not run_folder(self.config, self.plan.run_id).exists()

    def close(self) -> None:
        """Ends the processes of plugins that `open` has started, and those of scoring."""
        self.end_scoring()
        if self._own_plugins is not None:
            self._own_plugins.close()

    def end_scoring(self) -> None:
        """Ends the processes that scoring has started, once all is scored."""
        self._scoring.close()
        self._scoring_alone.close()

    def score(self, partition: int) -> None:
        """Combines the records of a partition to households, scores them, and keeps the scores.

        The memory of its records is freed.
        """
        self.end_linkage()  # all is linked: a worker keeps no identifiers
        self._keep(partition, self._score(partition))
        self._free(partition)

    def result(self, partition: int) -> ScoredPartition | None:
        """The scores that another process has kept; None if the partition has no household."""
        name = _scored(partition)
        counted, details = self._spool.read(name, _COUNTED), self._spool.read(name, _DETAILS)
        if counted is None or details is None:
            return None
        outcome = PartitionOutcome.model_validate_json(self._spool.document(name))
        arrays = {column.name: column.to_numpy() for column in counted}
        return ScoredPartition(
            arrays,
            details,
            outcome.bands,
            outcome.incomplete,
            outcome.records,
            outcome.corrections,
        )

    def stored_attributes(self) -> dict[str, StoredAttribute]:
        """How each attribute is stored; known once all sources are read."""
        people = self.config.linkage.people is not None
        return columns.stored_attributes(self.binding, self._labels(), people=people)

    def summaries(self, records: Mapping[str, PartitionRecords]) -> tuple[SourceSummary, ...]:
        """What became of each source's records, in the order of `node.toml`.

        Args:
            records: What became of them in all partitions together, by source.
        """
        names = [settings.name for settings in self.config.sources]
        return tuple(self._summary(name, records) for name in names if name in self._sources)

    def _keep_corrections(self, decisions: Decisions) -> None:
        """Keeps the decisions as they are when the run begins, for all its stages and workers."""
        with self._spool.writer(_CORRECTIONS) as writer:
            writer.document = decisions.model_dump_json()

    def _check_frame(self) -> None:
        if not self._sources:
            raise Problem(
                "no source is configured",
                where="node.toml: sources",
                remedy="Add [[sources]], and name one of them as scoring.frame",
                exit_code=ExitCode.SETTINGS,
            )
        if self._sources[self.config.frame].schema.level is RecordLevel.AREA:
            raise Problem(
                "a source about areas names no households",
                where=f"source {self.config.frame}",
                remedy="Set scoring.frame to a source with UPRNs",
                exit_code=ExitCode.SETTINGS,
            )

    def _known_partitions(self) -> Future[int]:
        if not self._partitions.done() and self._spool.has(_PARTITIONS):
            # Another process has read the frame.
            known: Future[int] = Future()
            known.set_result(int(self._spool.document(_PARTITIONS)))
            self._partitions = known
        return self._partitions

    def _read_frame(self) -> int:
        name = self.config.frame
        with ExitStack() as stack:
            writer = stack.enter_context(self._spool.writer(name))
            linkage_inputs = self._linkage.linkage_inputs(name, stack)
            read, partitions = self._reading(name).spread_frame(
                writer, linkage_inputs, self._partitions_for
            )
            writer.document = read.model_dump_json()
            # A back-test says itself that nobody was known on its date.
            if read.records == read.no_key and self.plan.known is None:
                raise Problem(
                    "the household frame has no record with a UPRN; the last good scores stay",
                    where=f"source {name}",
                    remedy="Check the extract, the mapping and its conditions",
                    exit_code=ExitCode.DATA,
                )
        with self._spool.writer(_PARTITIONS) as writer:
            writer.document = str(partitions)
        return partitions

    def _partitions_for(self, records: int) -> int:
        needed = max(1, -(-records // ROW_GROUP))
        # As many for each thread, so that none ends early.
        threads = min(needed, self.config.threads)
        return self.config.partitions or -(-needed // threads) * threads

    def _reading(self, name: str) -> SourceReading:
        return SourceReading(
            self._sources[name],
            self._wanted(name),
            self.plan.reference_date,
            Quarantine(self.config.quarantine_folder, name, self.plan.run_id),
            self.config.maximum_share,
            self._asked[name],
            self._known_records(name),
        )

    def _known_records(self, name: str) -> KnownRecords | None:
        """How a back-test divides the records of a source; None if the run reads all."""
        known = self.plan.known
        if known is None:
            return None
        return KnownRecords(
            known.on,
            known.today,
            self._sources[name].schema.has_date,
            self.binding.outcomes_of(name),
            name in self._events_alone,
        )

    def _wanted(self, name: str) -> Sequence[str]:
        """Fields to read: those of the policy, of the frame whether a home is communal, and
        outcomes.
        """
        wanted = [*self.binding.wanted[name]]
        communal = self._communal
        if name == self.config.frame and communal is not None and communal not in wanted:
            wanted.append(communal)
        return [*wanted, *self.binding.outcomes_of(name)]

    def _fields(self, name: str) -> Sequence[Field]:
        schema = self._sources[name].schema
        return [schema[field] for field in self.binding.wanted[name]]

    def _score(self, partition: int) -> ScoredPartition | None:
        """None if the partition has no household."""
        households, records = self._assembled(partition)
        if households is None:
            return None
        result = self._scoring.stratify(households)
        bands = np.bincount(result.band, minlength=len(self.policy.bands))
        stored = self.stored_attributes()
        left_out = withheld(households, self.in_force)
        counted = columns.counted(households, result, partition, self.binding, stored, left_out)
        if self.config.linkage.people is not None:
            # Linkage of people lets one household move others' rows: rounds leave it out.
            alone, apart = households, result
            if self._linkage.found_people(partition):
                without, _ = self._assembled(partition, by_person=False)
                assert without is not None
                alone = without
                apart = self._scoring_alone.stratify(alone)
            counted |= columns.released(alone, apart, self.binding, stored)
        return ScoredPartition(
            counted,
            columns.details(households, result, self.binding),
            tuple(bands.tolist()),
            result.incomplete,
            records,
            applied(households, left_out),
        )

    def _keep(self, partition: int, scored: ScoredPartition | None) -> None:
        """Keeps the scores in the spool, for the process that began the run."""
        with self._spool.writer(_scored(partition)) as writer:
            if scored is not None:
                writer.append(_COUNTED, pl.DataFrame(dict(scored.counted)))
                writer.append(_DETAILS, scored.details)
                writer.document = scored.outcome.model_dump_json()

    def _free(self, partition: int) -> None:
        """Frees the memory of the records of a partition that has been scored."""
        names = [n for n, s in self._sources.items() if s.schema.level is not RecordLevel.AREA]
        self._spool.drop(names, partition)
        self._linkage.free(partition)

    def _source_read(self, name: str) -> SourceRead:
        if name not in self._read:
            self._read[name] = SourceRead.model_validate_json(self._spool.document(name))
        return self._read[name]

    def _labels(self) -> dict[str, tuple[str, ...]]:
        """For each area field of households the codes that its indexes stand for."""
        return {
            field: codes
            for name in self._sources
            for field, codes in self._source_read(name).labels.items()
            if field != AREA_COLUMN
        }

    def _assembled(
        self, partition: int, *, by_person: bool = True
    ) -> tuple[pl.DataFrame | None, Mapping[str, PartitionRecords]]:
        frame = self.config.frame
        found = self._spool.read(frame, partition)
        if found is None:
            return None, {}
        records = self._known(frame, found)
        if not records.height:
            return None, {}  # later records of the frame hold events of homes not known then
        assembly = Assembly(frame, records, self._fields(frame), self._communal)
        self._add_outcomes(assembly, frame, found)
        for name in self.sources:
            source = self._sources[name]
            fields = self._fields(name)
            if source.schema.level is RecordLevel.AREA:
                on, rows = self._area_rows(source)
                values = self._spool.read(name, 0)
                assert values is not None
                assembly.add_areas(name, on, *area_values(values, fields, rows))
            else:
                tables = [no_records(source, self._wanted(name))]
                found = self._spool.read(name, partition)
                tables += [] if found is None else [found]
                tables += self._linkage.records(name, partition, by_person=by_person)
                records = stacked(tables)
                if name not in self._events_alone:
                    assembly.add(name, self._known(name, records), fields)
                self._add_outcomes(assembly, name, records)
        became = assembly.records(self._report_area, self._labels())
        used = {name: bound.field for name, bound in self.binding.fields.items()}
        return corrected_households(assembly.households, self.in_force, used), became

    def _known(self, name: str, records: pl.DataFrame) -> pl.DataFrame:
        """The records of a source that were known on the date of a back-test; all of a run."""
        known = self._known_records(name)
        return records if known is None else known.known(records)

    def _add_outcomes(self, assembly: Assembly, name: str, records: pl.DataFrame) -> None:
        outcomes = self.binding.outcomes_of(name)
        if outcomes and self.plan.known is not None:
            assembly.add_outcomes(name, records, outcomes, self.plan.known.on)

    @property
    def _report_area(self) -> str | None:
        """The field by which the linkage report counts records."""
        named = self.config.linkage.report_area
        areas = [name for name in self._labels() if name in self.binding.fields]
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
        return on, area_rows(self._labels()[on], self._source_read(source.name).labels[AREA_COLUMN])

    def _summary(self, name: str, records: Mapping[str, PartitionRecords]) -> SourceSummary:
        source, read = self._sources[name], self._source_read(name)
        became = records.get(name, PartitionRecords())
        linkage = self._linkage.found(name)
        if source.schema.level is RecordLevel.AREA:
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
            fields=tuple(self._wanted(name)),
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
            about_areas=source.schema.level is RecordLevel.AREA,
            lost=read.lost,
            sums=read.sums,
            most_at_one_home=became.most,
            rounded=read.rounded,
            homes_without_area=became.without_area,
            foreign_areas=foreign_areas(read.labels, self.config.council)
            if name == self.config.frame
            else {},
            unstated_areas=unstated_areas(self.binding).get(name, ""),
            trusts_absence=any(field.absent is not None for field in self._fields(name)),
        )


def _scored(partition: int) -> str:
    return f"@scored-{partition}"
