"""The Prefect server that records this node's flows: its own, or one that the council runs."""

from __future__ import annotations

from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_operator.prefect_server import PrefectServer, Report, ServerSettings, environment
from folkmoot_operator.private_files import make_private_folder
from folkmoot_operator.problems import ExitCode, Problem


def own_server(config: NodeConfig, report: Report) -> PrefectServer:
    """The server that `serve` runs; not started yet.

    Args:
        config: The node's configuration.
        report: Told of each change.
    """
    settings = config.prefect
    return PrefectServer(
        ServerSettings(config.prefect_folder, settings.keep_days, settings.port), report
    )


def council_environment(config: NodeConfig) -> dict[str, str]:
    """Environment variables of a process whose flows the council's own Prefect records.

    Raises:
        Problem: Exit code SETTINGS, if the file with the password cannot be read.
    """
    settings = config.prefect
    assert settings.url is not None
    auth = ""
    if settings.auth_file is not None:
        path = config.home / settings.auth_file
        try:
            auth = path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise Problem(
                "cannot be read",
                where=f"{path} (prefect.auth_file)",
                remedy="Write `user:password` into it, readable by the node's account",
                exit_code=ExitCode.SETTINGS,
            ) from None
    make_private_folder(config.prefect_folder)
    ca_file = None if settings.ca_file is None else config.home / settings.ca_file
    return environment(config.prefect_folder, settings.url, auth, ca_file)
