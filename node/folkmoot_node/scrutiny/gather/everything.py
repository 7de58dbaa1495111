"""All facts about a node."""

from __future__ import annotations

from collections.abc import Iterator

from folkmoot_node.equality.proxy import Progress
from folkmoot_node.home import NodeHome
from folkmoot_node.scrutiny.facts import Fact, FactBase
from folkmoot_node.scrutiny.gather.back_tests import evaluation_facts
from folkmoot_node.scrutiny.gather.configuration import configuration_facts
from folkmoot_node.scrutiny.gather.own_records import (
    decision_facts,
    incident_facts,
    look_facts,
    release_facts,
)
from folkmoot_node.scrutiny.gather.reporting import fact_base
from folkmoot_node.scrutiny.gather.scores import score_facts
from folkmoot_node.sources.connect import load_plugins
from folkmoot_sdk.loading import Plugins


def _silent(stage: str, done: int, total: int) -> None:
    del stage, done, total


def gather(
    node: NodeHome, plugins: Plugins | None = None, *, progress: Progress = _silent
) -> FactBase:
    """All that is known of a node, and all that should be and is not.

    Nothing in it derives from one household. Facts with `own` are exact figures over households.

    Args:
        node: The node.
        plugins: Loaded plugins; they are loaded, and closed again, if None.
        progress: Called as slow parts advance.

    Raises:
        Problem: Exit code SETTINGS, if a document of the council cannot be read, or its signature
            does not hold.
    """
    if plugins is None:
        with load_plugins(node.config) as loaded:
            return gather(node, loaded, progress=progress)
    return fact_base(_all(node, plugins, progress), node.clock())


def _all(node: NodeHome, plugins: Plugins, progress: Progress) -> Iterator[Fact]:
    yield from configuration_facts(node, plugins)
    yield from release_facts(node)
    yield from look_facts(node)
    yield from evaluation_facts(node)
    yield from decision_facts(node)
    yield from incident_facts(node)
    if node.config.casework is not None:
        # Late: a node without casework does without SQLAlchemy.
        from folkmoot_node.scrutiny.gather.cases import case_counts

        yield from case_counts(node)
    yield from score_facts(node, progress)
