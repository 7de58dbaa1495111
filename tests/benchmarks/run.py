"""`make bench`: every benchmark in one run, as ratios; results also as JSON.

Nothing here passes or fails by the clock: each figure is a ratio to a floor that was measured
in the same run, shown beside its limit.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parent))

import release

RESULTS = Path(__file__).resolve().parents[2] / "bench-results"


def main() -> None:
    """Runs all benchmarks and prints their ratios."""
    out = Console()
    RESULTS.mkdir(exist_ok=True)
    out.print("Releasing, from exact counts to the stored payload, against bare OpenDP:")
    releases = release.main()
    table = Table("Cells", "Bare µs a cell", "One thread", "Two threads", "Limit")
    for case in releases:
        table.add_row(
            f"{case['cells']:,}",
            f"{case['microseconds_a_cell_bare']:.1f}",
            f"{case['ratio_one_thread']:.2f}",
            f"{case['ratio_two_threads']:.2f}",
            f"{case['limit']}",
        )
    out.print(table)
    (RESULTS / "release.json").write_text(json.dumps(releases, indent=2))
    scoring = Path(__file__).with_name("scoring.py")
    subprocess.run([sys.executable, str(scoring), "--out", str(RESULTS)], check=True)


if __name__ == "__main__":
    main()
