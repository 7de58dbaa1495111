"""First code of a plugin's process: `python -I -S -B start.py`.

It stands alone: nothing of ours can be imported until the set-up says where that is.
"""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_HEADER_BYTES = 16
_LONGEST_SETUP = 1 << 20


def main() -> None:
    """Reads the set-up, locks the process down, and answers calls until the channel closes."""
    setup = _setup()
    # Before NumPy: its library of linear algebra would start a thread for each processor.
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1", MKL_NUM_THREADS="1")
    sys.stdin = None  # descriptor 0 is the channel
    sys.path.extend(setup["import_folders"])

    from folkmoot_kit.confinement import locking
    from folkmoot_kit.inside import runtime

    locking.lock_down(setup)
    runtime.serve(setup)


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
