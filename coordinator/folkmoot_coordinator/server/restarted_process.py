"""A process that `serve` starts again when it has ended, after a wait that grows each time."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Collection

from folkmoot_coordinator.signals import events, metrics
from folkmoot_operator import child_process
from folkmoot_operator.backoff import Backoff
from folkmoot_operator.events import emit
from folkmoot_operator.metrics import count

_WAITS = Backoff(first=1.0, longest=60.0)


class RestartedProcess:
    """One process at a time. One thread at a time may use it, and it must outlive the process."""

    def __init__(
        self,
        name: str,
        begin: Callable[[], subprocess.Popen[bytes]],
        *,
        final: Collection[int] = (),
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """Starts nothing yet.

        Args:
            name: What it does, for the log: `enrolment`.
            begin: Starts it.
            final: Exit codes after which it is not started again.
            monotonic: Seconds, for waits.
        """
        self._name = name
        self._begin = begin
        self._final = final
        self._monotonic = monotonic
        self._process: subprocess.Popen[bytes] | None = None
        self._restarts = 0
        self._restart_at: float | None = None
        self._begun = 0.0

    def start(self, begin: Callable[[], subprocess.Popen[bytes]] | None = None) -> None:
        """Starts it for the first time.

        Args:
            begin: Starts it this time, if not as later on.

        Raises:
            OSError: If the machine has no room for a process.
        """
        self._begun = self._monotonic()
        self._process = (begin or self._begin)()

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        """The process; None before the first and after the last."""
        return self._process

    def look_after(self) -> bool:
        """Starts it again if it has ended and the wait is over; raises nothing.

        Returns:
            Whether it has ended with a final exit code.
        """
        process, now = self._process, self._monotonic()
        if process is None or process.poll() is None:
            return False
        if process.returncode in self._final:
            return True
        if self._restart_at is None:
            emit(events.PROCESS_ENDED, process=self._name, exit=process.returncode)
            if now - self._begun > _WAITS.longest:
                self._restarts = 0
            self._restart_at = now + _WAITS.seconds(self._restarts)
            self._restarts += 1
        elif now >= self._restart_at:
            try:
                self._process = self._begin()
            except OSError as error:  # no memory or no room for a process now
                emit(events.PROCESS_NOT_STARTED, process=self._name, error=error)
                self._restart_at = now + _WAITS.seconds(self._restarts)
                self._restarts += 1
                return False
            self._begun, self._restart_at = now, None
            emit(events.PROCESS_STARTED_AGAIN, process=self._name)
            count(metrics.RESTARTS, process=self._name)
        return False

    def stop(self, seconds: float) -> None:
        """Ends it: SIGTERM, and SIGKILL if it still runs after `seconds`."""
        process, self._process = self._process, None
        if process is not None:
            child_process.stop(process, seconds)
