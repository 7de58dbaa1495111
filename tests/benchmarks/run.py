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

import planning
import presentable
import region
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
    shown = presentable.main()
    out.print(
        f"Presentable tables of {shown['cells']:,} cells in {shown['seconds']:.1f} s, "
        f"{shown['ratio']:.1f} times the reconstruction (limit {shown['limit']}); error "
        f"{shown['mean_error_ratio']:.2f} times the unbiased, at most "
        f"{shown['largest_error_ratio']:.2f}"
    )
    (RESULTS / "presentable.json").write_text(json.dumps(shown, indent=2))
    out.print("Planning rounds over 1,000 areas, 5 bands, 6 age groups, 12 binary factors:")
    plans = planning.main()
    table = Table("Ways", "Councils", "Objective", "Marginals", "Plan s", "Forecast s", "Limit s")
    for case in plans:
        table.add_row(
            str(case["ways"]),
            str(case["councils"]),
            case["objective"],
            str(case["marginals"]),
            f"{case['plan_seconds']:.2f}",
            f"{case['forecast_seconds']:.2f}",
            str(case["limit_seconds"]),
        )
    out.print(table)
    (RESULTS / "planning.json").write_text(json.dumps(plans, indent=2))
    scoring = Path(__file__).with_name("scoring.py")
    subprocess.run([sys.executable, str(scoring), "--out", str(RESULTS)], check=True)
    out.print("Commands, from start to end of --help, against a Python that starts and ends:")
    measured = region.main()
    starts = Table("Command", "Seconds", "Ratio")
    for name, taken in measured["start_seconds"].items():
        starts.add_row(name, f"{taken:.2f}", f"{taken / measured['start_seconds']['python']:.0f}")
    out.print(starts)
    out.print(
        f"A region of ten councils, two rounds: {measured['region_seconds']:.0f} s "
        f"(at most {measured['limit_seconds']} s on two processors)"
    )
    (RESULTS / "region.json").write_text(json.dumps(measured, indent=2))


if __name__ == "__main__":
    main()
