"""One scoring run in stages: functions of the run's id and of a source or partition.

The stages read and write the run's spool, so that threads, tasks or workers on other
machines can run them; each may be repeated. `folkmoot_node.pipeline.own_run` begins and ends
runs, `folkmoot_node.pipeline.order` has the order of the stages.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import polars as pl

from folkmoot_node.corrections.decisions import Decisions, InForce
from folkmoot_node.households.assemble import PartitionRecords
from folkmoot_node.households.corrected_values import applied, withheld
from folkmoot_node.pipeline import store_columns as columns
from folkmoot_node.pipeline.link_source import RunLinkage
from folkmoot_node.pipeline.plan import RunPlan, read_plan, run_folder
from folkmoot_node.pipeline.read_source import SourceReading
from folkmoot_node.pipeline.run_records import RunRecords
from folkmoot_node.pipeline.run_sources import RunSources
from folkmoot_node.pipeline.scored_partition import PartitionOutcome, ScoredPartition
from folkmoot_node.pipeline.spool import Spool
from folkmoot_node.plugins.loaded import LoadedPlugins
from folkmoot_node.policies.risk_policy import RiskPolicy, load_policy
from folkmoot_node.scoring.binding import bind_for
from folkmoot_node.scoring.bound import Binding
from folkmoot_node.scoring.run_scoring import RunScoring
from folkmoot_node.settings.node_toml import NodeConfig, load_config
from folkmoot_node.sources.connect import Plugins, load_plugins
from folkmoot_node.sources.quarantine import Quarantine
from folkmoot_node.store.encrypted_file import read_key
from folkmoot_node.store.run_summary import StoredAttribute
from folkmoot_node.store.source_summary import SourceSummary
from folkmoot_node.store.writer import ROW_GROUP
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.factor import ScoringContext

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
        self._sources = RunSources(config, plan, self.binding)
        key = read_key(config.key_file, config.readers)
        self._spool = Spool(run_folder(config, plan.run_id), key, plan.run_id, plan.memory)
        self._linkage = RunLinkage(
            config, self._sources.asked, self._spool, key, plan.reference_date
        )
        self._records = RunRecords(config, self.binding, self._sources, self._spool, self._linkage)
        context = ScoringContext(plan.reference_date)
        self._scoring = RunScoring(self.binding.factors, policy, context)
        # What rounds count is scored by processes that have not seen what linkage of people moves.
        self._scoring_alone = RunScoring(self.binding.factors, policy, context, apart=True)
        self._in_force: InForce | None = None
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
        return self._sources.others

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
        read = self._records.read(self.config.frame)
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
            if self._sources.is_about_areas(source):
                read = reading.tabulate_areas(writer, self._sources.fields(source))
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
        return columns.stored_attributes(self.binding, self._records.labels(), people=people)

    def summaries(self, records: Mapping[str, PartitionRecords]) -> tuple[SourceSummary, ...]:
        """What became of each source's records, in the order of `node.toml`.

        Args:
            records: What became of them in all partitions together, by source.
        """
        names = [settings.name for settings in self.config.sources]
        return tuple(
            self._records.summary(name, records) for name in names if name in self._sources.needed
        )

    def _keep_corrections(self, decisions: Decisions) -> None:
        """Keeps the decisions as they are when the run begins, for all its stages and workers."""
        with self._spool.writer(_CORRECTIONS) as writer:
            writer.document = decisions.model_dump_json()

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
            self._sources.needed[name],
            self._sources.wanted(name),
            self.plan.reference_date,
            Quarantine(
                self.config.quarantine_folder,
                name,
                self.plan.run_id,
                lists=self.plan.known is None,
            ),
            self.config.maximum_share,
            self._sources.asked[name],
            self._sources.known_records(name),
        )

    def _score(self, partition: int) -> ScoredPartition | None:
        """None if the partition has no household."""
        households, records = self._records.assembled(partition, self.in_force)
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
                without, _ = self._records.assembled(partition, self.in_force, by_person=False)
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
        names = [name for name in self._sources.needed if not self._sources.is_about_areas(name)]
        self._spool.drop(names, partition)
        self._linkage.free(partition)


def _scored(partition: int) -> str:
    return f"@scored-{partition}"
