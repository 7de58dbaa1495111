"""What `serve` does beside its ports: the process that does what is due, and Prefect's server."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import time

from folkmoot_coordinator.clock import Clock, system_clock
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.schedule.jobs import due_jobs, has_work
from folkmoot_coordinator.schedule.worker import MODULE, RECORDED
from folkmoot_coordinator.signals import events
from folkmoot_operator import child_process
from folkmoot_operator.events import emit
from folkmoot_operator.extras import how_to_install
from folkmoot_operator.prefect_history import embedded_server, outside_environment
from folkmoot_operator.prefect_server import PrefectServer, ServerState
from folkmoot_operator.problems import ExitCode, Problem

LOOK_SECONDS = 5.0
"""Between two looks whether something is due."""
SETTLE_SECONDS = 60.0
"""How long the first job waits for the Prefect server."""
REST_SECONDS = 30.0
"""Between the end of a process that failed and the next."""
STOP_SECONDS = 20.0
"""How long a process may take to end."""


class Schedule:
    """The children of one `serve`; to be used from its main thread."""

    def __init__(self, home: Home, clock: Clock = system_clock) -> None:
        """Starts nothing yet.

        Args:
            home: The coordinator's folder.
            clock: The time.
        """
        self._home = home
        self._settings = home.settings()
        self._clock = clock
        self._database: Database | None = None
        self._server: PrefectServer | None = None
        self._environment: dict[str, str] | None = None
        self._child: subprocess.Popen[bytes] | None = None
        self._look_at = 0.0
        self._settled_at = 0.0
        self._said = ""

    def open(self) -> None:
        """Starts Prefect if the schedule has something to do and Prefect is ours to start.

        Raises:
            Problem: If another `serve` runs here, or a setting does not hold.
        """
        if not has_work(self._settings):
            return
        prefect = self._settings.prefect
        if prefect.enabled and importlib.util.find_spec("prefect") is None:
            raise Problem(
                "Prefect, which keeps the history of the schedule, is not installed",
                where="coordinator.toml: schedule",
                remedy=f"Install it ({how_to_install('folkmoot-coordinator', 'schedule')}), or set "
                "enabled = false in the table [prefect]",
                exit_code=ExitCode.SETTINGS,
            )
        folder = self._home.prefect_folder
        if prefect.enabled and prefect.url is not None:
            self._environment = outside_environment(prefect, folder, self._home.path)
        elif prefect.enabled:
            self._server = embedded_server(prefect, folder, _report)
            self._server.open()
            self._settled_at = time.monotonic() + SETTLE_SECONDS
        self._database = Database(self._home.database_url(self._settings))

    def attend(self) -> None:
        """Looks after the processes, and starts what is due; to be called every second."""
        if self._database is None:
            return
        if self._server is not None:
            self._server.attend()
        now = time.monotonic()
        if self._child is not None:
            if self._child.poll() is None:
                return
            if self._child.returncode:
                emit(events.SCHEDULE_ENDED, exit=self._child.returncode)
                self._look_at = now + REST_SECONDS
            self._child = None
        if now < self._look_at or not self._is_settled(now):
            return
        self._look_at = now + LOOK_SECONDS
        if self._is_due(self._database):
            self._start()

    def close(self) -> None:
        """Ends all processes, that one first which the Prefect server is still told of."""
        if self._child is not None:
            child_process.stop(self._child, STOP_SECONDS)
            self._child = None
        if self._server is not None:
            self._server.close()
            self._server = None
        if self._database is not None:
            self._database.close()
            self._database = None

    def _is_settled(self, now: float) -> bool:
        starting = self._server is not None and self._server.state is ServerState.STARTING
        return not starting or now > self._settled_at

    def _is_due(self, database: Database) -> bool:
        try:
            found = next(due_jobs(database, self._home, self._settings, self._clock()), None)
        except Exception as error:  # the next look may succeed; the ports must not stop
            if self._said != str(error):  # once, and not at each look
                emit(events.SCHEDULE_UNREADABLE, error=error)
            self._said = str(error)
            return False
        self._said = ""
        return found is not None

    def _start(self) -> None:
        environment = self._environment
        if self._server is not None and self._server.state is ServerState.READY:
            environment = self._server.client_environment()
        recorded = [] if environment is None else [RECORDED]
        home = self._home.path.resolve()
        try:
            self._child = child_process.start(
                ("-m", MODULE, str(home), *recorded), environment or dict(os.environ), home
            )
        except OSError as error:
            emit(events.SCHEDULE_NOT_STARTED, error=error)
            self._look_at = time.monotonic() + REST_SECONDS


def _report(text: str, is_problem: bool) -> None:
    emit(events.PREFECT_FAILED if is_problem else events.PREFECT_CHANGED, text=text)
