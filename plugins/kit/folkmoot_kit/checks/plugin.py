"""All checks of one plugin, in order."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from folkmoot_kit.checks import (
    contents,
    distribution,
    processes,
    spoiled,
    vocabulary,
)
from folkmoot_kit.checks.bench import Bench
from folkmoot_kit.checks.extracts import copied
from folkmoot_kit.checks.subject import Subject
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk import conformance
from folkmoot_sdk.conformance.factor import trial_findings
from folkmoot_sdk.conformance.findings import Check, Finding, checks_in
from folkmoot_sdk.conformance.source import READ_AGAIN
from folkmoot_sdk.parameters import nearest

Step = Callable[[str], None]
_PLUGIN = (distribution, vocabulary)
_FACTOR = (processes,)
_SOURCE = (contents, spoiled)


def catalogue() -> tuple[Check, ...]:
    """Every check that `folkmoot-plugin check` makes, those of the SDK first."""
    return (*conformance.catalogue(), *checks_in((*_PLUGIN, *_FACTOR, *_SOURCE)))


@dataclass(frozen=True, slots=True)
class Reading:
    """A source that is to be read.

    Attributes:
        kind: Which.
        options: As in `[sources.options]` of `node.toml`.
        base: Folder to which their paths refer.
    """

    kind: str
    options: Mapping[str, Any]
    base: Path


@dataclass(slots=True)
class Result:
    """What the checks of a plugin came to.

    Attributes:
        distribution: Name of the plugin.
        version: Its version.
        factors: The factors that were checked.
        sources: The sources that were read.
        declared: The sources whose declaration alone was checked.
        findings: What is wrong, in the order in which it was found.
        checks: Which checks were made.
    """

    distribution: str
    version: str
    factors: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    declared: tuple[str, ...] = ()
    findings: list[Finding] = field(default_factory=list)
    checks: tuple[Check, ...] = ()

    @property
    def conforms(self) -> bool:
        """True if no finding is an error."""
        return not any(finding.is_error for finding in self.findings)

    def add(self, findings: Iterable[Finding]) -> None:
        """Notes findings, each rule once for each subject: the first says it most closely."""
        noted = {(finding.check, finding.subject) for finding in self.findings}
        for finding in findings:
            if (finding.check, finding.subject) not in noted:
                noted.add((finding.check, finding.subject))
                self.findings.append(finding)


def check_plugin(
    subject: Subject,
    bench: Bench,
    reading: Reading | None = None,
    *,
    sdk_version: str,
    parameters: processes.Parameters | None = None,
    seconds: float = processes.SECONDS,
    step: Step = lambda what: None,
) -> Result:
    """Checks a plugin: its distribution, its factors, and a source that is read.

    Args:
        subject: The plugin.
        bench: Where it runs.
        reading: A source to read; None checks the declarations of sources alone.
        sdk_version: Version of the SDK that runs.
        parameters: Of factors that cannot do with their defaults, by name.
        seconds: Limit for a batch of 65,536 households.
        step: Called with what is checked next, in a few words.

    Raises:
        Problem: Exit code SETTINGS, if it has no such source; or if this machine cannot confine
            a process.
    """
    result = Result(subject.name, subject.version)
    given = parameters or {}
    step("names and requirements")
    with bench.start() as running:
        if reading is not None and not running.broken and reading.kind not in running.sources:
            raise Problem(
                "is not a kind of source of this plugin",
                where=f"--source {reading.kind}",
                remedy=nearest(reading.kind, running.sources),
                exit_code=ExitCode.SETTINGS,
            )
        result.factors = tuple(running.factors)
        result.declared = tuple(k for k in running.sources if reading is None or k != reading.kind)
        result.add(distribution.loading_findings(running))
        result.add(processes.loaded_findings(running))
        if not subject.is_module:
            requires = subject.distribution.requires
            result.add(distribution.requirement_findings(requires, sdk_version))
            result.add(distribution.module_findings(subject.distribution))
        others = {
            origin: named
            for origin, named in bench.others().items()
            if origin.distribution != subject.name
        }
        result.add(distribution.name_findings(subject.name, running, others))
        for name, factor in running.factors.items():
            result.add(vocabulary.input_findings(f"factor {name}", factor.inputs, others))
    for name in result.factors:
        _check_factor(result, bench, name, given.get(name, {}), seconds, step)
    if result.factors:
        step("other processes")
        result.add(processes.process_findings(bench, given))
    if reading is not None and reading.kind in running.sources:
        result.sources = (reading.kind,)
        _check_source(result, bench, reading, others, step)
    result.checks = tuple(_made(result))
    return result


def _check_factor(
    result: Result,
    bench: Bench,
    name: str,
    parameters: Mapping[str, Any],
    seconds: float,
    step: Step,
) -> None:
    """Checks a factor in two processes: from outside, and by what runs beside it.

    From outside is what a node sees. What runs beside it sees attributes, threads and what it
    writes to; a hostile plugin could deceive it, and a careless one does not.
    """
    with bench.start() as running:
        before = len(running.printed())
        step(f"{name}: what it does to its process")
        result.add(tuple(running.examine(name, parameters)))
        trial = running.trial(name, parameters)
        result.add(trial_findings(trial, lambda what: step(f"{name}: {what}")))
        result.add(processes.printed_findings(running, trial.subject, before))
    with bench.start() as running:
        step(f"{name}: time and memory")
        trial = running.trial(name, parameters)
        result.add(processes.measured_findings(running, trial, seconds))


def _check_source(
    result: Result,
    bench: Bench,
    reading: Reading,
    others: Mapping[Any, Any],
    step: Step,
) -> None:
    subject = f"source {reading.kind}"
    date = conformance.REFERENCE_DATE
    with tempfile.TemporaryDirectory(prefix="folkmoot-extracts-") as folder:
        base = Path(folder).resolve()
        copies = copied(reading.options, reading.base, base)

        with bench.start((base,)) as running:
            before = len(running.printed())
            step(f"{reading.kind}: batches")
            found = running.examine_source(reading.kind, copies.options, base)
            result.add(tuple(found))
            if not found:
                source = running.source(reading.kind, copies.options, base)
                result.add(vocabulary.schema_findings(subject, source.schema, others))
                step("values")
                content = contents.read_all(subject, source, source.schema, date)
                result.add(tuple(content.findings))
                with bench.start((base,)) as another:
                    source = another.source(reading.kind, copies.options, base)
                    again = contents.read_all(subject, source, source.schema, date)
                if again.digests != content.digests:
                    changed = (content.digests - again.digests).total()
                    seen = f"another process reads {changed} records that hold something else"
                    result.add((READ_AGAIN.finding(seen, subject),))
                result.add(
                    tuple(spoiled.spoiled_findings(running, reading.kind, copies, date, step=step))
                )
            result.add(processes.printed_findings(running, subject, before))


def _made(result: Result) -> Iterator[Check]:
    """The checks that were made; those of sources only if one was read."""
    about = {"plugin"} | ({"factor"} if result.factors else set())
    about |= {"source"} if result.sources else set()
    yield from (check for check in catalogue() if check.about in about)
