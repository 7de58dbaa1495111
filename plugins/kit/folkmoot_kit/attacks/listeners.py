"""Servers of this machine that nobody in confinement may reach: each notes who comes."""

from __future__ import annotations

import contextlib
import os
import select
import socket
import struct
import tempfile
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_LONGEST = 4096
_AT_ONCE = 1000
"""Visits that are taken in one turn, so that who visits without end holds up nobody."""


class Listeners:
    """A server on each kind of socket, and a name server.

    Attributes:
        ipv4_port: Port at 127.0.0.1, TCP.
        ipv6_port: Port at ::1, TCP; 0 where there is no IPv6.
        dns_port: Port at 127.0.0.1, UDP.
        unix_path: Path of a UNIX socket.
        unix_abstract: Name of an abstract UNIX socket, without the zero byte.
    """

    def __init__(self, secret: str) -> None:
        self._servers: dict[socket.socket, str] = {}
        self._closing = threading.Event()
        self._turn = threading.Lock()
        self._heard: list[str] = []
        self._folder = tempfile.TemporaryDirectory(prefix="folkmoot-")
        self.unix_path = str(Path(self._folder.name, "socket"))
        self.unix_abstract = f"folkmoot-attack-{secret[:16]}"
        self.ipv4_port = self._listen("IPv4", socket.AF_INET, ("127.0.0.1", 0))
        try:
            self.ipv6_port = self._listen("IPv6", socket.AF_INET6, ("::1", 0))
        except OSError:
            self.ipv6_port = 0
        self._listen("UNIX path", socket.AF_UNIX, self.unix_path)
        self._listen("abstract UNIX", socket.AF_UNIX, f"\0{self.unix_abstract}")
        self._names = self._bound(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0))
        self.dns_port = _port(self._names)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        self._thread.join()
        for listening in (*self._servers, self._names):
            listening.close()
        self._folder.cleanup()

    def heard(self) -> list[str]:
        """What has come since the last call, a word for each visit.

        Nobody has to wait for the thread that answers: who still stands in a queue is taken here,
        and a connection stands there when its caller is told that it is made.
        """
        with self._turn:
            self._take()
            heard, self._heard = self._heard, []
        return heard

    def _listen(self, word: str, family: int, address: tuple[str, int] | str) -> int:
        listening = self._bound(family, socket.SOCK_STREAM, address)
        listening.listen()
        self._servers[listening] = word
        return _port(listening)

    def _bound(self, family: int, kind: int, address: tuple[str, int] | str) -> socket.socket:
        made = socket.socket(family, kind)
        try:
            made.bind(address)
        except OSError:
            made.close()
            raise
        made.setblocking(False)
        return made

    def _serve(self) -> None:
        visits = select.poll()
        for listening in (*self._servers, self._names):
            visits.register(listening, select.POLLIN)
        while not self._closing.is_set():
            visits.poll(200)
            with self._turn:
                self._take()

    def _take(self) -> None:
        """Notes and answers who has come."""
        for listening, word in self._servers.items():
            with contextlib.suppress(OSError):  # none is left, or one has gone again
                for _ in range(_AT_ONCE):
                    visitor, _peer = listening.accept()
                    self._heard.append(f"a connection over {word}")
                    visitor.close()
        with contextlib.suppress(OSError):
            for _ in range(_AT_ONCE):
                asked, asker = self._names.recvfrom(_LONGEST)
                self._heard.append("a datagram")
                with contextlib.suppress(OSError):
                    self._names.sendto(_answer_of_names(asked), asker)


def _port(listening: socket.socket) -> int:
    """Its port; 0 for a UNIX socket."""
    name = listening.getsockname()
    return int(name[1]) if isinstance(name, tuple) else 0


def _answer_of_names(asked: bytes) -> bytes:
    """The answer of a name server: every name has the address 192.0.2.1 (for examples)."""
    question = asked[12 : asked.find(b"\0", 12) + 5]
    address = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton("192.0.2.1")
    return asked[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + question + address


def open_descriptors() -> int:
    """How many files this process has open."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208
