"""The enrolment port in a process of its own: started, started again if it ends, stopped."""

from __future__ import annotations

import logging
import os
import select
import socket
import subprocess
import time
from collections.abc import Sequence

from folkmoot_coordinator.config import Home
from folkmoot_coordinator.server.port import GRACE_SECONDS
from folkmoot_operator import child_process
from folkmoot_operator.backoff import Backoff
from folkmoot_operator.problems import ExitCode, Problem

log = logging.getLogger(__name__)

START_SECONDS = 60.0
"""How long the process may take until it serves."""
_WAITS = Backoff(first=1.0, longest=60.0)
_MODULE = "folkmoot_coordinator.server.serve_enrolment"


class EnrolmentProcess:
    """The process that serves the enrolment port. One thread at a time may use it."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._sockets: Sequence[socket.socket] = ()
        self._process: subprocess.Popen[bytes] | None = None
        self._restarts = 0
        self._restart_at: float | None = None
        self._begun = 0.0

    def start(self, sockets: Sequence[socket.socket]) -> None:
        """Starts it; it serves what comes through these sockets, which stay open here.

        Raises:
            Problem: If it does not serve within `START_SECONDS`.
        """
        self._sockets = sockets
        process = self._process = self._begin(subprocess.PIPE)
        assert process.stdout is not None
        with process.stdout as said:
            ready, _, _ = select.select([said], [], [], START_SECONDS)
            serves = bool(ready and said.readline())
        if not serves:
            self.stop()
            raise Problem(
                "the process that serves the enrolment port did not start",
                where=str(self._home.path),
                remedy="Read what it has written above",
                exit_code=ExitCode.FAULT,
            )

    def look_after(self) -> bool:
        """Starts it again if it has ended, after a wait that grows each time.

        Returns:
            Whether it has ended because the database is damaged; it is then left so.
        """
        process, now = self._process, time.monotonic()
        if process is None or process.poll() is None:
            return False
        if process.returncode == ExitCode.VERIFICATION:
            return True
        if self._restart_at is None:
            log.error("enrolment process ended exit=%d", process.returncode)
            if now - self._begun > _WAITS.longest:
                self._restarts = 0
            self._restart_at = now + _WAITS.seconds(self._restarts)
        elif now >= self._restart_at:
            self._process = self._begin(subprocess.DEVNULL)
            self._restarts += 1
            self._restart_at = None
            log.info("enrolment process started again")
        return False

    def stop(self) -> None:
        """Ends it, and closes the sockets."""
        process, self._process = self._process, None
        if process is not None:
            child_process.stop(process, GRACE_SECONDS + 5)
        for each in self._sockets:
            each.close()

    def _begin(self, output: int) -> subprocess.Popen[bytes]:
        self._begun = time.monotonic()
        descriptors = [each.fileno() for each in self._sockets]
        home = self._home.path.resolve()
        return child_process.start(
            ["-m", _MODULE, str(home), *map(str, descriptors)],
            os.environ,
            home,
            output=output,
            keep_open=descriptors,
        )
