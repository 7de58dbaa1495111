"""Starts the processes of some plugins, and offers what they register like any other's."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from importlib.metadata import Distribution
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self, TypeVar

from folkmoot_kit import confinement
from folkmoot_kit.channel.words import LONGEST_LINE, LONGEST_NAME, Call
from folkmoot_kit.hosting import answers, declarations, texts
from folkmoot_kit.hosting.answers import Garbage
from folkmoot_kit.hosting.errors import Asked
from folkmoot_kit.hosting.factor import ConfinedFactor, confined_factor
from folkmoot_kit.hosting.failure import PluginFailure
from folkmoot_kit.hosting.process import Hosting, PluginProcess
from folkmoot_kit.hosting.source import confined_source
from folkmoot_sdk import hooks
from folkmoot_sdk.factor import RiskFactor
from folkmoot_sdk.loading import BrokenPlugin, Origin, load
from folkmoot_sdk.source import DataSource

C = TypeVar("C", type[DataSource], type[RiskFactor])

_SOURCES = hooks.folkmoot_data_sources.__name__
_FACTORS = hooks.folkmoot_risk_factors.__name__
_TEXT_OF_ERROR = re.compile(r"\((\w{1,60}): .*\)")
_NO_MODULE = re.compile(r"\(ModuleNotFoundError: No module named '[A-Za-z0-9_.]{1,80}'\)")


@dataclass(frozen=True, slots=True)
class HostedPlugins:
    """Plugins that are open, with the attributes of `folkmoot_sdk.loading.Plugins`.

    Attributes:
        sources: Data sources by kind.
        factors: Risk factors by name.
        source_origins: Where each kind of source comes from.
        factor_origins: Where each factor comes from.
        broken: What was not loaded, and why.
        processes: The processes that run, in the order of their hostings.
    """

    sources: Mapping[str, type[DataSource]]
    factors: Mapping[str, type[RiskFactor]]
    source_origins: Mapping[str, Origin]
    factor_origins: Mapping[str, Origin]
    broken: tuple[BrokenPlugin, ...]
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
    sources = _unique([e for one in found for e in one.sources], _SOURCES, _kind, broken)
    factors = _unique([e for one in found for e in one.factors], _FACTORS, _name, broken)
    return HostedPlugins(
        sources=MappingProxyType({key: entry for key, (_, entry) in sources.items()}),
        factors=MappingProxyType({key: entry for key, (_, entry) in factors.items()}),
        source_origins=MappingProxyType({key: at for key, (at, _) in sources.items()}),
        factor_origins=MappingProxyType({key: at for key, (at, _) in factors.items()}),
        broken=tuple(broken),
        processes=tuple(one.process for one in found if one.process is not None),
    )


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


def origins_of(distributions: Sequence[str], folders: Sequence[Path]) -> list[Origin]:
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
    origins = origins_of(hosting.distributions, folders)
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
    points = []
    for name in distributions:
        for one in Distribution.discover(name=name, path=[str(folder) for folder in folders]):
            points += [point for point in one.entry_points if point.group == hooks.PROJECT]
            break
    plugins = load(points)
    return _Found(
        [(plugins.source_origins[kind], entry) for kind, entry in plugins.sources.items()],
        [(plugins.factor_origins[name], entry) for name, entry in plugins.factors.items()],
        list(plugins.broken),
    )


def _kind(source: type[DataSource]) -> str:
    return source.kind


def _name(factor: type[RiskFactor]) -> str:
    return factor.name


def _unique(
    entries: Sequence[tuple[Origin, C]],
    hook: str,
    key: Callable[[C], str],
    broken: list[BrokenPlugin],
) -> dict[str, tuple[Origin, C]]:
    """Leaves out what several processes register under one name."""
    by_name: dict[str, list[tuple[Origin, C]]] = defaultdict(list)
    for origin, entry in entries:
        by_name[key(entry)].append((origin, entry))
    for name, claims in by_name.items():
        if len(claims) > 1:
            owners = " and by ".join(str(origin) for origin, _ in claims)
            problem = f"{name!r} is registered by {owners}; none is used"
            broken += [
                BrokenPlugin(origin, hook, problem, "Uninstall all but one of them")
                for origin, _ in claims
            ]
    return {name: claims[0] for name, claims in by_name.items() if len(claims) == 1}
