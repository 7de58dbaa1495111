"""Whether the policy, the plugins and the sources fit each other."""

from __future__ import annotations

from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.scoring.binding import bind
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import connect, load_plugins
from folkmoot_operator.checks import Check


def policy_and_sources(config: NodeConfig) -> Check:
    """Whether every input of the risk policy has a source. Reads no record."""

    def look() -> str:
        plugins = load_plugins()
        policy = load_policy(config.risk_policy)
        connected = connect(config, plugins)
        bind(policy, plugins, connected)
        broken = "; ".join(map(str, plugins.broken))
        faults = f"; broken plugins: {broken}" if broken else ""
        return f"{policy.name}: {len(policy.factors)} factors, {len(connected)} sources fit{faults}"

    return Check("policies and sources", look)
