"""Risk assessments that cases keep: why each household has its score when its case is opened."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence

from folkmoot_node.casework.scores_in_use import scores_in_use
from folkmoot_node.policies.risk_policy import load_policy
from folkmoot_node.scoring.explain import explain_household, policy_of
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.sources.connect import Plugins


def assessments(
    config: NodeConfig, plugins: Plugins, today: datetime.date, uprns: Sequence[int]
) -> dict[int, str]:
    """The explanations of some households as JSON, by UPRN; see `Explanation.as_json`.

    Args:
        config: The node's settings.
        plugins: Factors explain themselves.
        today: The date in UTC.
        uprns: The households; one that has left the frame is left out.

    Raises:
        Problem: If there are no scores that may be used.
    """
    if not uprns:
        return {}
    with scores_in_use(config, today) as store:
        policy = policy_of(store.run, load_policy(config.risk_policy))
        return {
            uprn: json.dumps(
                explain_household(store, config, plugins, policy, uprn, today=today).as_json()
            )
            for uprn in uprns
            if store.household(uprn) is not None
        }
