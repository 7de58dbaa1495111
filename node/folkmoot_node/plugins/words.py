"""What people are told of plugins that do not run apart."""

from __future__ import annotations

from collections.abc import Iterable

from folkmoot_node.plugins.placement import Placement, Way
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.settings.plugins import PluginLimits


def not_confined(placements: Iterable[Placement]) -> tuple[str, ...]:
    """Which plugins run in the node's own process and why, a sentence each, without full stop.

    Those that come with the node have one sentence together.
    """
    inside = [one for one in placements if one.way is Way.IN_PROCESS]
    shipped = [one for one in inside if one.is_shipped]
    lines = []
    if shipped:
        lines.append(
            "The plugins that come with the node run in its own process and not apart, since "
            f"{shipped[0].reason}. A fault in one could reach whatever the node can"
        )
    lines += [
        f"Plugin {one.plugin} runs in the node's own process, where it could do whatever the node "
        f"can: {one.reason}"
        for one in inside
        if not one.is_shipped
    ]
    return tuple(lines)


def granted(config: NodeConfig, one: Placement, *, with_hosts: bool = True) -> str:
    """How a plugin that is shipped or allowed runs, and what it is granted, in one sentence.

    Args:
        config: The node's configuration.
        one: The plugin.
        with_hosts: Whether to name the hosts that it is granted.
    """
    if one.way is Way.IN_PROCESS:
        return f"runs in the node's own process: {one.reason}"
    allowed = one.allowed
    if allowed is None:
        limits = config.plugins.shipped
        return (
            "in confined processes that they share: sources read `extracts` and what their options "
            "name; factors read no files; sources of databases have the network as a whole; "
            f"{_used(limits)}"
        )
    reads = "its sources read " + (
        "`extracts` and what their options name" if allowed.files else "no files"
    )
    network = "no network"
    if allowed.network:
        network = (
            "the network as a whole"
            + (f", for {', '.join(allowed.network)}" if with_hosts else "")
            + ": named hosts cannot be enforced"
        )
    twice = "" if one.is_reviewed else "; until it is reviewed, each run scores it twice"
    return f"{Way.APART} of its own; {reads}, and have {network}; {_used(allowed)}{twice}"


def _used(limits: PluginLimits) -> str:
    return f"at most {limits.memory_mib:,} MiB, and {limits.seconds:,} seconds for one call"
