"""Runs a contender in a fresh process, and watches its memory and that of its children."""

from __future__ import annotations

import json
import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from peers.environments import Unavailable, why
from peers.task import Task, begun_at

EVERY = 0.05
"""Seconds between looks at memory."""
MAX_SECONDS = 900
_BENCHMARKS = Path(__file__).resolve().parents[1]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a process did.

    Attributes:
        result: What it wrote.
        peak: Most resident memory at once, bytes, summed over the process and all below it.
            Pages that processes share count in each.
    """

    result: dict[str, Any]
    peak: int


def run_module(module: str, python: Path, task: Task, folder: Path) -> Outcome:
    """Runs a module of this package that reads a task and writes a result.

    Args:
        module: For example `peers.runners.ours`.
        python: Its interpreter.
        task: The task.
        folder: Empty folder for task, result and what the process prints.

    Raises:
        Unavailable: If it fails or does not end in `MAX_SECONDS`.
    """
    task_file, result_file, log = folder / "task.json", folder / "result.json", folder / "log.txt"
    task.write(task_file)
    with log.open("w") as stream:
        process = psutil.Popen(
            [
                str(python), "-m", module, str(task_file), str(result_file),
                "--begun", str(begun_at()),
            ],
            env=os.environ | {"PYTHONPATH": str(_BENCHMARKS)},
            cwd=folder,
            stdout=stream,
            stderr=subprocess.STDOUT,
        )  # fmt: skip
        peak = _watch(process)
    if process.returncode != 0:
        raise Unavailable(f"failed: {why(log.read_text(errors='replace'))}")
    result = json.loads(result_file.read_text())
    return Outcome(result, max(peak, result.get("peak", 0)))


def _watch(process: psutil.Popen) -> int:
    """Waits for the end; returns the peak of resident memory in bytes."""
    peak = 0
    last = time.monotonic() + MAX_SECONDS
    while process.poll() is None:
        if time.monotonic() > last:
            end(process)
            raise Unavailable(f"did not end in {MAX_SECONDS} s")
        peak = max(peak, resident(process))
        time.sleep(EVERY)
    return peak


def resident(process: psutil.Process) -> int:
    """Resident memory of a process and all below it, bytes; 0 once it has ended."""
    total = 0
    try:
        for one in (process, *process.children(recursive=True)):
            total += one.memory_info().rss
    except psutil.Error:  # one has ended meanwhile
        pass
    return total


def end(process: psutil.Process) -> None:
    """Ends a process and all below it."""
    try:
        below = process.children(recursive=True)
    except psutil.NoSuchProcess:
        return
    for one in (*below, process):
        try:
            one.kill()
        except psutil.NoSuchProcess:
            continue
    process.wait()
