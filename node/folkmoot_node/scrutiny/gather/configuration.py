"""Facts about how the node is set up. Looks at no record, score, ledger or case."""

from __future__ import annotations

from collections.abc import Iterator

from folkmoot_node.home import NodeHome
from folkmoot_node.scrutiny.facts import Fact, FactBase
from folkmoot_node.scrutiny.gather.people import answer_facts
from folkmoot_node.scrutiny.gather.plugins import plugin_facts
from folkmoot_node.scrutiny.gather.policies import release_policy_facts, risk_policy_facts
from folkmoot_node.scrutiny.gather.reporting import fact_base
from folkmoot_node.scrutiny.gather.roles import role_facts
from folkmoot_node.scrutiny.gather.sources import node_facts, source_facts
from folkmoot_sdk.loading import Plugins


def gather_configuration(node: NodeHome, plugins: Plugins | None = None) -> FactBase:
    """How the node is set up: policies, sources, plugins, roles, and what people say of it.

    It is what a gate compares before each run and release, so it starts no process.

    Args:
        node: The node.
        plugins: Loaded plugins, which say what sources hold and what factors measure. If None,
            those facts are left out: compare only what both sides have.

    Raises:
        Problem: Exit code SETTINGS, if a document of the council cannot be read, or its signature
            does not hold.
    """
    return fact_base(configuration_facts(node, plugins), node.clock())


def configuration_facts(node: NodeHome, plugins: Plugins | None) -> Iterator[Fact]:
    """The same, in no order."""
    yield from node_facts(node)
    yield from risk_policy_facts(node, plugins)
    yield from release_policy_facts(node)
    yield from source_facts(node, plugins)
    yield from plugin_facts(node, plugins)
    yield from role_facts(node)
    yield from answer_facts(node)
