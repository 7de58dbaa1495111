"""A wish to stop that a signal may bring at any moment."""

from __future__ import annotations

import os
import select
import signal
import threading
from contextlib import suppress


class StopSignal(threading.Event):
    """An event that handlers of signals can set.

    A handler runs in the middle of what the main thread does. If that is waiting for the event, it
    may hold the event's lock, and a handler that sets a plain event then waits without end. Here a
    byte is written to a pipe, which takes no lock.
    """

    def __init__(self) -> None:
        """Makes the pipe."""
        super().__init__()
        self._reading, self._writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def set(self) -> None:
        """Asks to stop."""
        with suppress(BlockingIOError):  # it is full of wishes
            os.write(self._writing, b".")

    def clear(self) -> None:
        """Not possible.

        Raises:
            RuntimeError: Always.
        """
        raise RuntimeError("a wish to stop is not taken back")

    def is_set(self) -> bool:
        """Whether it was asked for."""
        return self.wait(0)

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until it is asked for.

        Args:
            timeout: Seconds to wait at most; None for as long as it takes.

        Returns:
            Whether it was asked for.
        """
        poll = select.poll()  # `select.select` knows no descriptor above 1,023
        poll.register(self._reading, select.POLLIN)
        return bool(poll.poll(None if timeout is None else timeout * 1000))


def stop_on(*numbers: signal.Signals) -> StopSignal:
    """Lets signals ask to stop.

    Args:
        numbers: Which.
    """
    stop = StopSignal()
    for number in numbers:
        signal.signal(number, lambda *_: stop.set())
    return stop
