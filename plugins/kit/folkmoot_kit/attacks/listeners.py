"""Servers of this machine that nobody in confinement may reach: each notes who comes."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

_LONGEST = 4096


class Listeners:
    """A server on each kind of socket, and a name server.

    Attributes:
        heard: What has come, a word for each visit.
        ipv4_port: Port at 127.0.0.1, TCP.
        ipv6_port: Port at ::1, TCP; 0 where there is no IPv6.
        dns_port: Port at 127.0.0.1, UDP.
        unix_path: Path of a UNIX socket.
        unix_abstract: Name of an abstract UNIX socket, without the zero byte.
    """

    def __init__(self, secret: str) -> None:
        self._sockets: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self._closing = threading.Event()
        self._folder = tempfile.TemporaryDirectory(prefix="folkmoot-")
        self.heard: list[str] = []
        self.unix_path = str(Path(self._folder.name, "socket"))
        self.unix_abstract = f"folkmoot-attack-{secret[:16]}"
        self.ipv4_port = self._serve("IPv4", socket.AF_INET, ("127.0.0.1", 0))
        try:
            self.ipv6_port = self._serve("IPv6", socket.AF_INET6, ("::1", 0))
        except OSError:
            self.ipv6_port = 0
        self._serve("UNIX path", socket.AF_UNIX, self.unix_path)
        self._serve("abstract UNIX", socket.AF_UNIX, f"\0{self.unix_abstract}")
        self.dns_port = self._serve_names()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closing.set()
        for listening in self._sockets:
            with contextlib.suppress(OSError):
                listening.shutdown(socket.SHUT_RDWR)
            listening.close()
        for thread in self._threads:
            thread.join(2)
        self._folder.cleanup()

    def _serve(self, word: str, family: int, address: tuple[str, int] | str) -> int:
        listening = socket.socket(family, socket.SOCK_STREAM)
        try:
            listening.bind(address)
            listening.listen()
        except OSError:
            listening.close()
            raise

        def accept() -> None:
            while True:
                try:
                    visitor, _ = listening.accept()
                except OSError:
                    return
                self.heard.append(f"a connection over {word}")
                visitor.close()

        self._start(listening, accept)
        name = listening.getsockname()
        return int(name[1]) if isinstance(name, tuple) else 0

    def _serve_names(self) -> int:
        listening = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        listening.bind(("127.0.0.1", 0))
        listening.settimeout(0.2)

        def answer() -> None:
            while True:
                try:
                    asked, visitor = listening.recvfrom(_LONGEST)
                except TimeoutError:
                    if self._closing.is_set():
                        return
                    continue
                except OSError:
                    return
                self.heard.append("a datagram")
                with contextlib.suppress(OSError):
                    listening.sendto(_answer_of_names(asked), visitor)

        self._start(listening, answer)
        return int(listening.getsockname()[1])

    def _start(self, listening: socket.socket, serve: Callable[[], None]) -> None:
        self._sockets.append(listening)
        self._threads.append(threading.Thread(target=serve, daemon=True))
        self._threads[-1].start()


def _answer_of_names(asked: bytes) -> bytes:
    """The answer of a name server: every name has the address 192.0.2.1 (for examples)."""
    question = asked[12 : asked.find(b"\0", 12) + 5]
    address = b"\xc0\x0c" + struct.pack("!HHIH", 1, 1, 60, 4) + socket.inet_aton("192.0.2.1")
    return asked[:2] + struct.pack("!HHHHH", 0x8180, 1, 1, 0, 0) + question + address


def open_descriptors() -> int:
    """How many files this process has open."""
    return len(os.listdir("/proc/self/fd"))  # noqa: PTH208
