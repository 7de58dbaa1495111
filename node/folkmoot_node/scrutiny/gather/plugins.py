"""Facts about plugins: which are installed, how they run, and what they may do."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from folkmoot_node.home import NodeHome
from folkmoot_node.plugins.installed import InstalledPlugin, node_version
from folkmoot_node.plugins.loaded import placements_of
from folkmoot_node.plugins.opening import places
from folkmoot_node.plugins.placement import Placement, Way
from folkmoot_node.plugins.words import granted
from folkmoot_node.scrutiny.facts import Fact, Provenance
from folkmoot_node.scrutiny.gather.reporting import Reporter, of_file, slug
from folkmoot_node.settings.node_toml import FILE_NAME
from folkmoot_sdk.loading import Plugins


def plugin_facts(node: NodeHome, plugins: Plugins | None) -> Iterator[Fact]:
    """Each installed plugin. Imports nothing of any.

    Args:
        node: The node.
        plugins: Loaded plugins: how each runs was found out when they were loaded. If None, they
            are placed as if the kernel could confine.
    """
    config = node.config
    settings = of_file(config.home, config.home / FILE_NAME)
    yield Reporter(Provenance("installed packages"), configuration=True)(
        "node.version", "Version of the node", node_version()
    )
    fact = Reporter(settings, configuration=True)
    if_one_fails = config.plugins.if_one_fails
    yield fact("node.if_a_plugin_fails", "What a run does if a plugin fails", if_one_fails)
    found = placements_of(plugins) if plugins is not None else ()
    for one in found or places(config, node.today(), None):
        yield from _plugin(node, one, fact)


def _plugin(node: NodeHome, one: Placement, settings: Reporter) -> Iterator[Fact]:
    name, key = str(one.plugin), f"plugins.{slug(one.plugin.distribution)}"
    listed = _list_of_files(one.plugin)
    fact = replace(settings, place=listed)
    yield fact(f"{key}.version", f"Version of {name}", one.plugin.version)
    if one.allowed is not None:
        digest: str | None = one.allowed.content.removeprefix("sha256:")
        yield settings(f"{key}.sha256", f"SHA-256 of the files of {name}, as pinned", digest)
    else:
        digest = listed.sha256 or None
        yield fact(f"{key}.sha256", f"SHA-256 of the list of files of {name}", digest)
    yield settings(f"{key}.shipped", f"Whether {name} comes with the node", one.is_shipped)
    trust = one.way.value if one.way is not Way.REFUSED else f"{one.way.value}: {one.problem}"
    yield settings(f"{key}.trust", f"How {name} runs", trust)
    # Hosts are a fact of their own: privileges are public, and names inside a network are not.
    allowed = granted(node.config, one, with_hosts=False) if one.runs else "none"
    yield settings(f"{key}.privileges", f"What {name} may do", allowed)
    if one.runs and one.allowed is not None and one.allowed.network:
        yield settings(f"{key}.hosts", f"Hosts that {name} is granted", list(one.allowed.network))
    label = f"Whether people of two organisations have reviewed {name}"
    # What comes with the node is trusted as the node is: nobody has reviewed it apart.
    reviewed = "it comes with the node" if one.is_shipped else one.is_reviewed
    yield settings(f"{key}.reviewed", label, reviewed)


def _list_of_files(plugin: InstalledPlugin) -> Provenance:
    """The list of files that was installed with a plugin, each with its digest."""
    for point in plugin.points:
        for file in (point.dist.files if point.dist else None) or ():
            path = Path(str(file.locate()))
            if path.name == "RECORD" and path.is_file():
                content = path.read_bytes()
                # Where programs are installed on this machine is nobody's business outside.
                place = f"{path.parent.name}/{path.name}"
                return Provenance(place, hashlib.sha256(content).hexdigest())
    return Provenance("installed packages")
