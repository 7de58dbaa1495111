"""All facts about a node."""

from __future__ import annotations

from itertools import chain

from folkmoot_node.home import NodeHome
from folkmoot_node.scrutiny.facts import FactBase
from folkmoot_node.scrutiny.gather.configuration import configuration_facts
from folkmoot_node.scrutiny.gather.reporting import fact_base
from folkmoot_node.sources.connect import load_plugins
from folkmoot_sdk.loading import Plugins


def gather(node: NodeHome, plugins: Plugins | None = None) -> FactBase:
    """All that is known of a node, and all that should be and is not.

    Nothing in it derives from one household. Facts with `own` are exact figures over households.

    Args:
        node: The node.
        plugins: Loaded plugins; they are loaded, and closed again, if None.

    Raises:
        Problem: Exit code SETTINGS, if a document of the council cannot be read, or its signature
            does not hold.
    """
    if plugins is None:
        with load_plugins(node.config) as loaded:
            return gather(node, loaded)
    return fact_base(chain(configuration_facts(node, plugins)), node.clock())
