"""Threads that answer calls, so that one plugin does not wait for another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue

Work = Callable[[], None]


class Workers:
    """Runs each piece of work at once: on a thread that has none, or on a new one."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Work] = SimpleQueue()
        self._lock = threading.Lock()
        self._idle = 0

    def run(self, work: Work) -> None:
        """Hands work to a thread. It must not raise."""
        with self._lock:
            starts = self._idle == 0
            if not starts:
                self._idle -= 1
        if starts:
            threading.Thread(target=self._work, args=(work,), daemon=True).start()
        else:
            self._waiting.put(work)

    def _work(self, work: Work) -> None:
        while True:
            work()
            del work
            with self._lock:
                self._idle += 1
            work = self._waiting.get()
