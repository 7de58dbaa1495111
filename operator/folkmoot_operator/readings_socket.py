"""What processes that `serve` starts have counted, told to `serve`, which alone shows metrics.

A process that handles what strangers send opens no port for it. Each tells all its numbers in one
datagram, now and then and at its end; `serve` leaves out what its list does not have.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from folkmoot_operator import metrics
from folkmoot_operator.metrics import Metric, Readings

VARIABLE = "FOLKMOOT_READINGS"
"""Environment variable with the number of the descriptor, where metrics are shown."""
EVERY_SECONDS = 5.0
"""How often a process tells its numbers."""
_BYTES = 128 * 1024


@contextmanager
def heard(readings: Readings | None) -> Iterator[None]:
    """Takes what children tell, until the end; nothing if nobody is to see any.

    To be entered before children are started: they find the way in their environment.

    Args:
        readings: Of this process.
    """
    if readings is None:
        os.environ.pop(VARIABLE, None)
        yield
        return
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    os.environ[VARIABLE] = str(theirs.fileno())
    thread = threading.Thread(target=_hear, args=(ours, readings), daemon=True, name="readings")
    thread.start()
    try:
        yield
    finally:
        os.environ.pop(VARIABLE, None)
        with suppress(OSError):
            theirs.send(b"")
        thread.join(EVERY_SECONDS)
        ours.close()
        theirs.close()


def inherited() -> tuple[int, ...]:
    """Descriptors that a child has to keep open, to tell its numbers."""
    number = os.environ.get(VARIABLE, "")
    return (int(number),) if number.isascii() and number.isdecimal() else ()


@contextmanager
def telling(source: str, listed: Mapping[str, Metric]) -> Iterator[None]:
    """Counts in this process and tells the one that has started it, if that shows metrics.

    Args:
        source: Which process this is.
        listed: The program's metrics by name.
    """
    descriptors = inherited()
    if not descriptors:
        yield
        return
    readings = Readings(listed)
    metrics.begin(readings)
    ends = threading.Event()
    with socket.socket(fileno=descriptors[0]) as way:

        def tell() -> None:
            with suppress(OSError):  # it is full, or nobody hears: the next has all numbers
                way.send(_written(source, readings), socket.MSG_DONTWAIT)

        def tell_again_and_again() -> None:
            while not ends.wait(EVERY_SECONDS):
                tell()

        thread = threading.Thread(target=tell_again_and_again, daemon=True, name="telling")
        thread.start()
        try:
            yield
        finally:
            ends.set()
            thread.join(EVERY_SECONDS)
            tell()
            metrics.begin(None)


def _written(source: str, readings: Readings) -> bytes:
    series = [
        (one.metric.name, dict(zip(one.metric.labels, one.labels, strict=True)), one.value)
        for one in readings.series()
    ]
    return json.dumps({"source": source, "series": series}).encode()


def _hear(way: socket.socket, readings: Readings) -> None:
    while True:
        try:
            told = way.recv(_BYTES)
        except OSError:
            return
        if not told:
            return
        with suppress(ValueError, TypeError, KeyError, AttributeError):
            found = json.loads(told)
            readings.told(str(found["source"]), found["series"])
