"""Frames on a stream socket: a header of 16 bytes, then JSON or Arrow columns.

A header says how long its frame is, and no more is ever read or set aside than the reader allows.
A message is one JSON frame, and the frame of columns that follows it if it says so.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

_HEADER = struct.Struct("<4sIII")
_MAGIC = b"FMK1"
_JSON = 1
_COLUMNS = 2
_COLUMNS_FOLLOW = "columns"
_MOST_PARTS = 512
"""Buffers given to one call; Linux takes 1,024."""

Part = bytes | memoryview
Buffer = npt.NDArray[np.uint8]


class FrameError(Exception):
    """What came is no message of this protocol. The text quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The longest frames that a reader takes.

    Attributes:
        json_bytes: Length of a JSON frame.
        columns_bytes: Length of a frame of columns.
    """

    json_bytes: int = 8 << 20
    columns_bytes: int = 256 << 20


@dataclass(frozen=True, slots=True)
class Message:
    """One message.

    Attributes:
        call: The call it belongs to.
        body: JSON object.
        columns: An Arrow stream, uint8 of shape (bytes,); None without columns.
    """

    call: int
    body: Mapping[str, Any]
    columns: Buffer | None = None


class End(Protocol):
    """One end of the socket."""

    def write(self, parts: Sequence[memoryview]) -> int:
        """Sends some of the bytes, and says how many. Raises BlockingIOError if it may not wait."""
        ...

    def read_into(self, view: memoryview) -> int:
        """Waits for bytes, and says how many came; 0 if the other side has closed."""
        ...


class SocketEnd:
    """The end of the node, which waits no longer than it wants to."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def write(self, parts: Sequence[memoryview]) -> int:
        """See `End`."""
        return self._connection.sendmsg(parts, (), socket.MSG_NOSIGNAL | socket.MSG_DONTWAIT)

    def read_into(self, view: memoryview) -> int:
        """See `End`."""
        return self._connection.recv_into(view)


class DescriptorEnd:
    """The end of the confined process, which may make no call for sockets."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, parts: Sequence[memoryview]) -> int:
        """See `End`."""
        return os.writev(self._descriptor, parts)

    def read_into(self, view: memoryview) -> int:
        """See `End`."""
        return os.readv(self._descriptor, [view])


class Channel:
    """Messages over one end of the socket. Any thread may send; one thread receives."""

    def __init__(self, end: End, bounds: Bounds) -> None:
        self._end = end
        self._bounds = bounds
        self._sending = threading.Lock()

    def send(
        self,
        call: int,
        body: Mapping[str, Any],
        columns: Sequence[Part] | None = None,
        wait: Callable[[], None] | None = None,
    ) -> None:
        """Sends a message whole, before any other thread's.

        Args:
            call: The call it belongs to.
            body: Values of JSON; `columns` is set here.
            columns: The pieces of an Arrow stream.
            wait: Called while the other side takes no more, and may raise; without it the
                thread waits as long as it takes.

        Raises:
            FrameError: If the message is longer than the other side may take.
            OSError: If the other side is gone.
        """
        if columns is not None:
            body = {**body, _COLUMNS_FOLLOW: True}
        text = json.dumps(body, ensure_ascii=True, allow_nan=False, separators=(",", ":")).encode()
        parts: list[Part] = [self._header(_JSON, call, len(text), self._bounds.json_bytes), text]
        if columns is not None:
            length = sum(memoryview(part).nbytes for part in columns)
            parts.append(self._header(_COLUMNS, call, length, self._bounds.columns_bytes))
            parts += columns
        with self._sending:
            self._send_all(parts, wait)

    def receive(self) -> Message | None:
        """The next message; None if the other side has closed the socket between two.

        Raises:
            FrameError: If what comes is no message.
            OSError: If the socket fails.
        """
        first = self._next_frame()
        if first is None:
            return None
        kind, call, content = first
        if kind != _JSON:
            raise FrameError("columns came without their message")
        body = _parse(bytes(content))
        if _COLUMNS_FOLLOW not in body:
            return Message(call, body)
        second = self._next_frame()
        if second is None or second[:2] != (_COLUMNS, call):
            raise FrameError("a message came without its columns")
        return Message(call, body, second[2])

    @staticmethod
    def _header(kind: int, call: int, length: int, longest: int) -> bytes:
        if length > longest:
            raise FrameError(f"a frame of {length} bytes is longer than the {longest} allowed")
        return _HEADER.pack(_MAGIC, kind, call, length)

    def _send_all(self, parts: Sequence[Part], wait: Callable[[], None] | None) -> None:
        left = [memoryview(part).cast("B") for part in parts if memoryview(part).nbytes]
        at = 0
        while at < len(left):
            try:
                sent = self._end.write(left[at : at + _MOST_PARTS])
            except BlockingIOError:
                if wait is None:
                    raise
                wait()
                continue
            while at < len(left) and sent >= left[at].nbytes:
                sent -= left[at].nbytes
                at += 1
            if sent:
                left[at] = left[at][sent:]

    def _next_frame(self) -> tuple[int, int, Buffer] | None:
        header = np.empty(_HEADER.size, np.uint8)
        got = self._fill(header)
        if got == 0:
            return None
        if got < _HEADER.size:
            raise FrameError("a frame ended in its header")
        magic, kind, call, length = _HEADER.unpack(header.data)
        if magic != _MAGIC or kind not in (_JSON, _COLUMNS):
            raise FrameError("what came is no frame")
        longest = self._bounds.json_bytes if kind == _JSON else self._bounds.columns_bytes
        if length > longest:
            raise FrameError("a frame says that it is longer than is allowed")
        content = np.empty(length, np.uint8)
        if self._fill(content) < length:
            raise FrameError("a frame ended before its length")
        return kind, call, content

    def _fill(self, into: Buffer) -> int:
        view = into.data
        got = 0
        while got < len(view):
            count = self._end.read_into(view[got:])
            if count == 0:
                break
            got += count
        return got


def _parse(content: bytes) -> dict[str, Any]:
    try:
        body = json.loads(content, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        raise FrameError("a message is not JSON") from None
    if not isinstance(body, dict):
        raise FrameError("a message is no JSON object")
    return body


def _refuse_constant(name: str) -> float:
    raise ValueError(name)
