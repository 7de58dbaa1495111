"""Loads the installed plugins, and says which are broken.

A plugin that fails to import, or registers something that is not what it should be, is
named by distribution, version and hook; the others load. Whoever calls decides whether
to go on without it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType
from typing import Any, Generic, TypeVar

import pluggy

from folkmoot_sdk import hooks
from folkmoot_sdk.declarations import factor_faults, source_faults
from folkmoot_sdk.factor import RiskFactor
from folkmoot_sdk.parameters import nearest
from folkmoot_sdk.source import DataSource

C = TypeVar("C", type[DataSource], type[RiskFactor])


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a plugin comes from.

    Attributes:
        distribution: Name of the installed distribution.
        version: Its version.
        entry_point: Name of the entry point in the group `folkmoot`.
    """

    distribution: str
    version: str
    entry_point: str

    def __str__(self) -> str:
        return f"{self.distribution} {self.version} ({self.entry_point})"


@dataclass(frozen=True, slots=True)
class BrokenPlugin:
    """A plugin, or one hook of it, that was not loaded.

    Attributes:
        origin: Distribution, version and entry point.
        hook: The hook that failed; empty if the module could not be loaded at all.
        problem: What is wrong.
        remedy: What to do.
    """

    origin: Origin
    hook: str
    problem: str
    remedy: str

    def __str__(self) -> str:
        hook = f", {self.hook}" if self.hook else ""
        return f"plugin {self.origin}{hook}: {self.problem}. {self.remedy}"


@dataclass(frozen=True, slots=True)
class Plugins:
    """The plugins that are installed and sound.

    Attributes:
        sources: Data sources by kind.
        factors: Risk factors by name.
        source_origins: Where each kind of source comes from.
        factor_origins: Where each factor comes from.
        broken: What was not loaded, and why.
    """

    sources: Mapping[str, type[DataSource]]
    factors: Mapping[str, type[RiskFactor]]
    source_origins: Mapping[str, Origin]
    factor_origins: Mapping[str, Origin]
    broken: tuple[BrokenPlugin, ...]


@dataclass(frozen=True, slots=True)
class Hook(Generic[C]):
    """One hook, and how its registrations are named and checked.

    Attributes:
        hook: Its name.
        noun: What is registered, in words.
        faults: What is wrong with a registration.
        key: The name of one.
    """

    hook: str
    noun: str
    faults: Callable[[object], tuple[str, ...]]
    key: Callable[[C], str]


SOURCES: Hook[type[DataSource]] = Hook(
    hooks.folkmoot_data_sources.__name__, "data source", source_faults, lambda c: c.kind
)
FACTORS: Hook[type[RiskFactor]] = Hook(
    hooks.folkmoot_risk_factors.__name__, "risk factor", factor_faults, lambda c: c.name
)


def load(points: Iterable[EntryPoint] | None = None) -> Plugins:
    """Loads the plugins of the entry-point group `folkmoot`.

    Nothing a plugin does while it is imported or registers stops the others. Two plugins
    that register one name are both left out: the order of installation must not decide
    which code scores a household.

    Args:
        points: Entry points to load instead of the installed ones.
    """
    if points is None:
        points = entry_points(group=hooks.PROJECT)
    broken: list[BrokenPlugin] = []
    sources: list[tuple[Origin, type[DataSource]]] = []
    factors: list[tuple[Origin, type[RiskFactor]]] = []
    for point in sorted(points, key=lambda p: (_origin(p).distribution, p.name)):
        origin = _origin(point)
        caller = _manager(point, origin, broken)
        if caller is not None:
            sources += _registered(caller, origin, SOURCES, broken)
            factors += _registered(caller, origin, FACTORS, broken)
    source_of = unique(sources, SOURCES, broken)
    factor_of = unique(factors, FACTORS, broken)
    return Plugins(
        sources=MappingProxyType({name: entry for name, (_, entry) in source_of.items()}),
        factors=MappingProxyType({name: entry for name, (_, entry) in factor_of.items()}),
        source_origins=MappingProxyType({name: at for name, (at, _) in source_of.items()}),
        factor_origins=MappingProxyType({name: at for name, (at, _) in factor_of.items()}),
        broken=tuple(broken),
    )


