"""Starts the processes of some plugins, and offers what they register like any other's."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import Distribution, entry_points
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

from packaging.utils import canonicalize_name

from folkmoot_kit import confinement
from folkmoot_kit.channel.words import LONGEST_LINE, LONGEST_NAME, Call
from folkmoot_kit.hosting import answers, declarations, texts
from folkmoot_kit.hosting.answers import Garbage
from folkmoot_kit.hosting.errors import Asked
from folkmoot_kit.hosting.factor import ConfinedFactor, confined_factor
from folkmoot_kit.hosting.failure import PluginFailure
from folkmoot_kit.hosting.process import Hosting, PluginProcess
from folkmoot_kit.hosting.source import confined_source
from folkmoot_kit.inside.describing import load_from
from folkmoot_sdk import hooks
from folkmoot_sdk.factor import RiskFactor
from folkmoot_sdk.loading import FACTORS, SOURCES, BrokenPlugin, Origin, Plugins, unique
from folkmoot_sdk.source import DataSource

_TEXT_OF_ERROR = re.compile(r"\((\w{1,60}): .*\)")
_NO_MODULE = re.compile(r"\(ModuleNotFoundError: No module named '[A-Za-z0-9_.]{1,80}'\)")


@dataclass(frozen=True, slots=True)
class HostedPlugins(Plugins):
    """Plugins that are open; a context manager that ends their processes.

    Attributes:
        processes: The processes that run, in the order of their hostings.
    """

    processes: tuple[PluginProcess, ...]

    def close(self) -> None:
        """Ends the processes. Safe to call again."""
        for process in self.processes:
            process.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(slots=True)
class _Found:
    """What one process registers."""

    sources: list[tuple[Origin, type[DataSource]]] = field(default_factory=list)
    factors: list[tuple[Origin, type[RiskFactor]]] = field(default_factory=list)
    broken: list[BrokenPlugin] = field(default_factory=list)
    process: PluginProcess | None = None


def open_plugins(
    hostings: Sequence[Hosting],
    *,
    in_process: Sequence[str] = (),
    import_folders: Sequence[Path] | None = None,
) -> HostedPlugins:
    """Starts a process for each hosting, and asks each what its plugins register.

    A plugin that cannot be loaded, or declares what the SDK does not allow, is listed in
    `broken`; so are all plugins of a process that fails meanwhile. Two plugins that register one
    name are both left out, as in one process.

    Args:
        hostings: Which plugins share a process, and what each process is given.
        in_process: Names of distributions whose plugins are loaded into this process.
        import_folders: Where plugins are installed; this interpreter's folders if None.

    Raises:
        Problem: If this machine cannot confine a process.
    """
    folders = confinement.import_folders() if import_folders is None else tuple(import_folders)
    found = [_loaded_here(in_process, folders)] if in_process else []
    if hostings:
        with ThreadPoolExecutor(len(hostings)) as threads:
            opened = [threads.submit(_opened, one, folders) for one in hostings]
        try:
            found += [one.result() for one in opened]
        except BaseException:
            for one in opened:
                if one.exception() is None and (process := one.result().process) is not None:
                    process.close()
            raise
    broken = [entry for one in found for entry in one.broken]
    sources = unique([e for one in found for e in one.sources], SOURCES, broken)
    factors = unique([e for one in found for e in one.factors], FACTORS, broken)
    return HostedPlugins(
        sources=MappingProxyType({key: entry for key, (_, entry) in sources.items()}),
        factors=MappingProxyType({key: entry for key, (_, entry) in factors.items()}),
        source_origins=MappingProxyType({key: at for key, (at, _) in sources.items()}),
        factor_origins=MappingProxyType({key: at for key, (at, _) in factors.items()}),
        broken=tuple(broken),
        processes=tuple(one.process for one in found if one.process is not None),
    )


def open_installed(without: str = "", *, show_messages: bool = False) -> HostedPlugins:
    """Opens the installed plugins in one process; each in one of its own, if one ends that.

    Args:
        without: Name of a distribution to leave out.
        show_messages: Whether the texts of errors may be shown.

    Raises:
        Problem: If this machine cannot confine a process.
    """
    found = {point.dist.name for point in entry_points(group=hooks.PROJECT) if point.dist}
    left_out = canonicalize_name(without)
    names = tuple(sorted(name for name in found if canonicalize_name(name) != left_out))
    if not names:
        return open_plugins([])
    plugins = open_plugins([Hosting(distributions=names, show_messages=show_messages)])
    if plugins.processes:
        return plugins
    alone = [Hosting(distributions=(name,), show_messages=show_messages) for name in names]
    return open_plugins(alone)


@contextmanager
def fresh_copies(factors: Sequence[RiskFactor]) -> Iterator[list[RiskFactor]]:
    """The same factors, made again in fresh processes, one for each process that they are in.

    Factors that are not confined are the same objects. The processes end with the block.

    Raises:
        PluginFailure: If a process or factor fails.
    """
    with ExitStack() as stack:
        processes: dict[PluginProcess, PluginProcess] = {}
        copies: list[RiskFactor] = []
        for factor in factors:
            if not isinstance(factor, ConfinedFactor):
                copies.append(factor)
                continue
            old = factor.process
            if old not in processes:
                asked = factor.asked("describe")
                fresh = PluginProcess(old.hosting, old.import_folders, asked)
                processes[old] = stack.enter_context(fresh)
                request = {"distributions": list(old.hosting.distributions)}
                fresh.ask(Call.DESCRIBE, request, asked)
            copies.append(factor.remade_in(processes[old]))
        yield copies


def _origins_of(distributions: Sequence[str], folders: Sequence[Path]) -> list[Origin]:
    """Distribution, version and entry point of each plugin, read from what is installed."""
    found = []
    for name in distributions:
        for one in Distribution.discover(name=name, path=[str(folder) for folder in folders]):
            found += [
                Origin(one.name, one.version, point.name)
                for point in one.entry_points
                if point.group == hooks.PROJECT
            ]
            break
        else:
            found.append(Origin(name, "", ""))
    return found


def _opened(hosting: Hosting, folders: Sequence[Path]) -> _Found:
    origins = _origins_of(hosting.distributions, folders)
    asked = Asked(origins[0], "describe")
    process = None
    try:
        process = PluginProcess(hosting, folders, asked)
        request = {"distributions": list(hosting.distributions)}
        body = process.ask(Call.DESCRIBE, request, asked).body
        try:
            found = _declared(body, process, origins)
        except Garbage as fault:
            raise process.distrust(asked, fault) from None
    except PluginFailure as failure:
        if process is not None:
            process.close()
        return _Found(
            broken=[BrokenPlugin(one, "", failure.problem, failure.remedy) for one in origins]
        )
    found.broken += [
        BrokenPlugin(one, "", "is not installed", f"Install {one.distribution}")
        for one in origins
        if not one.entry_point
    ]
    return found


def _declared(body: Mapping[str, Any], process: PluginProcess, origins: Sequence[Origin]) -> _Found:
    found = _Found(process=process)
    for entry in answers.entries(body, "factors", declarations.MOST_PLUGINS):
        factor = confined_factor(answers.table(entry), process, origins)
        found.factors.append((factor.origin, factor))
    for entry in answers.entries(body, "sources", declarations.MOST_PLUGINS):
        source = confined_source(answers.table(entry), process, origins)
        found.sources.append((source.origin, source))
    for entry in answers.entries(body, "broken", declarations.MOST_PLUGINS):
        found.broken.append(_broken(answers.table(entry), process, origins))
    return found


def _broken(
    entry: Mapping[str, Any], process: PluginProcess, origins: Sequence[Origin]
) -> BrokenPlugin:
    problem = texts.line(entry.get("problem"), declarations.LONGEST_SENTENCES)
    # The text of an error may quote what the plugin has read; which module it lacks does not.
    if not process.hosting.show_messages and not _NO_MODULE.search(problem):
        problem = _TEXT_OF_ERROR.sub(r"(\1)", problem)
    return BrokenPlugin(
        declarations.origin(entry.get("origin"), origins),
        texts.line(entry.get("hook"), LONGEST_NAME),
        problem,
        texts.line(entry.get("remedy"), LONGEST_LINE),
    )


def _loaded_here(distributions: Sequence[str], folders: Sequence[Path]) -> _Found:
    plugins = load_from(distributions, [str(folder) for folder in folders])
    return _Found(
        [(plugins.source_origins[kind], entry) for kind, entry in plugins.sources.items()],
        [(plugins.factor_origins[name], entry) for name, entry in plugins.factors.items()],
        list(plugins.broken),
    )
