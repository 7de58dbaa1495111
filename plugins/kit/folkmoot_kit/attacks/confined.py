"""Makes attempts in confined processes, as the node would run a plugin."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import tempfile
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from folkmoot_kit import confinement
from folkmoot_kit.attacks import plugin
from folkmoot_kit.attacks.attempts import ENDED, Attempt, Group, Manner, Runs
from folkmoot_kit.attacks.records import FIELDS
from folkmoot_kit.attacks.stage import MEMORY_MIB, SCRATCH_MIB, THREADS, Stage
from folkmoot_kit.attacks.verdicts import Happened, Outcome, judge, reported
from folkmoot_kit.hosting import (
    HostedPlugins,
    Hosting,
    PluginFailure,
    PluginProcess,
    make_factor,
    make_source,
    open_plugins,
)
from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.factor import RiskFactor, ScoringContext
from folkmoot_sdk.source import DataSource, ReadContext, Rejection

Granting = Callable[[confinement.Grants, Stage], confinement.Grants]
DISTRIBUTION = "folkmoot-attack"
_START_SECONDS = 60.0
_READING_SECONDS = 60.0
_REPORT_SECONDS = 5.0
_HOUSEHOLDS = 4
_CONTEXT = ScoringContext(datetime.date(2026, 4, 1))
_WHERE = "attack"


def outcomes(attempts: Iterable[Attempt]) -> Iterator[Outcome]:
    """Makes attempts, each in a process of its own; yields the verdict on each.

    Raises:
        Problem: If this machine cannot confine a process.
    """
    with attacking() as attack:
        for attempt in attempts:
            yield attack(attempt)


@contextlib.contextmanager
def attacking(
    granting: Granting | None = None, *, sharing: Collection[Group] = ()
) -> Iterator[Callable[[Attempt], Outcome]]:
    """Something to attack, and a function that makes an attempt on it and judges.

    Args:
        granting: Grants more than a plugin is granted, to see that what comes through shows.
        sharing: Groups whose ordinary attempts are made in one process of the group, since they
            change nothing in it that matters to the others; a process that has ended is followed
            by another, in which an attempt that did not say how it ended is made again. All other
            attempts have a process each.

    Raises:
        Problem: If this machine cannot confine a process.
    """
    unmet = confinement.unmet()
    if unmet is not None:
        raise unmet
    with Stage() as stage, installed() as folder, contextlib.ExitStack() as kept:
        shared: dict[Group, HostedPlugins] = {}

        def attack(attempt: Attempt) -> Outcome:
            wanted = hosting(attempt, stage.granted)
            if granting is not None:
                wanted = dataclasses.replace(wanted, grants=granting(wanted.grants, stage))
            if attempt.group in sharing and attempt.manner == Manner():
                fresh = attempt.group not in shared
                if fresh:
                    shared[attempt.group] = kept.enter_context(opened(wanted, folder))
                happened = _happened(attempt, stage, shared[attempt.group])
                if happened.failure:
                    del shared[attempt.group]
                    if not fresh and ENDED.isdisjoint(reported(happened.said)):
                        return attack(attempt)  # an attempt before may have ended the process
            else:
                with opened(wanted, folder) as plugins:
                    happened = _happened(attempt, stage, plugins)
            return judge(attempt, happened, stage.secret)

        yield attack


@contextlib.contextmanager
def installed() -> Iterator[Path]:
    """A folder in which the hostile plugin is installed, as a distribution of its own."""
    with tempfile.TemporaryDirectory(prefix="folkmoot-attack-") as folder:
        about = Path(folder, "folkmoot_attack-1.dist-info")
        about.mkdir()
        name = f"Metadata-Version: 2.1\nName: {DISTRIBUTION}\nVersion: 1\n"
        (about / "METADATA").write_text(name)
        (about / "entry_points.txt").write_text(f"[folkmoot]\nattack = {plugin.__name__}\n")
        yield Path(folder)


def hosting(attempt: Attempt | None, *granted: Path) -> Hosting:
    """How the node would host a plugin that may read some files, and nothing else."""
    limits = confinement.Limits(
        memory_mib=MEMORY_MIB,
        seconds=_START_SECONDS,
        processes=THREADS,
        scratch_mib=SCRATCH_MIB if attempt and attempt.manner.scratch else 0,
    )
    grants = confinement.Grants(readable=granted, limits=limits)
    return Hosting(distributions=(DISTRIBUTION,), grants=grants)


def opened(wanted: Hosting, folder: Path) -> HostedPlugins:
    """The hostile plugin of a folder, in a process of its own."""
    return open_plugins([wanted], import_folders=[*confinement.import_folders(), folder])


def _happened(attempt: Attempt, stage: Stage, plugins: HostedPlugins) -> Happened:
    if plugins.broken:
        problem = "; ".join(entry.problem for entry in plugins.broken)
        return Happened(said="", failure=problem, traces=stage.traces())
    [process] = plugins.processes
    _allow(process, attempt.manner.seconds)
    targets = stage.targets(scratch=attempt.manner.scratch, seconds=attempt.manner.seconds)
    given = {"attempt": attempt.id, "targets": targets.to_json()}
    before = len(process.printed_text())
    begun = time.monotonic()
    call = _Call()
    try:
        if attempt.manner.runs is Runs.RECORDS:
            kind = plugins.sources[plugin.AttackerSource.kind]
            call.read(make_source(kind, given, _WHERE, stage.granted.parent))
        else:
            call.make(make_factor(plugins.factors[plugin.Attacker.name], given, _WHERE), attempt)
    except (PluginFailure, PluginError) as failure:
        call.failure = getattr(failure, "problem", type(failure).__name__)
        call.texts = _texts_of(failure)
    seconds = time.monotonic() - begun
    traces = stage.traces()
    return Happened(
        said=_said(process, before),
        failure=call.failure,
        failure_texts=call.texts,
        explanation=call.explanation,
        answer_is_own=call.answer_is_own,
        unending=call.unending,
        seconds=seconds,
        traces=[*traces, *stage.traces()],
    )


def _said(process: PluginProcess, before: int) -> str:
    """What the attacker has reported: a thread reads it, which may come after the answer.

    Of a process that has been stopped, all has been read. One that answered with an error runs on.

    Args:
        process: In which the attempt was made.
        before: Length of what was printed before it.
    """
    until = time.monotonic() + _REPORT_SECONDS
    runs = Path(f"/proc/{process.pid}")
    said = process.printed_text()[before:]
    while ENDED.isdisjoint(reported(said)) and runs.exists() and time.monotonic() < until:
        time.sleep(0.01)
        said = process.printed_text()[before:]
    return said


@dataclasses.dataclass(slots=True)
class _Call:
    """One call of the plugin, and what came of it."""

    failure: str = ""
    texts: str = ""
    explanation: str | None = None
    answer_is_own: bool = True
    unending: bool = False

    def read(self, source: DataSource) -> None:
        def reject(rejections: Sequence[Rejection]) -> None:
            """The host keeps none of them here."""

        context = ReadContext(FIELDS, _CONTEXT.reference_date, reject)
        begun = time.monotonic()
        for _ in source.read(context):
            self.unending = time.monotonic() - begun > _READING_SECONDS
            if self.unending:
                return

    def make(self, factor: RiskFactor, attempt: Attempt) -> None:
        if attempt.manner.runs is Runs.EXPLANATION:
            self.explanation = factor.explain({"amount": 1.0}, plugin.SCORE, _CONTEXT)
            return
        scores = factor.score({"amount": np.ones(_HOUSEHOLDS)}, _CONTEXT)
        self.answer_is_own = bool((scores == plugin.SCORE).all()) and len(scores) == _HOUSEHOLDS


def _allow(process: PluginProcess, seconds: float) -> None:
    """Grants the calls of a process, which has started, less time than the start."""
    limits = dataclasses.replace(process.hosting.grants.limits, seconds=seconds)
    grants = dataclasses.replace(process.hosting.grants, limits=limits)
    process.hosting = dataclasses.replace(process.hosting, grants=grants)


def _texts_of(error: BaseException | None) -> str:
    """Every text of an error and of those behind it: what a log could come to hold."""
    texts = []
    while error is not None:
        texts += [str(error), repr(error), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return "\n".join(texts)
