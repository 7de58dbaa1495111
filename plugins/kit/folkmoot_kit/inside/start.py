"""First code of a plugin's process: `python -I -S -B start.py`.

It stands alone: nothing of ours can be imported until the set-up says where that is.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import mmap
    from typing import Any

_HEADER_BYTES = 16
_LONGEST_SETUP = 1 << 20
_BUFFER_BYTES = 4 << 20
"""Asked of the kernel for what is sent: a chunk of columns then takes few wake-ups."""


def main() -> None:
    """Reads the set-up, locks the process down, and answers calls until the channel closes."""
    inputs = _shared_inputs()
    setup = _setup()
    sys.stdin = None  # descriptor 0 is the channel
    sys.path.extend(setup["import_folders"])

    from folkmoot_kit.confinement.locking import lock_down

    # Before anything that starts a thread: Landlock would not bind it.
    lock_down(setup["confinement"])
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")

    from folkmoot_kit.inside import runtime

    runtime.serve(setup, inputs)


def _shared_inputs() -> mmap.mmap:
    """The memory in which the node lays columns. No descriptor of it is kept."""
    import mmap
    import socket

    with socket.socket(fileno=os.dup(0)) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _BUFFER_BYTES)
        _, descriptors, _, _ = socket.recv_fds(connection, 1, 1)
    if len(descriptors) != 1:
        raise SystemExit("no memory came")
    memory = mmap.mmap(descriptors[0], 0, prot=mmap.PROT_READ)
    os.close(descriptors[0])
    return memory


def _setup() -> dict[str, Any]:
    import json
    import struct

    magic, _, _, length = struct.unpack("<4sIII", _exactly(_HEADER_BYTES))
    if magic != b"FMK1" or length > _LONGEST_SETUP:
        raise SystemExit("no set-up came")
    setup: dict[str, Any] = json.loads(_exactly(length))
    return setup


def _exactly(count: int) -> bytes:
    content = b""
    while len(content) < count:
        piece = os.read(0, count - len(content))
        if not piece:
            raise SystemExit("no set-up came")
        content += piece
    return content


if __name__ == "__main__":
    main()
