"""What becomes of a run whose plugin fails at its factors: it stops, or begins again without them.

Only factors can be unknown. A source that fails stops a run: without its records a household
would read as one without need, and nothing would say so. So does a plugin that came with the
node, and one whose scores of a household depend on others: that is no failure but a breach.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from folkmoot_node.pipeline.stages import StageFailed
from folkmoot_node.plugins.failures import FactorsFailed
from folkmoot_node.settings.node_toml import NodeConfig

_T = TypeVar("_T")


def with_failures(config: NodeConfig, run: Callable[[Mapping[str, str]], _T]) -> _T:
    """Runs; where `plugins.if_one_fails` says so, again without the factors of what has failed.

    It begins at the beginning, so that the factors are unknown for every household of the run and
    never for some: which household a plugin failed at then shows in nothing that is stored.

    Args:
        config: The node's configuration.
        run: Does one run, given how plugins have failed before, by distribution.

    Raises:
        FactorsFailed: If a plugin fails and the run must stop.
    """
    failed: dict[str, str] = {}
    while True:
        try:
            return run(failed)
        except FactorsFailed as problem:
            known = problem
        except StageFailed as stage:
            if not isinstance(stage.problem, FactorsFailed):
                raise
            known = stage.problem
        may_go_on = known.may_be_spared and config.plugins.if_one_fails == "unknown"
        if not may_go_on or known.distribution in failed:
            raise known
        failed[known.distribution] = str(known)
