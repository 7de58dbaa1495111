"""The Prefect server that `serve` runs: started, watched, restarted and stopped.

It listens on 127.0.0.1 alone, asks for a password, keeps its files in one folder, sends no
telemetry, and connects to nothing. It runs as a process of its own, with the Prefect that is
installed beside this program; nothing here imports Prefect.
"""

from __future__ import annotations

import os
import re
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO

from folkmoot_operator import child_process, file_lock
from folkmoot_operator.backoff import Backoff
from folkmoot_operator.private_files import (
    delete_private,
    make_private_folder,
    open_private,
    write_private,
)
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.short_files import read_short_file
from folkmoot_operator.unusable_files import unusable

Report = Callable[[str, bool], None]
"""Told what happens, and whether somebody has to look."""

HOST = "127.0.0.1"
AUTH_FILE = "auth"
LOG_FILE = "server.log"
START_SECONDS = 120.0
"""How long the server may take until it answers. 5 to 20 seconds are usual."""
STOP_SECONDS = 10.0
"""How long it may take to end after SIGTERM."""
LOOK_SECONDS = 30.0
"""Seconds between two looks whether it still answers."""
MAX_SILENT = 3
"""Looks in a row without an answer after which it is restarted."""
MAX_RESTARTS = 6
"""Restarts without `STEADY_SECONDS` of health between them after which it stays down."""
STEADY_SECONDS = 600.0
_RESTARTS = Backoff(1.0, 60.0)
_AUTH = re.compile(r"[!-9;-~]+:[!-~]{20,}")
"""User and password as they are made here."""
_NOWHERE = "http://127.0.0.1:9"
_LOG_BYTES = 1_000_000


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


class ServerState(Enum):
    """Where the server is."""

    STARTING = "starting"
    READY = "ready"
    WAITING = "down, to be restarted"
    GIVEN_UP = "down, not restarted"


