"""The process that serves the region's site; `serve` starts it.

It opens no signing key and writes to no database but its own. What councils need goes first: this
process has less of the processor, may open few files, and is the first that ends when the machine
runs out of memory.

Run as `python -m folkmoot_coordinator.viewer.serve_viewer HOME`.
"""

from __future__ import annotations

import os
import resource
import sys
from contextlib import suppress
from pathlib import Path

from folkmoot_coordinator.home import Home
from folkmoot_coordinator.signals import events
from folkmoot_coordinator.signals.metrics import METRICS
from folkmoot_coordinator.viewer.serving import serve_viewer
from folkmoot_operator import log_output, readings_socket
from folkmoot_operator.events import emit
from folkmoot_operator.problems import Problem

PREFIX = "viewer: "
"""Begins each line that it logs."""
MAX_FILES = 4096
"""Files that it may have open: 500 connections that are served, those that are turned away, and
databases."""
_NICE = 5
_OUT_OF_MEMORY = 500  # of 1000: how gladly Linux ends this process before others
_SCORE = Path("/proc/self/oom_score_adj")


def give_way() -> None:
    """Lets other processes of the coordinator go first."""
    with suppress(OSError):
        os.nice(_NICE)
    with suppress(OSError):  # not on Linux
        _SCORE.write_text(str(_OUT_OF_MEMORY))
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    files = MAX_FILES if hard == resource.RLIM_INFINITY else min(MAX_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


def main(home: Home) -> None:
    """Serves until SIGTERM."""
    log_output.configure(
        home.settings().log, home.path, "folkmoot-coordinator-site", lines=log_output.Lines(PREFIX)
    )
    give_way()
    try:
        with readings_socket.telling("viewer", METRICS):
            serve_viewer(home, lambda address: emit(events.SITE_READY, address=address))
    except Problem as problem:
        emit(events.SITE_NOT_SERVED, problem=problem)
        raise SystemExit(problem.exit_code) from None


if __name__ == "__main__":
    main(Home(Path(sys.argv[1])))
