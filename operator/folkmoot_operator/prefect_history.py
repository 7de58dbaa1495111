"""Where the history of flows is kept: a Prefect server that `serve` runs, or one of your own."""

from __future__ import annotations

from pathlib import Path

from folkmoot_operator.prefect_process import PASSWORD, ServerSettings, environment
from folkmoot_operator.prefect_server import PrefectServer, Report
from folkmoot_operator.prefect_settings import PrefectSettings
from folkmoot_operator.private_files import make_private_folder
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.service_manager import credential


def embedded_server(settings: PrefectSettings, folder: Path, report: Report) -> PrefectServer:
    """The server that `serve` runs; not started yet.

    Args:
        settings: The table `[prefect]`.
        folder: Prefect's home: its database, log and password.
        report: Told of each change.
    """
    return PrefectServer(ServerSettings(folder, settings.keep_days, settings.port), report)


def outside_environment(settings: PrefectSettings, folder: Path, home: Path) -> dict[str, str]:
    """Environment variables of a process whose flows a server of your own records.

    Args:
        settings: The table `[prefect]`, with `url`.
        folder: Prefect's home.
        home: The folder to which the paths in the settings are relative.

    Raises:
        Problem: Exit code SETTINGS, if the file with the password cannot be read.
    """
    assert settings.url is not None
    auth, path = "", credential(PASSWORD)
    if settings.auth_file is not None:
        path = home / settings.auth_file
    if path is not None:
        try:
            auth = path.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            raise Problem(
                "cannot be read",
                where=f"{path} (prefect.auth_file)",
                remedy="Write `user:password` into it, readable by this program's account",
                exit_code=ExitCode.SETTINGS,
            ) from None
    make_private_folder(folder)
    ca_file = None if settings.ca_file is None else home / settings.ca_file
    return environment(folder, settings.url, auth, ca_file)
