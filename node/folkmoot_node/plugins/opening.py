"""Opens the plugins of a node: those that may run, each where it is to run.

What comes with the node shares a process, its factors one that is granted nothing; sources that
reach a network have one of their own.
A plugin of others has one for its factors, which is granted nothing, and one for its sources, if
some are configured, which is granted what its table in `node.toml` names.
"""

from __future__ import annotations

import datetime
import os
import sys
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from folkmoot_kit.confinement import import_folders, unmet
from folkmoot_kit.hosting import HostedPlugins, Hosting, open_plugins
from folkmoot_node.plugins.accepted import require_accepted
from folkmoot_node.plugins.grants import (
    for_factors,
    for_shipped_network,
    for_shipped_sources,
    for_sources,
)
from folkmoot_node.plugins.installed import installed_plugins
from folkmoot_node.plugins.loaded import LoadedPlugins
from folkmoot_node.plugins.placement import Decide, Examine, Placement, Way, placements
from folkmoot_node.plugins.provenance import Provenance
from folkmoot_node.plugins.shipped import FACTORS, KINDS, NETWORKED
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.settings.plugins import ShippedLimits, normal
from folkmoot_operator.problems import Problem
from folkmoot_sdk.loading import Origin
from folkmoot_sdk.loading import Plugins as SdkPlugins


def load_plugins(config: NodeConfig | None, *, reading: Sequence[Path] = ()) -> LoadedPlugins:
    """Loads the plugins that may run at a node; what does not run is listed in `broken`.

    Args:
        config: The node's settings; None where there is no node: then those that come with the
            node are loaded, and nothing of others.
        reading: Files and folders that somebody has named on a command line, which sources that
            come with the node may read too.

    Returns:
        The plugins, to be closed when the command or the run ends.

    Raises:
        Problem: Exit code SETTINGS, if what was granted is not there; VERIFICATION, if what runs
            confined is not the installation that was accepted.
    """
    today = datetime.datetime.now(datetime.UTC).date()
    opened: LoadedPlugins | None = None
    try:
        opened, is_whole = _opened(config, places(config, today, None), reading)
        if is_whole:
            return opened
    except Problem:
        if unmet() is None:
            raise
    # Each confined process proves its layers before it runs a plugin. To try them in processes of
    # their own takes longer, and tells why it could not.
    kernel = unmet()
    if opened is not None:
        if kernel is None:
            return opened
        opened.close()
    return _opened(config, places(config, today, kernel), reading)[0]


def _opened(
    config: NodeConfig | None, found: tuple[Placement, ...], reading: Sequence[Path]
) -> tuple[LoadedPlugins, bool]:
    """Opens plugins as they were placed; the second is false if a process did not start."""
    plan = _plan(config, found, reading)
    require_accepted(name for one in plan.first for name in one.distributions)
    folders = import_folders()
    if any(one.way is Way.IN_PROCESS and not one.is_shipped for one in found):
        # The pin that was signed covers no compiled copies: those of what this process imports
        # from now on are not run. It is not put back, for a plugin may import later.
        sys.pycache_prefix = os.devnull
    first = open_plugins(plan.first, in_process=plan.in_process, import_folders=folders)
    with ExitStack() as stack:
        stack.enter_context(first)
        of_others = open_plugins(plan.sources, import_folders=folders)
        stack.enter_context(of_others)
        processes = (*first.processes, *of_others.processes)
        found, together = _without_liars(found, _together(first, of_others))
        loaded = LoadedPlugins(
            sources=together.sources,
            factors=together.factors,
            source_origins=together.source_origins,
            factor_origins=together.factor_origins,
            broken=(*(one.broken for one in found if one.broken is not None), *together.broken),
            placements=found,
            processes=processes,
        )
        stack.pop_all()
    return loaded, len(processes) == len(plan.first) + len(plan.sources)


