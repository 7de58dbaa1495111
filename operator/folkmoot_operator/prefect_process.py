"""What a Prefect server of ours is: its command, its variables, its password.

It listens on 127.0.0.1 alone, asks for a password, keeps its files in one folder, sends no
telemetry, and connects to nothing. Nothing here imports Prefect.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from folkmoot_operator import child_process
from folkmoot_operator.private_files import write_private
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.service_manager import credential
from folkmoot_operator.short_files import read_short_file
from folkmoot_operator.unusable_files import unusable

HOST = "127.0.0.1"
PASSWORD = "prefect.auth"  # noqa: S105 - a name
"""Name of the credential that holds `user:password`."""
_AUTH_FILE = "auth"
_AUTH = re.compile(r"[!-9;-~]+:[!-~]{20,}")
"""User and password as they are made here."""
_NOWHERE = "http://127.0.0.1:9"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """How the server is run.

    Attributes:
        folder: Prefect's home: its database, log and password; one server to a folder.
        keep_days: Days for which it keeps runs that have ended.
        port: Port on 127.0.0.1; None for any that is free.
    """

    folder: Path
    keep_days: int
    port: int | None = None


def api_url(port: int) -> str:
    """Where the API of a server of ours is."""
    return f"http://{HOST}:{port}/api"


def server_command(port: int) -> tuple[str, ...]:
    """Arguments of Python that start a server."""
    return ("-m", "prefect", "server", "start", "--host", HOST, "--port", str(port))


def environment(folder: Path, url: str, auth: str, ca_file: Path | None = None) -> dict[str, str]:
    """Environment variables of a process that runs flows; nothing of Prefect is inherited.

    Args:
        folder: Prefect's home folder.
        url: API of the server.
        auth: `user:password`, or empty.
        ca_file: Certificates (PEM) by which the server is checked; None for the public ones.
    """
    values = {
        **_without_prefect(os.environ),
        "PREFECT_HOME": str(folder),
        "PREFECT_API_URL": url,
        "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "false",
        "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL": "CRITICAL",
        "PREFECT_TELEMETRY_ENABLE_RESOURCE_METRICS": "false",
        "DO_NOT_TRACK": "1",
    }
    if auth:
        values["PREFECT_API_AUTH_STRING"] = auth
    if ca_file is not None:
        values["PREFECT_API_SSL_CERT_FILE"] = str(ca_file)
    return values


def history_environment(variables: Mapping[str, str]) -> dict[str, str]:
    """Of the variables of `environment`, those of a process that reads no source.

    Passwords of databases are in others; what keeps a history does not get them.
    """
    return child_process.without_secrets(variables, also="PREFECT_")


def _without_prefect(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if not name.startswith("PREFECT")}


def server_environment(settings: ServerSettings, port: int, auth: str) -> dict[str, str]:
    """Environment variables of the server itself.

    Args:
        settings: How it is run.
        port: Its port.
        auth: `user:password`.
    """
    days = settings.keep_days
    return {
        **history_environment(environment(settings.folder, api_url(port), auth)),
        "PREFECT_SERVER_API_AUTH_STRING": auth,
        "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": f"http://{HOST}:{port}",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
        # Written at the first start; where Prefect is installed, the account may not write, nor
        # perhaps read what another account has written.
        "PREFECT_SERVER_UI_STATIC_DIRECTORY": str(settings.folder / "interface"),
        # In its working folder: no character of the path has a meaning in a URL then.
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": "sqlite+aiosqlite:///prefect.db",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(days * 86_400),
        "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": f"P{min(days, 7)}D",
        # Nothing here is deployed, scheduled or triggered by Prefect: `serve` does that.
        "PREFECT_SERVER_SERVICES_SCHEDULER_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_FOREMAN_ENABLED": "false",
        "PREFECT_SERVER_SERVICES_TRIGGERS_ENABLED": "false",
        # The interface asks the server for a catalogue of integrations, which the server
        # would fetch from the internet; with no way out it takes the copy it came with.
        **dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"), _NOWHERE),
        **dict.fromkeys(("http_proxy", "https_proxy", "all_proxy"), _NOWHERE),
        "NO_PROXY": f"{HOST},localhost",
        "no_proxy": f"{HOST},localhost",
    }


def password(folder: Path) -> str:
    """The user and password of the interface: the service's credential, or a file.

    The file is made at the first start. What is damaged is made again: an empty one would let
    everybody in.

    Args:
        folder: Prefect's home.

    Raises:
        Problem: Exit code SETTINGS, if the credential holds no `user:password`.
        UnusableFile: If the file cannot be used now.
    """
    path = credential(PASSWORD) or folder / _AUTH_FILE
    try:
        found = read_short_file(path).decode("ascii").strip()
    except (FileNotFoundError, ValueError):
        found = ""
    except OSError as error:
        raise unusable(error, path, "the password of Prefect's interface") from None
    if not _AUTH.fullmatch(found):
        if path.name == PASSWORD:
            raise Problem(
                "the password of Prefect's interface is too short, or no `user:password`",
                where=str(path),
                remedy="Write a user, a colon and at least 20 letters and digits into the file "
                "that the unit names",
                exit_code=ExitCode.SETTINGS,
            )
        found = f"folkmoot:{secrets.token_urlsafe(32)}"
        write_private(path, f"{found}\n".encode(), replace=True)
    return found