class PrefectServer:
    """One Prefect server. To be used from the main thread."""

    def __init__(self, settings: ServerSettings, report: Report) -> None:
        """Starts nothing yet.

        Args:
            settings: Where and how.
            report: Told of each change.
        """
        self._settings = settings
        self._folder = settings.folder
        self._report = report
        self._child: subprocess.Popen[bytes] | None = None
        self._state = ServerState.WAITING
        self._due = 0.0
        self._since = 0.0
        self._restarts = 0
        self._silent = 0
        self._port = 0
        self._serve_lock: int | None = None
        self._auth = ""

    @property
    def state(self) -> ServerState:
        """Where the server is, as of the last `attend`."""
        return self._state

    @property
    def pid(self) -> int | None:
        """Id of the process, None if there is none."""
        return None if self._child is None else self._child.pid

    @property
    def api_url(self) -> str:
        """Where its API is."""
        return f"http://{HOST}:{self._port}/api"

    def client_environment(self) -> dict[str, str]:
        """Environment variables of a process whose flows the server records."""
        return environment(self._folder, self.api_url, self._auth)

    def open(self) -> None:
        """Makes the folder, ends what an earlier `serve` left, and starts the server.

        Raises:
            Problem: If another `serve` runs in this folder.
        """
        make_private_folder(self._folder, tighten=True)
        path = self._folder / "serve.lock"
        self._serve_lock = file_lock.acquire(path)
        if self._serve_lock is None:
            raise Problem(
                f"another `serve` runs here (process {file_lock.holder(path)})",
                where=str(self._folder),
                remedy="Stop it first, or leave it running",
                exit_code=ExitCode.REFUSED,
            )
        file_lock.note_holder(self._serve_lock, os.getpid())
        self._auth = _auth(self._folder / AUTH_FILE)
        self._end_orphan()
        self._start()

    def attend(self) -> None:
        """Looks after the server; to be called every second or so, and quick."""
        now = time.monotonic()
        if self._state is ServerState.GIVEN_UP:
            return
        if self._state is ServerState.WAITING:
            if now >= self._due:
                self._start()
            return
        assert self._child is not None
        if self._child.poll() is not None:
            self._died(f"ended with exit code {self._child.returncode}", now)
        elif self._state is ServerState.STARTING:
            if self._answers():
                self._state = ServerState.READY
                taken = now - self._since
                self._report(f"Prefect is ready at {self.api_url} after {taken:.1f} s", False)
                self._since, self._due = now, now + LOOK_SECONDS
            elif now - self._since > START_SECONDS:
                self._died(f"did not answer for {START_SECONDS:.0f} s", now)
        elif now >= self._due:
            self._due = now + LOOK_SECONDS
            self._silent = 0 if self._answers() else self._silent + 1
            if self._silent >= MAX_SILENT:
                self._died("does not answer any more", now)

    def close(self) -> None:
        """Stops the server."""
        if self._child is not None:
            child_process.stop(self._child, STOP_SECONDS)
            self._child = None
        self._state = ServerState.GIVEN_UP
        if self._serve_lock is not None:
            file_lock.release(self._serve_lock)
            self._serve_lock = None

    def _start(self) -> None:
        self._port = self._settings.port or self._port or _free_port()
        self._report(f"Prefect starts on port {self._port}; this takes 5 to 20 seconds", False)
        lock = file_lock.acquire(self._folder / "server.lock")
        if lock is None:
            self._died("has an earlier process that does not end", time.monotonic())
            return
        log = self._folder / LOG_FILE
        file_lock.note_holder(lock, None)
        try:
            with _log(log) as output:
                self._child = child_process.start(
                    ("-m", "prefect", "server", "start", "--host", HOST, "--port", str(self._port)),
                    self._server_environment(),
                    self._folder,
                    output=output,
                    errors=subprocess.STDOUT,
                    keep_open=[lock],
                )
            file_lock.note_holder(lock, self._child.pid)
        finally:
            file_lock.release(lock)  # the server has inherited it, and holds it from here on
        self._state, self._since, self._silent = ServerState.STARTING, time.monotonic(), 0

    def _server_environment(self) -> dict[str, str]:
        """Environment variables of the server itself."""
        days = self._settings.keep_days
        return {
            **history_environment(self.client_environment()),
            "PREFECT_SERVER_API_AUTH_STRING": self._auth,
            "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": f"http://{HOST}:{self._port}",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
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

    def _died(self, how: str, now: float) -> None:
        """Notes that the server is down, and when it is restarted."""
        if self._child is not None:
            child_process.stop(self._child, STOP_SECONDS)
            self._child = None
        if self._state is ServerState.READY and now - self._since > STEADY_SECONDS:
            self._restarts = 0
        self._restarts += 1
        if self._settings.port is None and self._state is ServerState.STARTING:
            self._port = 0  # somebody else may have taken it
        log = self._folder / LOG_FILE
        if self._restarts > MAX_RESTARTS:
            self._state = ServerState.GIVEN_UP
            text = f"Prefect {how}, and is not started again. Work goes on without a history"
            self._report(f"{text}: read {log}, fix the cause and restart serve", True)
            return
        wait = _RESTARTS.seconds(self._restarts - 1)
        self._state, self._due = ServerState.WAITING, now + wait
        self._report(f"Prefect {how}; it is started again in {wait:.0f} s (see {log})", True)

    def _answers(self) -> bool:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(f"{self.api_url}/health", timeout=2) as answer:
                return bool(answer.status == 200)
        except (OSError, urllib.error.URLError):
            return False

    def _end_orphan(self) -> None:
        """Ends a server whose `serve` was killed. It holds its lock, so that the id is its own."""
        path = self._folder / "server.lock"
        limit = time.monotonic() + STOP_SECONDS
        told = False
        while (lock := file_lock.acquire(path)) is None:
            pid = file_lock.holder(path)
            if pid is None or time.monotonic() > limit + STOP_SECONDS:
                return
            if not told:
                self._report(f"ends the Prefect server of an earlier serve (process {pid})", False)
                told = True
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM if time.monotonic() < limit else signal.SIGKILL)
            time.sleep(0.2)
        file_lock.release(lock)


def _auth(path: Path) -> str:
    """The user and password of the interface, made at the first start.

    What is damaged is made again: an empty one would let everybody in.
    """
    try:
        found = read_short_file(path).decode("ascii").strip()
    except FileNotFoundError:
        found = ""
    except ValueError:
        found = ""
    except OSError as error:
        raise unusable(error, path, "the password of Prefect's interface") from None
    if not _AUTH.fullmatch(found):
        found = f"folkmoot:{secrets.token_urlsafe(32)}"
        write_private(path, f"{found}\n".encode(), replace=True)
    return found


def _log(path: Path) -> IO[bytes]:
    """The server's log, for appending; a long one is deleted first."""
    with suppress(FileNotFoundError):
        if path.stat().st_size > _LOG_BYTES:
            delete_private(path)
    return open_private(path, append=True)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])
