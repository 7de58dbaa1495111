"""What runs in a process that is started to prove confinement, and nothing else does.

It says on its channel what was proved, as a line of JSON, and then makes a system call at which
seccomp must end it. Standard library only.
"""

from __future__ import annotations

import json
import os
import sys

_CHANNEL = 0


def main() -> None:
    """Says that it has started, reads the setup, locks itself down, answers, asks to be killed."""
    os.write(_CHANNEL, b"started\n")
    given = json.loads(_line())
    sys.path[:0] = given["import_folders"]
    from folkmoot_kit.confinement import kernel, locking  # they can be found from here on

    try:
        answer: dict[str, object] = {"proved": locking.lock_down(given["confinement"])}
    except locking.LayerFault as fault:
        answer = {"layer": fault.layer, "problem": fault.problem}
    os.write(_CHANNEL, json.dumps(answer).encode() + b"\n")
    if "proved" in answer:
        kernel.call("unshare", 0)


def _line() -> bytes:
    read = b""
    while not read.endswith(b"\n"):
        more = os.read(_CHANNEL, 65536)
        if not more:
            raise SystemExit("the host has gone")
        read += more
    return read


if __name__ == "__main__":
    main()
