"""Scores on the engine that the settings name: this machine's threads, or a Dask cluster."""

from __future__ import annotations

import datetime

from folkmoot_node.pipeline.dask import score_on_cluster
from folkmoot_node.pipeline.local import score as score_here
from folkmoot_node.pipeline.order import Progress, silent
from folkmoot_node.pipeline.own_run import Judged
from folkmoot_node.policies.risk_policy import RiskPolicy
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import Plugins
from folkmoot_node.store.run_summary import RunSummary


def score(
    config: NodeConfig,
    plugins: Plugins,
    policy: RiskPolicy,
    *,
    today: datetime.date,
    reference_date: datetime.date | None = None,
    progress: Progress = silent,
    judged: Judged | None = None,
) -> RunSummary:
    """As `local.score`, on the configured engine.

    Raises:
        Problem: As there; UNREACHABLE if a cluster cannot be reached.
    """
    on_engine = score_on_cluster if config.on_cluster else score_here
    return on_engine(
        config,
        plugins,
        policy,
        today=today,
        reference_date=reference_date,
        progress=progress,
        judged=judged,
    )
