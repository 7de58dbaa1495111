"""A run in the process that begins it, collects what was scored, and writes the store."""

from __future__ import annotations

import datetime
import secrets
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from folkmoot_node.corrections.decisions import Decisions
from folkmoot_node.corrections.sealed_file import decisions_of
from folkmoot_node.households.assemble import PartitionRecords
from folkmoot_node.pipeline import store_columns as columns
from folkmoot_node.pipeline.kept_scores import KeptScores, ScoresWriter
from folkmoot_node.pipeline.lineage import files_read, folders_of
from folkmoot_node.pipeline.plan import RunPlan, run_folder, write_plan
from folkmoot_node.pipeline.run import ScoringRun
from folkmoot_node.pipeline.scored_partition import ScoredPartition
from folkmoot_node.pipeline.source_health import (
    SourceFinding,
    require_accepted,
    source_findings,
    with_findings,
)
from folkmoot_node.plugins.loaded import placements_of
from folkmoot_node.plugins.words import not_confined
from folkmoot_node.policies.acceptance import Acceptance
from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import Plugins
from folkmoot_node.sources.known_on import KnownOn
from folkmoot_node.store.encrypted_file import StoreKey, create_key, read_key
from folkmoot_node.store.extracts_read import note_read
from folkmoot_node.store.reader import open_store
from folkmoot_node.store.run_summary import (
    CorrectionsSummary,
    FactorSummary,
    FailedPlugin,
    RunSummary,
)
from folkmoot_node.store.writer import write_store
from folkmoot_operator.moments import day
from folkmoot_operator.problems import Problem
from folkmoot_operator.unusable_files import UnusableFile


