"""Child processes of a rehearsal: each in a group of its own, and none outlives it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from folkmoot_operator.problems import ExitCode, Problem

STOP_SECONDS = 10.0
"""How long a process may take to end after SIGTERM before it is killed."""
_LOOK_SECONDS = 0.2
READY_SECONDS = 60.0
"""How long a server may take until it says that it is ready."""
_NODE = "folkmoot-node"
_COORDINATOR = "folkmoot-coordinator"
_CASEWORK = "Casework: "
"""How the line begins with which the casework site says its address."""


class Children:
    """Starts commands and stops all that still run; may be used from several threads."""

    def __init__(self, logs: Path) -> None:
        """Logs go to the folder `logs`, one file for each name."""
        self._logs = logs
        self._running: dict[int, subprocess.Popen[str]] = {}
        self._lock = threading.Lock()
        self._stopped = False
        logs.mkdir(parents=True, exist_ok=True)

    def node(self, council: str, home: Path, *arguments: str) -> str:
        """Runs a command of a council's node to its end; returns what it printed."""
        return self._run(council, _NODE, (*arguments, "--home", str(home)))

    def coordinator(self, home: Path, *arguments: str) -> str:
        """Runs a command of the coordinator to its end; returns what it printed."""
        return self._run("coordinator", _COORDINATOR, (*arguments, "--home", str(home)))

    def coordinator_json(self, home: Path, *arguments: str) -> Any:
        """As `coordinator`, with `--json`, parsed."""
        return json.loads(self.coordinator(home, *arguments, "--json"))

    def coordinator_secret(self, home: Path, *arguments: str) -> Any:
        """As `coordinator_json`, for what prints a secret: the log gets nothing of that."""
        words = (*arguments, "--json", "--home", str(home))
        return json.loads(self._run("coordinator", _COORDINATOR, words, is_secret=True))

    def wait(self) -> None:
        """Waits until a process that still runs has ended.

        Raises:
            Problem: If it failed.
        """
        with self._lock:
            running = list(self._running.values())
        for child in running:
            # Looks now and then: a signal that another thread got is handled when this one does.
            while child.poll() is None:
                time.sleep(_LOOK_SECONDS)
            self._check("serve", ("serve",), child)

    def node_json(self, council: str, home: Path, *arguments: str) -> Any:
        """As `node`, with `--json`, parsed."""
        return json.loads(self.node(council, home, *arguments, "--json"))

    def node_secret(self, council: str, home: Path, *arguments: str) -> Any:
        """As `node_json`, for what prints a secret: the log gets nothing of that."""
        words = (*arguments, "--json", "--home", str(home))
        return json.loads(self._run(council, _NODE, words, is_secret=True))

    def serve_coordinator(self, home: Path) -> None:
        """Starts the coordinator's server and waits until it says that it serves.

        Raises:
            Problem: If it ends, or says nothing for `READY_SECONDS`.
        """
        self._serve("coordinator-serve", _COORDINATOR, ("serve", "--home", str(home)), "Serving ")

    def serve_casework(self, council: str, home: Path) -> str:
        """Starts the casework site of a node; its address, once it answers.

        Raises:
            Problem: If it ends, or says nothing for `READY_SECONDS`.
        """
        arguments = ("casework", "serve", "--home", str(home))
        line = self._serve(f"{council}-casework", _NODE, arguments, _CASEWORK)
        return line.removeprefix(_CASEWORK).strip()

    def _serve(self, name: str, command: str, arguments: Sequence[str], awaited: str) -> str:
        """Starts a server and waits for a line that begins with `awaited`; gives that line."""
        path = self._logs / f"{name}.log"
        with path.open("a", encoding="utf-8") as log:
            child = self._start(command, arguments, subprocess.PIPE, log)
        assert child.stdout is not None
        listener = _Listener(child.stdout, path, awaited)
        if not listener.heard(READY_SECONDS):
            with contextlib.suppress(subprocess.TimeoutExpired):
                child.wait(1.0)  # its pipe closes a moment before it ends
            raise self._failed(name, arguments, child.poll(), "said nothing in time")
        return listener.line

    def open_round(self, home: Path, file: Path) -> OpenRound:
        """Opens a round, and waits for its end beside what follows.

        Returns:
            The open round, when nodes can learn of it.

        Raises:
            Problem: If it cannot be opened; names the log to read.
        """
        name = file.stem
        arguments = ("round", "open", str(file), "--wait", "--json", "--home", str(home))
        child = self._start(_COORDINATOR, arguments, subprocess.PIPE, subprocess.PIPE)
        assert child.stderr is not None
        progress = _Listener(child.stderr, self._logs / f"{name}.log", "Round ")
        child.stderr = None  # the listener's
        opened = OpenRound(self, name, arguments, child, progress)
        if not progress.heard(READY_SECONDS):
            opened.ended(READY_SECONDS)
        return opened

    def stop(self) -> None:
        """Ends every process that still runs, gently first; starts no more."""
        with self._lock:
            self._stopped = True
            running = list(self._running.values())
        for child in running:
            _signal(child, signal.SIGTERM)
        limit = time.monotonic() + STOP_SECONDS
        for child in running:
            try:
                child.wait(max(0.0, limit - time.monotonic()))
            except subprocess.TimeoutExpired:
                _signal(child, signal.SIGKILL)
                child.wait()

    def _run(
        self, name: str, command: str, arguments: Sequence[str], *, is_secret: bool = False
    ) -> str:
        with (self._logs / f"{name}.log").open("a", encoding="utf-8") as log:
            log.write(f"$ {command} {' '.join(arguments)}\n")
            log.flush()
            started = time.monotonic()
            child = self._start(command, arguments, subprocess.PIPE, log)
            output, _ = child.communicate()
            log.write("(not logged)\n" if is_secret else output)
            seconds = time.monotonic() - started
            log.write(f"# exit code {child.returncode} after {seconds:.1f} s\n\n")
        self._check(name, arguments, child)
        return output

    def _check(self, name: str, arguments: Sequence[str], child: subprocess.Popen[str]) -> None:
        """Takes an ended process off the list; raises Problem if it failed."""
        with self._lock:
            self._running.pop(child.pid, None)
        if child.returncode:
            raise self._failed(name, arguments, child.returncode)

    def _start(
        self, command: str, arguments: Sequence[str], output: int, log: int | IO[str]
    ) -> subprocess.Popen[str]:
        with self._lock:
            if self._stopped:
                raise Stopped
            child = subprocess.Popen(
                [_executable(command), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=log,
                text=True,
                encoding="utf-8",
                # Its own session: Ctrl-C reaches the rehearsal alone, which then stops
                # its children one by one, with whatever they have started.
                start_new_session=True,
            )
            self._running[child.pid] = child
        return child

    def _failed(
        self, name: str, arguments: Sequence[str], code: int | None, late: str = ""
    ) -> Problem:
        """The Problem of a process that ended with a code, or was late with something."""
        log = self._logs / f"{name}.log"
        lines = log.read_text("utf-8", errors="replace").splitlines()
        last = next((line for line in reversed(lines) if line.startswith("Error:")), "")
        how = late if code is None else f"ended with exit code {code}"
        return Problem(
            f"`{arguments[0]}` {how}. {last}".rstrip(),
            where=name,
            remedy=f"Read {log}",
            exit_code=ExitCode.FAULT,
        )


class OpenRound:
    """A round that is open, and the process that waits for its end."""

    def __init__(
        self,
        owner: Children,
        name: str,
        arguments: Sequence[str],
        child: subprocess.Popen[str],
        progress: _Listener,
    ) -> None:
        """Made by `Children.open_round`; `name` is that of the round's file and its log."""
        self.name = name
        self._owner = owner
        self._arguments = arguments
        self._child = child
        self._progress = progress

    def ended(self, seconds: float) -> Any:
        """Waits for the end; gives what `round show --json` says.

        Raises:
            Problem: If the command failed, or the round has not ended in so many seconds.
        """
        try:
            output, _ = self._child.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            raise self._owner._failed(
                self.name, self._arguments, None, "still waits for councils"
            ) from None
        self._progress.finish()
        self._owner._check(self.name, self._arguments, self._child)
        return json.loads(output)


class _Listener:
    """Copies the lines of a pipe into a log, so that the pipe never fills."""

    def __init__(self, lines: IO[str], log: Path, awaited: str) -> None:
        """Listens for a line that begins with `awaited`."""
        self._lines = lines
        self._log = log
        self._awaited = awaited
        self.line = ""
        self._heard = False
        self._heard_or_closed = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def heard(self, seconds: float) -> bool:
        """Waits for that line; False if it has not come when the pipe closes or time is up."""
        self._heard_or_closed.wait(seconds)
        return self._heard

    def finish(self) -> None:
        """Waits until the pipe is closed and its last line is in the log."""
        self._thread.join()

    def _listen(self) -> None:
        with self._log.open("a", encoding="utf-8") as log, self._lines:
            for line in self._lines:
                log.write(line)
                log.flush()
                if line.startswith(self._awaited):
                    self.line = line
                    self._heard = True
                    self._heard_or_closed.set()
        self._heard_or_closed.set()


class Stopped(Exception):
    """A command was not started because the rehearsal is being stopped."""


@contextlib.contextmanager
def children(logs: Path) -> Iterator[Children]:
    """Children that are stopped at the end, however it comes: SIGTERM counts as Ctrl-C."""
    kept = Children(logs)
    before = None
    if threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGTERM, _interrupt)
    try:
        yield kept
    finally:
        kept.stop()
        if before is not None:
            signal.signal(signal.SIGTERM, before)


def _executable(command: str) -> str:
    """The console script that was installed with this one."""
    beside = Path(sys.executable).with_name(command)
    found = str(beside) if beside.is_file() else shutil.which(command)
    if found is None:
        raise Problem(
            "is not installed",
            where=command,
            remedy="Install folkmoot-node and folkmoot-coordinator beside folkmoot-rehearsal",
            exit_code=ExitCode.SETTINGS,
        )
    return found


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _signal(child: subprocess.Popen[str], number: signal.Signals) -> None:
    """Signals the group that the child leads; it may have ended meanwhile."""
    if child.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, number)
