"""The Prefect server that records this node's flows: its own, or one that the council runs."""

from __future__ import annotations

from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_operator.prefect_history import embedded_server, outside_environment
from folkmoot_operator.prefect_server import PrefectServer, Report


def own_server(config: NodeConfig, report: Report) -> PrefectServer:
    """The server that `serve` runs; not started yet.

    Args:
        config: The node's configuration.
        report: Told of each change.
    """
    return embedded_server(config.prefect, config.prefect_folder, report)


def council_environment(config: NodeConfig) -> dict[str, str]:
    """Environment variables of a process whose flows the council's own Prefect records.

    Raises:
        Problem: Exit code SETTINGS, if the file with the password cannot be read.
    """
    return outside_environment(config.prefect, config.prefect_folder, config.home)
