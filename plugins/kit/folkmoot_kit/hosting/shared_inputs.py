"""Memory in which a process finds the columns it is to score, without a copy of its own.

The process maps it before it locks itself down, and can only read it: the kernel refuses any later
mapping that writes, and any change of its size. Nothing comes back this way: what the host looks
at, nobody may change meanwhile.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import socket
import threading
from collections.abc import Sequence

from folkmoot_kit.channel.frames import Part

PLACES = 4
"""Calls whose columns fit at once; more go through the channel."""
PLACE_BYTES = 16 << 20
"""Columns of one call, at most: more go through the channel. Pages cost memory once used."""
_F_SEAL_FUTURE_WRITE = 0x10


class SharedInputs:
    """The memory of one process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._free = list(range(PLACES))
        descriptor = os.memfd_create("inputs", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        try:
            os.ftruncate(descriptor, PLACES * PLACE_BYTES)
            self._memory = mmap.mmap(descriptor, PLACES * PLACE_BYTES)
            seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | _F_SEAL_FUTURE_WRITE
            fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals | fcntl.F_SEAL_SEAL)
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor

    def send(self, channel: socket.socket) -> None:
        """Gives the process the memory, with one byte. Call it once, before all else."""
        try:
            socket.send_fds(channel, [b"\0"], [self._descriptor])
        finally:
            os.close(self._descriptor)

    def put(self, parts: Sequence[Part]) -> tuple[int, int] | None:
        """Copies the pieces of a frame into a free place.

        Returns:
            Where it begins, and its length in bytes; None if there is no place for it.
        """
        length = sum(memoryview(part).nbytes for part in parts)
        with self._lock:
            if length > PLACE_BYTES or not self._free:
                return None
            start = self._free.pop() * PLACE_BYTES
        at = start
        for part in parts:
            view = memoryview(part).cast("B")
            self._memory[at : at + view.nbytes] = view
            at += view.nbytes
        return start, length

    def release(self, start: int) -> None:
        """Frees a place once its call was answered."""
        with self._lock:
            self._free.append(start // PLACE_BYTES)
