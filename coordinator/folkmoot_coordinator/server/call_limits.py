"""Calls that take too long are cut off, all of them by one thread.

A timer of its own for each call would start a thread each time, which costs more than most
calls do.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class CallLimits:
    """Cancels calls at the end of their time; started by the first of them."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running: dict[object, tuple[float, Callable[[], object]]] = {}
        self._wakes = math.inf
        self._watch: threading.Thread | None = None
        self._stopping = False

    @contextmanager
    def within(self, seconds: float, cancel: Callable[[], object]) -> Iterator[None]:
        """Calls `cancel`, from another thread, if the block takes longer than `seconds`."""
        call = object()
        ends = time.monotonic() + seconds
        with self._changed:
            self._running[call] = ends, cancel
            if self._watch is None and not self._stopping:
                self._watch = threading.Thread(
                    target=self._cancel_late, name="call-limits", daemon=True
                )
                self._watch.start()
            if ends < self._wakes:
                self._wakes = ends
                self._changed.notify()
        try:
            yield
        finally:
            with self._changed:
                self._running.pop(call, None)

    def stop(self) -> None:
        """Ends the thread; calls that are still running are cancelled no more."""
        with self._changed:
            self._stopping = True
            watch, self._watch = self._watch, None
            self._changed.notify()
        if watch is not None:
            watch.join()

    def _cancel_late(self) -> None:
        while True:
            with self._changed:
                if self._stopping:
                    return
                now = time.monotonic()
                late = [call for call, (ends, _) in self._running.items() if ends <= now]
                cancels = [self._running.pop(call)[1] for call in late]
                if not cancels:
                    self._wakes = min(
                        (ends for ends, _ in self._running.values()), default=math.inf
                    )
                    self._changed.wait(None if self._wakes == math.inf else self._wakes - now)
            for cancel in cancels:
                cancel()
