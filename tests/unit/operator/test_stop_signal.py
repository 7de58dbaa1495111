"""A signal asks to stop, whatever its handler interrupts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

from folkmoot_operator.stop_signal import StopSignal

_WAITS = """
import signal
from folkmoot_operator.stop_signal import StopSignal

stop = StopSignal()
got = 0

def handle(*_):
    global got
    got += 1
    if got > 3000:
        stop.set()
    stop.is_set()

signal.signal(signal.SIGTERM, handle)
print("ready", flush=True)
while not stop.wait(0):
    pass
signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the interpreter gives handlers up as it ends
print("stopped", flush=True)
"""


def test_a_handler_may_set_it_while_the_same_thread_waits() -> None:
    """With `threading.Event` a handler waits for the lock that its own thread holds."""
    with subprocess.Popen([sys.executable, "-c", _WAITS], stdout=subprocess.PIPE, text=True) as one:
        assert one.stdout is not None
        assert one.stdout.readline() == "ready\n"
        while one.poll() is None:
            os.kill(one.pid, signal.SIGTERM)
        assert one.stdout.read() == "stopped\n"
        assert one.returncode == 0


def test_threads_see_it_and_it_stays() -> None:
    stop = StopSignal()
    assert not stop.is_set()
    assert not stop.wait(0.01)
    waiting = threading.Thread(target=stop.wait)
    waiting.start()
    for _ in range(100_000):  # more than a pipe holds
        stop.set()
    waiting.join(10)
    assert not waiting.is_alive()
    assert stop.is_set()
    assert stop.wait()
