"""A signal asks to stop, whatever its handler interrupts."""

from __future__ import annotations

import subprocess
import sys
import threading

from folkmoot_operator.stop_signal import StopSignal

_STOPS = """
import signal
from folkmoot_operator.stop_signal import stop_on

stop = stop_on(signal.SIGTERM)
with stop._cond:  # as `threading.Event.wait` holds it, in the middle of which a signal may come
    signal.raise_signal(signal.SIGTERM)
assert stop.wait()
"""


def test_a_handler_may_set_it_while_the_same_thread_waits() -> None:
    """With `threading.Event` a handler waits for the lock that its own thread holds."""
    subprocess.run([sys.executable, "-c", _STOPS], check=True, timeout=60)


def test_threads_see_it_and_it_stays() -> None:
    stop = StopSignal()
    assert not stop.is_set()
    assert not stop.wait(0.01)
    waiting = threading.Thread(target=stop.wait)
    waiting.start()
    for _ in range(100_000):  # more than a pipe holds
        stop.set()
    waiting.join(60)
    assert not waiting.is_alive()
    assert stop.is_set()
    assert stop.wait()
