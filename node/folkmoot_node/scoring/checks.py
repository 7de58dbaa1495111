"""Whether the policy, the plugins and the sources fit each other."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.scoring.binding import bind_for, ended_licence
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import load_plugins
from folkmoot_operator.checks import Check, Finding, State

_NAME = "policies and sources"


def policy_and_sources(config: NodeConfig, today: datetime.date) -> Check:
    """Whether every input of the risk policy has a source. Reads no record.

    Args:
        config: The node's settings.
        today: Compared with the licences of bought fields: one that has ended is a warning,
            because scoring goes on without the field.
    """

    def look() -> Iterator[Finding]:
        plugins = load_plugins()
        policy = load_policy(config.risk_policy)
        binding = bind_for(policy, config, plugins, today)
        found = f"{policy.name}: {len(policy.factors)} factors, {len(binding.sources)} sources fit"
        if plugins.broken:
            found += f"; broken plugins: {'; '.join(map(str, plugins.broken))}"
        ended = [ended_licence(field, end) for field, end in binding.unlicensed.items()]
        if ended:
            what = "; ".join([found, *(problem for problem, _ in ended)])
            yield Finding(_NAME, State.WARN, what, ended[0][1])
        else:
            yield Finding(_NAME, State.OK, found)

    return Check(_NAME, look)
