"""The Prefect server that `serve` runs: started, watched, restarted and stopped.

It listens on 127.0.0.1 alone, asks for a password, keeps its files in the node's folder, and
connects to nothing. This module starts it as a process; only `flows` imports Prefect.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import IO

from folkmoot_node.running import child_process
from folkmoot_node.settings.node_toml import NodeConfig
from folkmoot_node.settings.running import PrefectSettings
from folkmoot_operator.backoff import Backoff
from folkmoot_operator.problems import ExitCode, Problem

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
_NOWHERE = "http://127.0.0.1:9"
_LOG_BYTES = 1_000_000


def environment(settings: PrefectSettings, folder: Path, url: str, auth: str) -> dict[str, str]:
    """Environment variables of a process that runs flows; nothing of Prefect is inherited.

    Args:
        settings: Table `[prefect]`.
        folder: Prefect's home folder of this node.
        url: API of the server.
        auth: `user:password`, or empty.
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
    if settings.ca_file is not None:
        values["PREFECT_API_SSL_CERT_FILE"] = str(settings.ca_file)
    return values


def _without_prefect(variables: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in variables.items() if not name.startswith("PREFECT")}


class ServerState(Enum):
    """Where the server is."""

    STARTING = "starting"
    READY = "ready"
    WAITING = "down, to be restarted"
    GIVEN_UP = "down for good"


class PrefectServer:
    """One Prefect server. To be used from the main thread."""

    def __init__(self, config: NodeConfig, report: Report) -> None:
        """Starts nothing yet.

        Args:
            config: The node's configuration.
            report: Told of each change.
        """
        self._settings = config.prefect
        self._folder = config.prefect_folder
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
        return environment(self._settings, self._folder, self.api_url, self._auth)

    def open(self) -> None:
        """Makes the folder, ends what an earlier `serve` left, and starts the server.

        Raises:
            Problem: If another `serve` runs in this folder.
        """
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._folder.chmod(0o700)
        self._serve_lock = _lock(self._folder / "serve.lock")
        if self._serve_lock is None:
            raise Problem(
                f"another `serve` runs here (process {_pid_in(self._folder / 'serve.lock')})",
                where=str(self._folder),
                remedy="Stop it first, or leave it running",
                exit_code=ExitCode.REFUSED,
            )
        _write_pid(self._serve_lock, os.getpid())
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
            os.close(self._serve_lock)
            self._serve_lock = None

    def _start(self) -> None:
        self._port = self._settings.port or self._port or _free_port()
        self._report(f"Prefect starts on port {self._port}; this takes 5 to 20 seconds", False)
        lock = _lock(self._folder / "server.lock")
        if lock is None:
            self._died("has an earlier process that does not end", time.monotonic())
            return
        log = self._folder / LOG_FILE
        os.ftruncate(lock, 0)
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
            _write_pid(lock, self._child.pid)
        finally:
            os.close(lock)  # the server holds it from here on
        self._state, self._since, self._silent = ServerState.STARTING, time.monotonic(), 0

    def _server_environment(self) -> dict[str, str]:
        """Environment variables of the server itself."""
        days = self._settings.keep_days
        return {
            **self.client_environment(),
            "PREFECT_SERVER_API_AUTH_STRING": self._auth,
            "PREFECT_SERVER_API_CORS_ALLOWED_ORIGINS": f"http://{HOST}:{self._port}",
            "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
            "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
            "PREFECT_SERVER_DATABASE_CONNECTION_URL": (
                f"sqlite+aiosqlite:///{self._folder / 'prefect.db'}"
            ),
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
            self._report(f"{text}: read {log}, mend it and restart serve", True)
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
        while (lock := _lock(path)) is None:
            pid = _pid_in(path)
            if pid is None or time.monotonic() > limit + STOP_SECONDS:
                return
            if not told:
                self._report(f"ends the Prefect server of an earlier serve (process {pid})", False)
                told = True
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM if time.monotonic() < limit else signal.SIGKILL)
            time.sleep(0.2)
        os.close(lock)


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
    config.prefect_folder.mkdir(mode=0o700, exist_ok=True)
    values = environment(settings, config.prefect_folder, settings.url, auth)
    if settings.ca_file is not None:
        values["PREFECT_API_SSL_CERT_FILE"] = str(config.home / settings.ca_file)
    return values


def _auth(path: Path) -> str:
    """The user and password of the interface, made at the first start."""
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"folkmoot:{secrets.token_urlsafe(32)}\n")
    return path.read_text("utf-8").strip()


def _lock(path: Path) -> int | None:
    """Locks a file for this process and those that inherit it; None if another holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def _write_pid(descriptor: int, pid: int) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{pid}\n".encode(), 0)


def _pid_in(path: Path) -> int | None:
    try:
        return int(path.read_text())
    except (OSError, ValueError):
        return None


def _log(path: Path) -> IO[bytes]:
    """The server's log, for appending; begun anew when it is long."""
    with suppress(FileNotFoundError):
        if path.stat().st_size > _LOG_BYTES:
            path.unlink()
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])
