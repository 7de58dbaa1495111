"""What every runner does: a histogram, first in a fresh process, then again and again.

Runs in each peer's own environment, so it needs the standard library alone.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Histogram:
    """How a peer makes one private histogram.

    Attributes:
        make: Makes it, complete, as the peer gives it. Only this is timed.
        read: Noisy count by cell, for the cells that were released.
    """

    make: Callable[[], Any]
    read: Callable[[Any], Mapping[int, float]]


@dataclass(frozen=True)
class Task:
    """What is asked of a runner.

    Attributes:
        data: Parquet file with one row for each household; `cell` is its cell, an int64
            from 0 to `cells - 1`.
        home: Folkmoot node that scored the same file.
        scratch: Empty folder for what a runner writes.
        cells: Number of public cells.
        runs: Histograms in one process, the first among them.
        rho: Loss in zCDP, see `losses`.
        delta: See `losses`.
        epsilon: At `delta`, see `losses`.
        pure_epsilon: See `losses`.
    """

    data: str
    home: str
    scratch: str
    cells: int
    runs: int
    rho: float
    delta: float
    epsilon: float
    pure_epsilon: float

    def write(self, path: Path) -> None:
        """Writes the task for a runner."""
        path.write_text(json.dumps(asdict(self)))

    @classmethod
    def read(cls, path: Path) -> Task:
        """Reads the task."""
        return cls(**json.loads(path.read_text()))


def begun_at() -> int:
    """A moment that other processes of this machine can compare theirs with, nanoseconds."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


def peak_resident() -> int:
    """Most memory that this process itself has held, bytes; 0 where /proc does not tell.

    Not `ru_maxrss`: on Linux that begins with what the starting process held.
    """
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    held = [int(line.split()[1]) for line in lines if line.startswith("VmHWM:")]
    return held[0] * 1024 if held else 0


def run(prepare: Callable[[Task], Histogram]) -> None:
    """Runs a task as the command line says, and writes times and histograms as JSON.

    The first time counts from `--begun`, when the process was started, so that imports and
    opening the data are in it. The others count the histogram alone.

    Args:
        prepare: Imports the peer, opens the data, and returns what makes a histogram.
    """
    parser = argparse.ArgumentParser()
    parser.add_argument("task", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--begun", type=int, required=True)
    options = parser.parse_args()
    task = Task.read(options.task)
    histogram = prepare(task)
    seconds, histograms = [], []
    for number in range(task.runs):
        begun = begun_at() if number else options.begun
        made = histogram.make()
        seconds.append((begun_at() - begun) / 1e9)
        # Cells as numbers, not as what a peer's arrays hold.
        histograms.append({int(cell): float(value) for cell, value in histogram.read(made).items()})
    result = {
        "python": sys.version.split()[0],
        "peak": peak_resident(),
        "seconds": seconds,
        "histograms": histograms,
    }
    options.out.write_text(json.dumps(result))
