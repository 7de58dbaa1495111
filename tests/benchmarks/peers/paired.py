"""The ratio of ours to the floor: both in one process, in alternated pairs.

Writes of each side, in order, the seconds by the clock and of the processors (all threads),
and the histograms; and the seconds that opening the store takes, which a node does anew for
each round.
"""

from __future__ import annotations

import argparse
import json
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from peers.runners import bare_opendp, ours
from peers.task import Task

from folkmoot_node.settings.node_toml import load_config
from folkmoot_node.store.encrypted_file import read_key
from folkmoot_node.store.reader import open_store

OPENINGS = 11


def measure(task: Task) -> dict[str, Any]:
    """Alternates the three sides `task.runs` times, each round in the opposite order."""
    sides = {
        "floor": bare_opendp.prepare(task),
        "one thread": ours.prepare(task, threads=1),
        "as configured": ours.prepare(task),
    }
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    processors: dict[str, list[float]] = {name: [] for name in sides}
    histograms: dict[str, list[list[float]]] = {name: [] for name in sides}
    for number in range(task.runs):
        for name in list(sides)[:: -1 if number % 2 else 1]:
            begun, used = time.perf_counter(), time.process_time()
            made = sides[name].make()
            seconds[name].append(time.perf_counter() - begun)
            processors[name].append(time.process_time() - used)
            read = sides[name].read(made)
            histograms[name].append([read[cell] for cell in range(task.cells)])
    return {
        "seconds": seconds,
        "processor_seconds": processors,
        "histograms": histograms,
        "open_store": openings(Path(task.home)),
    }


def openings(home: Path) -> list[float]:
    """Seconds of each opening of the store."""
    config = load_config(home)
    taken = []
    for _ in range(OPENINGS):
        with ExitStack() as opened:
            begun = time.perf_counter()
            opened.enter_context(open_store(config.store_path, read_key(config.key_file)))
            taken.append(time.perf_counter() - begun)
    return taken


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("task", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--begun", type=int)
    options = parser.parse_args()
    options.out.write_text(json.dumps(measure(Task.read(options.task))))
