"""A wire between nodes and their coordinator that a test cuts: a TCP relay on loopback."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from concurrent.futures import Future
from types import TracebackType
from typing import Self

_PIECE = 65_536


class CutWire:
    """Listens on a port of its own, and passes every byte on to another port, unless it is cut."""

    def __init__(self, onward: int) -> None:
        self.onward = onward
        self._cut = False
        self._writers: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._run(asyncio.start_server(self._relay, "127.0.0.1", 0)).result(10)
        self.port: int = self._server.sockets[0].getsockname()[1]

    def _run(self, what):  # type: ignore[no-untyped-def]
        found: Future = asyncio.run_coroutine_threadsafe(what, self._loop)
        return found

    async def _relay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._cut:
            writer.transport.abort()
            return
        try:
            there, back = await asyncio.open_connection("127.0.0.1", self.onward)
        except OSError:
            writer.transport.abort()
            return
        both = {writer, back}
        self._writers |= both
        try:
            await asyncio.gather(_pass(reader, back), _pass(there, writer))
        finally:
            self._writers -= both
            for one in both:
                one.transport.abort()

    def cut(self) -> None:
        """Breaks what is connected, in the middle of whatever it carries, and takes no more."""
        self._run(self._set(cut=True)).result(10)

    def mend(self) -> None:
        """Passes bytes on again."""
        self._run(self._set(cut=False)).result(10)

    async def _set(self, *, cut: bool) -> None:
        self._cut = cut
        if cut:
            for writer in list(self._writers):
                writer.transport.abort()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.cut()
        self._loop.call_soon_threadsafe(self._server.close)
        self._run(asyncio.sleep(0.1)).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while piece := await reader.read(_PIECE):
            writer.write(piece)
            await writer.drain()
    writer.transport.abort()
