"""Whether the policy, the plugins and the sources fit each other."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

from folkmoot_node.policies.risk_policy import WARN_DAYS, load_policy
from folkmoot_node.scoring.area_types import unstated_area, unstated_areas
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
            because scoring goes on without the field. So are areas of homes that do not say
            what they are.
    """

    def look() -> Iterator[Finding]:
        policy = load_policy(config.risk_policy)
        with load_plugins(config) as plugins:
            binding = bind_for(policy, config, plugins, today)
        factors, sources = len(policy.factors), len(binding.sources)
        found = f"{policy.name} fits the sources (factors: {factors}, sources: {sources})"
        if plugins.broken:
            found += f"; broken plugins: {'; '.join(map(str, plugins.broken))}"
        doubts = [ended_licence(field, end) for field, end in binding.unlicensed.items()]
        doubts += [unstated_area(*one) for one in unstated_areas(binding).items()]
        if doubts:
            what = "; ".join([found, *(problem for problem, _ in doubts)])
            yield Finding(_NAME, State.WARN, what, doubts[0][1])
        else:
            yield Finding(_NAME, State.OK, found)

    return Check(_NAME, look)


def licences(config: NodeConfig, today: datetime.date) -> Check:
    """When the licences of bought data end. Of one that has ended, the field is not read."""

    def look() -> Iterator[Finding]:
        policy = load_policy(config.risk_policy)
        soon = {
            field: end
            for field, end in policy.licences.items()
            if 0 <= (end - today).days <= WARN_DAYS
        }
        for field, end in {**policy.ended_licences(today), **soon}.items():
            tense = "ends" if field in soon else "ended"
            what = f"the licence of {field!r} {tense} on {end}; without it the field is not read"
            remedy = (
                f"Renew it and write its new end into {config.risk_policy.name}, or remove what "
                "uses the field"
            )
            yield Finding("licences", State.WARN, what, remedy)
        if not soon and not policy.ended_licences(today):
            number = len(policy.licences)
            yield Finding(
                "licences", State.OK, f"licences of bought data: {number}, none ends soon"
            )

    return Check("licences", look)
