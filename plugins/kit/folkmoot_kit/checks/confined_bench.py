"""Runs a plugin under test confined, with nothing but what a check grants it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from folkmoot_kit import confinement, hosting
from folkmoot_kit.checks.bench import Figures, Named
from folkmoot_kit.checks.failures import ConfinedTrial, check_of
from folkmoot_kit.checks.subject import Subject
from folkmoot_sdk.conformance import Finding
from folkmoot_sdk.conformance.trial import SCORE_FAILS, Trial
from folkmoot_sdk.factor import RiskFactor
from folkmoot_sdk.loading import BrokenPlugin, Origin
from folkmoot_sdk.source import DataSource

MEMORY_MIB = 2048
SECONDS = 120.0
"""Limits of a process under test; the checks say what is too much long before."""


class ConfinedBench:
    """Starts confined processes for one plugin."""

    def __init__(self, subject: Subject, *, network: bool = False) -> None:
        """Starts nothing yet.

        Args:
            subject: The plugin.
            network: Whether a source that is read may use the network.
        """
        self._subject = subject
        self._network = network
        self._folders = (*subject.folders, *confinement.import_folders())

    @contextmanager
    def start(self, readable: Sequence[Path] = ()) -> Iterator[ConfinedRunning]:
        """A new process with the plugin.

        Args:
            readable: Files and folders that it may read: then it has a clock, too, as sources
                have and factors do not.

        Raises:
            Problem: If this machine cannot confine a process.
        """
        limits = confinement.Limits(memory_mib=MEMORY_MIB, seconds=SECONDS)
        # A source may read the time: libraries that read files do, and end where they cannot.
        reads = bool(readable)
        grants = confinement.Grants(
            readable=tuple(readable), clock=reads, network=reads and self._network, limits=limits
        )
        wanted = hosting.Hosting(
            distributions=(self._subject.name,), grants=grants, show_messages=True
        )
        with hosting.open_plugins([wanted], import_folders=self._folders) as plugins:
            yield ConfinedRunning(plugins)

    def others(self) -> Mapping[Origin, Named]:
        """What the other installed plugins register, as a confined process loads them."""
        with hosting.open_installed(self._subject.name) as plugins:
            return _named(plugins)


def _named(plugins: hosting.HostedPlugins) -> dict[Origin, Named]:
    found = {}
    for origin in {*plugins.factor_origins.values(), *plugins.source_origins.values()}:
        factors = {
            name: plugins.factors[name]
            for name, at in plugins.factor_origins.items()
            if at == origin
        }
        kinds = frozenset(kind for kind, at in plugins.source_origins.items() if at == origin)
        found[origin] = Named(factors, kinds)
    return dict(sorted(found.items(), key=lambda item: str(item[0])))


class ConfinedRunning:
    """A plugin in one confined process."""

    def __init__(self, plugins: hosting.HostedPlugins) -> None:
        self._plugins = plugins

    @property
    def factors(self) -> Mapping[str, type[RiskFactor]]:
        """The risk factors by name."""
        return self._plugins.factors

    @property
    def sources(self) -> Mapping[str, type[DataSource]]:
        """The data sources by kind."""
        return self._plugins.sources

    @property
    def broken(self) -> Sequence[BrokenPlugin]:
        """What could not be loaded."""
        return self._plugins.broken

    def trial(self, name: str, parameters: Mapping[str, Any]) -> Trial:
        """A factor, to be called in this process."""
        cls = self._plugins.factors[name]
        return ConfinedTrial(cls, lambda: hosting.make_factor(cls, parameters, "parameters"))

    def source(self, kind: str, options: Mapping[str, Any], base: Path) -> DataSource:
        """A source, to be read in this process.

        Raises:
            PluginError: If it cannot be made.
            PluginFailure: If the process fails.
        """
        return hosting.make_source(self._plugins.sources[kind], options, "options", base)

    def examine(self, name: str, parameters: Mapping[str, Any]) -> Sequence[Finding]:
        """The checks of a factor that only its own process can make."""
        return self._examined(f"factor {name}", self._plugins.factors[name], parameters)

    def examine_source(
        self, kind: str, options: Mapping[str, Any], base: Path
    ) -> Sequence[Finding]:
        """The checks of a source, made beside it."""
        given = {**options, "base": str(base)}
        return self._examined(f"source {kind}", self._plugins.sources[kind], given)

    def _examined(self, subject: str, plugin: Any, given: Mapping[str, Any]) -> Sequence[Finding]:
        try:
            return hosting.examined(plugin, given)
        except hosting.PluginFailure as failure:
            check = check_of(failure) or SCORE_FAILS
            return (check.finding(failure.problem, subject),)

    def printed(self) -> str:
        """What the process has written to its standard output and standard error so far."""
        return "".join(process.printed_text() for process in self._plugins.processes)

    def figures(self) -> Figures | None:
        """What the process uses; None once it has ended."""
        found = [_of_process(pid) for process in self._plugins.processes
                 for pid in _descendants(process.pid)]  # fmt: skip
        alive = [figures for figures in found if figures is not None]
        if not alive:
            return None
        return Figures(
            sum(figures.threads for figures in alive),
            max(figures.peak_bytes for figures in alive),
        )


def _descendants(pid: int) -> Iterator[int]:
    """A process and those that it has started: the sandbox, and what runs in it."""
    yield pid
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return
    for child in children:
        yield from _descendants(int(child))


def _of_process(pid: int) -> Figures | None:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return None
    said = dict(line.split(":", 1) for line in lines if ":" in line)
    if "VmHWM" not in said:
        return None
    return Figures(int(said["Threads"]), int(said["VmHWM"].split()[0]) << 10)
