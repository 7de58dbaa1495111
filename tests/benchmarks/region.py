"""A whole region on this machine, and how long commands take to begin.

The floor of a command is a Python that starts and ends. The region is that of `make demo`:
ten councils of 5,000 households, two rounds, some sixty processes.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

REPEATS = 5
LIMIT_SECONDS = 60
COMMANDS = ("folkmoot-node", "folkmoot-coordinator", "folkmoot-rehearse", "folkmoot-plugin")


def seconds(command: list[str]) -> float:
    """Wall-clock seconds of a command that succeeds."""
    begin = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - begin


def main() -> dict[str, Any]:
    """Measures start-up and region."""
    beside = Path(sys.executable).parent
    starts: dict[str, list[float]] = {name: [] for name in ("python", *COMMANDS)}
    for _ in range(REPEATS):
        starts["python"].append(seconds([sys.executable, "-c", "pass"]))
        for name in COMMANDS:
            starts[name].append(seconds([str(beside / name), "--help"]))
    medians = {name: statistics.median(values) for name, values in starts.items()}
    with tempfile.TemporaryDirectory() as folder:
        region = seconds(
            [
                str(beside / "folkmoot-rehearse"), "--councils", "10", "--households", "5000",
                "--seed", "7", "--out", str(Path(folder) / "region"), "--json",
            ]
        )  # fmt: skip
    return {"start_seconds": medians, "region_seconds": region, "limit_seconds": LIMIT_SECONDS}


if __name__ == "__main__":
    print(json.dumps(main(), indent=2))