def places(
    config: NodeConfig | None, today: datetime.date, kernel: Problem | None
) -> tuple[Placement, ...]:
    """How each installed plugin runs at a node. Imports nothing of any.

    Args:
        config: The node's settings; None where there is no node.
        today: The date in UTC.
        kernel: Why processes cannot be confined here; None if they can.
    """
    examine: Examine | None = None
    decide: Decide | None = None
    if config is not None and config.plugins.allowed:
        # Late: signatures and their libraries are for councils that allow plugins of others.
        from folkmoot_node.plugins.decisions import in_process_decisions
        from folkmoot_node.plugins.examining import Examiner

        examine = Examiner(config, import_folders(), today)
        decide = partial(in_process_decisions, config)
    return placements(config, installed_plugins(), unmet=kernel, examine=examine, decide=decide)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which processes there will be.

    Attributes:
        first: One of them serves each distribution.
        sources: Those of plugins of others that have one for their factors too.
        in_process: Distributions that run in this process.
    """

    first: tuple[Hosting, ...]
    sources: tuple[Hosting, ...]
    in_process: tuple[str, ...]


def _plan(config: NodeConfig | None, found: Iterable[Placement], reading: Sequence[Path]) -> _Plan:
    first: list[Hosting] = []
    sources: list[Hosting] = []
    configured = config.sources if config else ()
    shipped = [one.plugin.distribution for one in found if _is_apart(one) and one.is_shipped]
    kinds = _kinds_of_others(found)
    for one in found:
        if config is None or one.allowed is None or not _is_apart(one):
            continue
        known = one.provenance or Provenance()
        own = [source for source in configured if kinds.get(source.kind) == one.plugin.distribution]
        names = (one.plugin.distribution,)
        reads = Hosting(
            distributions=names,
            grants=for_sources(config, one.allowed, own, known.secrets),
            from_source=True,  # its pin covers no compiled copies
        )
        if known.has_factors or not own:
            computes = Hosting(
                distributions=names, grants=for_factors(one.allowed), from_source=True
            )
            first.append(computes)
            sources += [reads] if own else []
        else:
            first.append(reads)
    theirs = [source for source in configured if source.kind in KINDS]
    for kind, distribution in NETWORKED.items():
        own = [source for source in theirs if source.kind == kind]
        if config is not None and own and distribution in shipped:
            shipped.remove(distribution)
            grants = for_shipped_network(config, own)
            first.append(Hosting(distributions=(distribution,), grants=grants))
            theirs = [source for source in theirs if source not in own]
    if computing := tuple(name for name in shipped if name in FACTORS):
        limits = config.plugins.shipped if config else ShippedLimits()
        first.append(Hosting(distributions=computing, grants=for_factors(limits)))
    if readers := tuple(name for name in shipped if name not in FACTORS):
        grants = for_shipped_sources(config, theirs, reading)
        first.append(Hosting(distributions=readers, grants=grants))
    inside = tuple(one.plugin.distribution for one in found if one.way is Way.IN_PROCESS)
    return _Plan(tuple(first), tuple(sources), inside)


def _kinds_of_others(found: Iterable[Placement]) -> dict[str, str]:
    """Kinds of sources that are one plugin's of others alone, and its distribution.

    A manifest can name any kind. Of one that comes with the node, or that two name, nothing is
    granted: else a plugin would read another's files, before it is found that both register it.
    """
    claims: dict[str, list[str]] = {}
    for one in found:
        for kind in one.provenance.kinds if one.provenance is not None and one.runs else ():
            claims.setdefault(kind, []).append(one.plugin.distribution)
    return {kind: own[0] for kind, own in claims.items() if len(own) == 1 and kind not in KINDS}


def _is_apart(one: Placement) -> bool:
    return one.way is Way.APART


def _together(first: HostedPlugins, of_others: HostedPlugins) -> SdkPlugins:
    """Factors of the first processes, and sources of those that may read."""
    sources = dict(first.sources)
    for kind, source in of_others.sources.items():
        # What another plugin registers too was left out, and stays so.
        if first.source_origins.get(kind) == of_others.source_origins[kind]:
            sources[kind] = source
    broken = dict.fromkeys((*first.broken, *of_others.broken))
    return SdkPlugins(
        sources, first.factors, first.source_origins, first.factor_origins, tuple(broken)
    )


def _without_liars(
    found: tuple[Placement, ...], plugins: SdkPlugins
) -> tuple[tuple[Placement, ...], SdkPlugins]:
    """Leaves out plugins of others that do more than the manifest says which was signed."""
    honest: list[Placement] = []
    for one in found:
        known = one.provenance
        own = _only(plugins, {one.plugin.distribution})
        problems = known.problems_with(own) if known and one.runs else ()
        if known and problems:
            liar = replace(known, problems=problems)
            honest.append(replace(one, way=Way.REFUSED, problem=liar.problem, provenance=liar))
        else:
            honest.append(one)
    return tuple(honest), _only(plugins, {one.plugin.distribution for one in honest if one.runs})


def _only(plugins: SdkPlugins, distributions: Collection[str]) -> SdkPlugins:
    """What some distributions register."""

    def of(origins: Mapping[str, Origin]) -> dict[str, Origin]:
        return {k: at for k, at in origins.items() if normal(at.distribution) in distributions}

    sources, factors = of(plugins.source_origins), of(plugins.factor_origins)
    return SdkPlugins(
        {kind: plugins.sources[kind] for kind in sources},
        {name: plugins.factors[name] for name in factors},
        sources,
        factors,
        plugins.broken,
    )
