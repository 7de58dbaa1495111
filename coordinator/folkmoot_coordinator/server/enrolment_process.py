"""The enrolment port in a process of its own: started, started again if it ends, stopped."""

from __future__ import annotations

import os
import select
import socket
import subprocess
from collections.abc import Sequence

from folkmoot_coordinator.home import Home
from folkmoot_coordinator.server.port import GRACE_SECONDS
from folkmoot_coordinator.server.restarted_process import RestartedProcess
from folkmoot_operator import child_process, readings_socket
from folkmoot_operator.problems import ExitCode, Problem

START_SECONDS = 60.0
"""How long the process may take until it serves."""
_MODULE = "folkmoot_coordinator.server.serve_enrolment"


class EnrolmentProcess:
    """The process that serves the enrolment port. One thread at a time may use it."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._sockets: Sequence[socket.socket] = ()
        self._process = RestartedProcess(
            "enrolment",
            lambda: self._begin(subprocess.DEVNULL),
            final=(ExitCode.VERIFICATION,),
        )

    def start(self, sockets: Sequence[socket.socket]) -> None:
        """Starts it; it serves what comes through these sockets, which stay open here.

        Raises:
            Problem: If it does not serve within `START_SECONDS`.
        """
        self._sockets = sockets
        self._process.start(lambda: self._begin(subprocess.PIPE))
        process = self._process.process
        assert process is not None
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
        return self._process.look_after()

    def stop(self) -> None:
        """Ends it, and closes the sockets."""
        self._process.stop(GRACE_SECONDS + 5)
        for each in self._sockets:
            each.close()

    def _begin(self, output: int) -> subprocess.Popen[bytes]:
        descriptors = [each.fileno() for each in self._sockets]
        home = self._home.path.resolve()
        return child_process.start(
            ["-m", _MODULE, str(home), *map(str, descriptors)],
            os.environ,
            home,
            output=output,
            keep_open=(*descriptors, *readings_socket.inherited()),
        )
