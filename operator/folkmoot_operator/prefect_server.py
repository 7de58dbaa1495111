"""The Prefect server that `serve` runs where nobody else does: started, restarted and stopped.

A service of its own (`run_prefect`) needs none of this: its service manager does it.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from pathlib import Path
from typing import IO

from folkmoot_operator import child_process, file_lock
from folkmoot_operator.backoff import Backoff
from folkmoot_operator.prefect_process import (
    HOST,
    ServerSettings,
    api_url,
    environment,
    password,
    server_command,
    server_environment,
)
from folkmoot_operator.private_files import delete_private, make_private_folder, open_private
from folkmoot_operator.problems import ExitCode, Problem

Report = Callable[[str, bool], None]
"""Told what happens, and whether somebody has to look."""

LOG_FILE = "server.log"
START_SECONDS = 120.0
"""How long the server may take until it answers. 5 to 20 seconds are usual."""
STOP_SECONDS = 10.0
"""How long it may take to end after SIGTERM."""
STEADY_SECONDS = 600.0
"""Seconds of health after which the waits between restarts are short again."""
_RESTARTS = Backoff(1.0, 3600.0)
_LOG_BYTES = 1_000_000


class ServerState(Enum):
    """Where the server is."""

    STARTING = "starting"
    READY = "ready"
    WAITING = "down, to be restarted"
    STOPPED = "stopped"


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
        return api_url(self._port)

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
        self._auth = password(self._folder)
        self._end_orphan()
        self._start()

    def attend(self) -> None:
        """Looks after the server; to be called every second or so, and quick."""
        now = time.monotonic()
        if self._state is ServerState.STOPPED:
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
                self._since = now
            elif now - self._since > START_SECONDS:
                self._died(f"did not answer for {START_SECONDS:.0f} s", now)

    def close(self) -> None:
        """Stops the server."""
        if self._child is not None:
            child_process.stop(self._child, STOP_SECONDS)
            self._child = None
        self._state = ServerState.STOPPED
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
                    server_command(self._port),
                    server_environment(self._settings, self._port, self._auth),
                    self._folder,
                    output=output,
                    errors=subprocess.STDOUT,
                    keep_open=[lock],
                )
            file_lock.note_holder(lock, self._child.pid)
        finally:
            file_lock.release(lock)  # the server has inherited it, and holds it from here on
        self._state, self._since = ServerState.STARTING, time.monotonic()

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
