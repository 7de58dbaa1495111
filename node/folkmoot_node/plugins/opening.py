"""Opens the plugins of a node: those that may run, each where it is to run."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from pathlib import Path

from folkmoot_node.plugins.installed import installed_plugins
from folkmoot_node.plugins.loaded import LoadedPlugins
from folkmoot_node.plugins.placement import Placement, placements
from folkmoot_node.plugins.provenance import Examiner
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_sdk.loading import load


def load_plugins(config: NodeConfig | None, *, reading: Sequence[Path] = ()) -> LoadedPlugins:
    """Loads the plugins that may run at a node; what does not run is listed in `broken`.

    Args:
        config: The node's settings; None where there is no node: then those that come with the
            node are loaded, and nothing of others.
        reading: Files that somebody has named on a command line, which sources may read too.

    Returns:
        The plugins, to be closed when the command or the run ends.
    """
    today = datetime.datetime.now(datetime.UTC).date()
    found = places(config, today)
    inside = [point for one in found if one.runs for point in one.plugin.points]
    loaded = load(inside)
    refused = tuple(one.broken for one in found if one.broken is not None)
    return LoadedPlugins(
        sources=loaded.sources,
        factors=loaded.factors,
        source_origins=loaded.source_origins,
        factor_origins=loaded.factor_origins,
        broken=(*refused, *loaded.broken),
        placements=found,
    )


def places(config: NodeConfig | None, today: datetime.date) -> tuple[Placement, ...]:
    """How each installed plugin runs at a node. Imports nothing of any.

    Args:
        config: The node's settings; None where there is no node.
        today: The date in UTC.
    """
    examine = Examiner(config, import_folders(), today) if config else None
    return placements(config, installed_plugins(), unmet=unmet(), examine=examine)
