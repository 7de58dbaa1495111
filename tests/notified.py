"""A service manager's end of $NOTIFY_SOCKET, for real processes."""

from __future__ import annotations

import os
import secrets
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager


class Manager:
    """Hears what services say. An abstract name is reached from any mount namespace."""

    def __init__(self, listening: socket.socket, name: str) -> None:
        self._listening = listening
        self._name = name
        self.heard: list[str] = []

    def variables(self, watchdog_seconds: float) -> dict[str, str]:
        """Environment of a service that is watched."""
        return {
            **os.environ,
            "NOTIFY_SOCKET": f"@{self._name}",
            "WATCHDOG_USEC": str(int(watchdog_seconds * 1e6)),
        }

    def listen(self, seconds: float) -> list[str]:
        """What is said within some time, which is also added to `heard`."""
        until, said = time.monotonic() + seconds, []
        while (left := until - time.monotonic()) > 0:
            self._listening.settimeout(left)
            try:
                said.append(self._listening.recv(4096).decode())
            except TimeoutError:
                break
        self.heard += said
        return said

    def wait_for(self, beginning: str, seconds: float = 60) -> str:
        """The next message that begins so."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._listening.settimeout(max(0.01, until - time.monotonic()))
            try:
                said = self._listening.recv(4096).decode()
            except TimeoutError:
                break
            self.heard.append(said)
            if said.startswith(beginning):
                return said
        raise AssertionError(f"{beginning!r} was not said, but {self.heard}")

    def forget(self) -> None:
        """Drops what has been said up to now."""
        self._listening.settimeout(0.01)
        try:
            while True:
                self._listening.recv(4096)
        except (TimeoutError, BlockingIOError):
            pass


@contextmanager
def service_manager() -> Iterator[Manager]:
    """Listens until the end of the block."""
    name = f"folkmoot-test-{secrets.token_hex(8)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(f"\0{name}")
        yield Manager(listening, name)