def _origin(point: EntryPoint) -> Origin:
    if point.dist is None:
        return Origin(point.value.partition(":")[0], "", point.name)
    return Origin(point.dist.name, point.dist.version, point.name)


def _manager(
    point: EntryPoint, origin: Origin, broken: list[BrokenPlugin]
) -> pluggy.PluginManager | None:
    """A manager with this one plugin, or None if it cannot be loaded.

    Each plugin has a manager of its own, so that one plugin's failure, or a wrapper it
    puts around a hook, cannot touch another's registrations.
    """
    manager = pluggy.PluginManager(hooks.PROJECT)
    manager.add_hookspecs(hooks)
    try:
        plugin = point.load()
    except (Exception, SystemExit) as error:
        remedy = f"Fix or uninstall {origin.distribution}"
        broken.append(BrokenPlugin(origin, "", f"cannot be imported ({_said(error)})", remedy))
        return None
    try:
        manager.register(plugin, name=point.name)
    except Exception as error:
        problem = f"does not fit the hooks ({_said(error)})"
        broken.append(BrokenPlugin(origin, "", problem, "Compare it with folkmoot_sdk.hooks"))
        return None
    known = {SOURCES.hook, FACTORS.hook}
    implemented = {caller.name for caller in manager.get_hookcallers(plugin) or []}
    for name in sorted(implemented - known):
        broken.append(BrokenPlugin(origin, name, "is not a hook", nearest(name, known)))
    if not implemented:
        remedy = "Mark a function named like a hook with @folkmoot_sdk.hookimpl"
        broken.append(BrokenPlugin(origin, "", "implements no hook", remedy))
    return manager


def _registered(
    manager: pluggy.PluginManager, origin: Origin, hook: Hook[C], broken: list[BrokenPlugin]
) -> list[tuple[Origin, C]]:
    """What one plugin registers through one hook; nothing if any of it is unsound."""
    remedy = f"Fix or uninstall {origin.distribution}"
    try:
        answers: list[object] = getattr(manager.hook, hook.hook)()
    except (Exception, SystemExit) as error:
        broken.append(BrokenPlugin(origin, hook.hook, f"failed ({_said(error)})", remedy))
        return []
    entries: list[Any] = []
    for answer in answers:
        if not isinstance(answer, Sequence) or isinstance(answer, str | bytes):
            problem = f"returned {type(answer).__name__}, not a sequence of {hook.noun} classes"
            broken.append(BrokenPlugin(origin, hook.hook, problem, remedy))
            return []
        entries += answer
    faults: list[str] = []
    for entry in entries:
        faults += hook.faults(entry)
    if faults:
        broken.append(BrokenPlugin(origin, hook.hook, "; ".join(faults), remedy))
        return []
    return [(origin, entry) for entry in entries]


def unique(
    entries: Sequence[tuple[Origin, C]], hook: Hook[C], broken: list[BrokenPlugin]
) -> dict[str, tuple[Origin, C]]:
    """Leaves out what several plugins register under one name.

    Args:
        entries: What was registered.
        hook: Through which hook.
        broken: Gets an entry for each plugin that is left out.

    Returns:
        The others, by name.
    """
    by_name: dict[str, list[tuple[Origin, C]]] = defaultdict(list)
    for origin, entry in entries:
        by_name[hook.key(entry)].append((origin, entry))
    for name, claims in by_name.items():
        if len(claims) == 1:
            continue
        owners = " and by ".join(str(origin) for origin, _ in claims)
        problem = f"the {hook.noun} {name!r} is registered by {owners}; none is used"
        for origin in dict.fromkeys(origin for origin, _ in claims):
            remedy = "Uninstall all but one of them"
            broken.append(BrokenPlugin(origin, hook.hook, problem, remedy))
    return {name: claims[0] for name, claims in by_name.items() if len(claims) == 1}


def _said(error: BaseException) -> str:
    text = str(error).strip().splitlines()
    return f"{type(error).__name__}: {text[0]}" if text else type(error).__name__