class OwnRun(ScoringRun):
    """A run in the process that has begun it and writes its store. Made by `begin`.

    Attributes:
        summary: What the run did; there once it is finished.
        findings: What is to be said of its sources; there once it is finished.
    """

    summary: RunSummary
    findings: tuple[SourceFinding, ...]

    def __init__(
        self,
        plan: RunPlan,
        config: NodeConfig,
        plugins: Plugins,
        policy: RiskPolicy,
        writer: ScoresWriter,
        clock: Callable[[], float],
        judged: Judged,
        decisions: Decisions,
    ) -> None:
        super().__init__(plan, config, plugins, policy)
        self._not_confined = not_confined(placements_of(plugins))
        self._keep_corrections(decisions)
        self._writer = writer
        self._clock = clock
        self._judged = judged
        self._lock = threading.Lock()
        self._collected: set[int] = set()
        self._bands = np.zeros(len(policy.bands), dtype=np.int64)
        self._incomplete = 0
        self._corrections = CorrectionsSummary()
        self._became: dict[str, PartitionRecords] = {}

    @property
    def is_shared(self) -> bool:
        """Whether other processes run stages; then all records are in files."""
        return self.plan.memory == 0

    def create(self) -> None:
        """Creates the tables of the store, once all sources are read and linked."""
        self.end_linkage()
        self._writer.create(columns.table(self.stored_attributes(), self.binding))

    def finish(self) -> None:
        """Adds the partitions that other processes have scored, and finishes the store.

        Raises:
            Problem: Exit code DATA, if there are doubts about a source that nobody has accepted.
        """
        for partition in range(self.partitions):
            if partition not in self._collected:
                self._collect(partition, self.result(partition))
        summary, judged = self._summed_up(), self._judged
        self.findings = source_findings(self.config, summary, judged.last)
        if judged.stops:
            require_accepted(self.findings, judged.accepted)
        self.summary = with_findings(summary, self.findings, judged.accepted)
        self._writer.finish(self.summary)

    def note_files_read(self) -> None:
        """Notes which extracts were read, for the retention rule; once the run is finished."""
        read = (
            file
            for one in self.summary.sources
            for file in files_read(
                one.files,
                folders_of(self._sources.needed[one.name].source.options),
                about_areas=one.about_areas,
            )
        )
        note_read(self.config, read, day(self.summary.finished_at))

    def _keep(self, partition: int, scored: ScoredPartition | None) -> None:
        if self.is_shared:
            # A stage that is repeated replaces what it wrote: rows of the store would be doubled.
            super()._keep(partition, scored)
        else:
            self._collect(partition, scored)

    def _collect(self, partition: int, scored: ScoredPartition | None) -> None:
        """Adds a scored partition to the store; may be called from several threads."""
        if scored is not None:
            self._writer.append(partition, scored.counted, scored.details)
        with self._lock:
            self._collected.add(partition)
            if scored is not None:
                self._bands += np.array(scored.bands)
                self._incomplete += scored.incomplete
                self._corrections += scored.corrections
                for source, records in scored.records.items():
                    before = self._became.get(source, PartitionRecords())
                    self._became[source] = before + records

    def _summed_up(self) -> RunSummary:
        plan, policy, binding = self.plan, self.policy, self.binding
        return RunSummary(
            run_id=plan.run_id,
            policy_name=policy.name,
            policy_sha256=policy.digest.hex(),
            policy_sunset=policy.sunset,
            policy_path=policy.path,
            reference_date=plan.reference_date,
            known_on=plan.known.on if plan.known else None,
            started_at=plan.started_at,
            finished_at=int(self._clock()),
            households=int(self._bands.sum()),
            bands=dict(zip(policy.band_names, self._bands.tolist(), strict=True)),
            incomplete=self._incomplete,
            factors=tuple(
                FactorSummary(name=f.name, weight=f.weight, plugin=str(f.origin))
                for f in binding.factors
            ),
            sources=self.summaries(self._became),
            stored=self.stored_attributes(),
            licences=dict(binding.licences),
            unlicensed=dict(binding.unlicensed),
            audited={audit.field.name: audit.stored for audit in binding.audited},
            not_held=binding.not_held,
            retention=policy.retention,
            fields=columns.stored_fields(binding),
            corrections=self._corrections.of(self.in_force.effects),
            policy_text=policy.text,
            protected_inputs={name: c.value for name, c in binding.protected_inputs.items()},
            failed=tuple(
                FailedPlugin(
                    distribution=distribution,
                    problem=problem,
                    factors=tuple(
                        f.name for f in binding.factors if f.origin.distribution == distribution
                    ),
                )
                for distribution, problem in plan.failed.items()
            ),
            not_confined=self._not_confined,
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """By what the sources of a run are judged before its scores count.

    Attributes:
        last: The run before; None if there is none.
        accepted: What people have accepted, by source.
        stops: Whether the run stops at what nobody has accepted; a trial does not.
    """

    last: RunSummary | None = None
    accepted: Mapping[str, Acceptance] = field(default_factory=dict)
    stops: bool = True


@contextmanager
def begin(
    config: NodeConfig,
    plugins: Plugins,
    policy: RiskPolicy,
    *,
    today: datetime.date,
    reference_date: datetime.date | None = None,
    shared: bool = False,
    judged: Judged | None = None,
    failed: Mapping[str, str] | None = None,
    known: KnownOn | None = None,
    kept: KeptScores | None = None,
    clock: Callable[[], float] = time.time,
) -> Iterator[OwnRun]:
    """Begins a run; what it wrote is removed when the context ends, except a finished store.

    Args:
        config: The node's configuration.
        plugins: Installed plugins.
        policy: The risk stratification policy.
        today: Compared with the sunset date, and with the licences of bought fields: a field
            whose licence has ended is not read.
        reference_date: Date on which ages and durations are computed; `today` if None.
        shared: Whether other processes run stages, as `ScoringRun.open`.
        judged: By what the sources are judged; by the last run alone if None.
        failed: By distribution, how plugins have failed before in this run: their factors are
            unknown for every household.
        known: As of when a back-test scores; None for a run of today.
        kept: Takes the scores in place of the store.
        clock: Seconds since 1970-01-01T00:00:00Z.

    Raises:
        Problem: REFUSED after the sunset date; SETTINGS for a policy that does not fit the
            sources; DATA if another run is scoring now.
    """
    policy.check_sunset(today)
    plan = RunPlan(
        run_id=secrets.token_hex(16),
        policy=Path(policy.path).resolve(),
        policy_sha256=policy.digest.hex(),
        today=today,
        reference_date=reference_date or today,
        started_at=int(clock()),
        memory=0 if shared else config.memory,
        failed=dict(failed or {}),
        known=known,
    )
    key = store_key(config)
    with _writer(config, key, kept) as writer:
        # Nobody else is scoring, so what lies here was left by a run that was killed.
        shutil.rmtree(config.runs_folder, ignore_errors=True)
        judged = judged or Judged(last_run(config))
        decisions = decisions_of(config)
        run = OwnRun(plan, config, plugins, policy, writer, clock, judged, decisions)
        try:
            if shared:
                write_plan(config, plan)
            yield run
            if writer.finished:
                run.note_files_read()  # while no purge can run: it would go by an older note
        finally:
            run.end_linkage()
            run.end_scoring()
            shutil.rmtree(run_folder(config, plan.run_id), ignore_errors=True)


def _writer(
    config: NodeConfig, key: StoreKey, kept: KeptScores | None
) -> AbstractContextManager[ScoresWriter]:
    if kept is not None:
        return nullcontext(kept)
    return write_store(config.store_path, key, threads=config.threads, readers=config.readers)


def store_key(config: NodeConfig) -> StoreKey:
    """The store's key; a new one if it is lost, and with it all that it opened."""
    sealed = (
        config.store_path, config.snapshot_path, config.review_store, config.history_folder,
        config.corrections_file,
    )  # fmt: skip
    if config.key_file.exists() or any(path.exists() for path in sealed):
        return read_key(config.key_file, config.readers)
    return create_key(config.key_file, config.readers)


def last_run(config: NodeConfig) -> RunSummary | None:
    """The run whose scores are in the store; None if there are none that can be read.

    Raises:
        UnusableFile: If there are some, which cannot be read now: sources are compared with them.
    """
    try:
        with open_store(config.store_path, read_key(config.key_file, config.readers)) as store:
            return store.run
    except UnusableFile:
        raise
    except Problem:
        return None
