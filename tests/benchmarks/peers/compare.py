"""`make bench-peers`: one private histogram of 1,000 cells over 1,000,000 households.

Ours, from its encrypted store to the stored release, against six peers and the floor (one
column read and counted, one call of OpenDP's sampler), all at the same loss. `losses` says
how the loss is made equal, `runners` what each does. README.md says how to read the table.

Each contender runs in fresh processes, one after the other, and in turn with the others, so
that a busy minute of the machine meets all. Whoever cannot be installed or run is listed
with the reason, and the rest goes on. The exit code is 1 if ours is slower than it should be
or has another error than bare OpenDP at the same loss, see `verdict`.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import platform
import statistics
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import psutil
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from peers.cells import CELLS
from peers.contenders import CONTENDERS, FLOOR, OURS, Contender
from peers.data import EMPTY_CELLS, MAX_SMALL, SMALL_CELLS, score_households, write_households
from peers.environments import Unavailable, python_of, version_of
from peers.losses import Losses, laplace_error, rho_of_pure
from peers.process import run_module
from peers.task import Task
from peers.verdict import RATIO_LIMIT, Verdict, absolute_errors

from folkmoot.privacy import Delta, Rho

ROOT = Path(__file__).resolve().parents[3]
HOUSEHOLDS = 1_000_000
RHO = Rho.of("0.1")
DELTA = Delta.of("1e-6")
SEED = 1
ROUNDS = 3
"""Fresh processes of each contender."""
RUNS = 6
"""Histograms in each, the first among them."""
PAIRS = 41
_MIB = 2**20


@dataclass
class Row:
    """What was measured of one contender.

    Attributes:
        contender: Who.
        python: Its interpreter; None if it cannot be run.
        version: Of its distribution.
        cold: Seconds from the start of a fresh process to its first histogram.
        warm: Seconds of each histogram after that.
        peak: Bytes, of each process.
        errors: Absolute errors of the cells that were released.
        kept: Cells that were released, of each histogram.
        reason: Why it was not run, or stopped; empty if it was.
    """

    contender: Contender
    python: Path | None = None
    version: str = ""
    cold: list[float] = field(default_factory=list)
    warm: list[float] = field(default_factory=list)
    peak: list[int] = field(default_factory=list)
    errors: list[npt.NDArray[np.float64]] = field(default_factory=list)
    kept: list[int] = field(default_factory=list)
    reason: str = ""

    @property
    def error(self) -> float:
        """Mean absolute error of the cells that were released, households."""
        return float(np.concatenate(self.errors).mean())

    def prepare(self, environments: Path) -> None:
        """Makes the environment."""
        try:
            self.python = python_of(self.contender, environments)
            self.version = version_of(self.contender.distribution, self.python)
        except Unavailable as error:
            self.reason = str(error)

    def measure(self, task: Task, exact: npt.NDArray[np.int64], folder: Path) -> None:
        """Runs one fresh process."""
        if self.reason or self.python is None:
            return
        try:
            outcome = run_module(
                f"peers.runners.{self.contender.runner}", self.python, task, folder
            )
        except Unavailable as error:
            self.reason = str(error)
            return
        first, *others = outcome.result["seconds"]
        self.cold.append(first)
        self.warm += others
        self.peak.append(outcome.peak)
        histograms = [
            {int(cell): value for cell, value in made.items()}
            for made in outcome.result["histograms"]
        ]
        self.errors.append(absolute_errors(histograms, exact))
        self.kept += [len(made) for made in histograms]

    def as_json(self, losses: Losses) -> dict[str, Any]:
        """For the results."""
        described = {
            "name": self.contender.name,
            "distribution": self.contender.distribution,
            "version": self.version,
            "loss": self.contender.loss(losses),
        }
        if self.reason:
            return {**described, "not_run": self.reason}
        return {
            **described,
            "cold_seconds": self.cold,
            "warm_seconds": self.warm,
            "peak_bytes": self.peak,
            "mean_absolute_error": self.error,
            "expected_error": self.contender.expected_error(losses),
            "cells_released": self.kept,
        }


def task_in(folder: Path, data: Path, home: Path, losses: Losses, runs: int) -> Task:
    """A task with an empty folder of its own."""
    scratch = folder / "scratch"
    scratch.mkdir(parents=True)
    return Task(
        data=str(data), home=str(home), scratch=str(scratch), cells=CELLS, runs=runs,
        rho=losses.rho, delta=losses.delta, epsilon=losses.epsilon,
        pure_epsilon=losses.pure_epsilon,
    )  # fmt: skip


def measure(
    contenders: tuple[Contender, ...],
    households: int,
    rounds: int,
    environments: Path,
    losses: Losses,
    out: Console,
) -> tuple[list[Row], dict[str, Any], npt.NDArray[np.int64]]:
    """Makes the data, runs everybody in turn, then the alternated pairs.

    Returns:
        A row for each contender; what `paired` wrote; the exact counts.
    """
    rows = [Row(contender) for contender in contenders]
    for row in rows:
        out.print(f"Preparing {row.contender.name} ...", style="dim")
        row.prepare(environments)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        data, home = folder / "extracts" / "households.parquet", folder / "home"
        data.parent.mkdir()
        exact = write_households(data, households, SEED)
        score_households(home, data)
        for number in range(rounds):
            for row in rows:
                out.print(f"Round {number + 1}: {row.contender.name} ...", style="dim")
                here = folder / f"{row.contender.runner}-{number}"
                row.measure(task_in(here, data, home, losses, RUNS), exact, here)
        out.print("Alternated pairs ...", style="dim")
        here = folder / "paired"
        task = task_in(here, data, home, losses, PAIRS)
        paired = run_module("peers.paired", Path(sys.executable), task, here).result
    return rows, paired, exact


def failures(rows: list[Row], verdict: Verdict) -> list[str]:
    """What is not as it should be with ours; empty if all is well."""
    found = verdict.failures()
    for row in rows:
        if row.contender.name in {OURS, FLOOR} and row.reason:
            found.append(f"{row.contender.name}: {row.reason}")
        elif row.contender.name == OURS and min(row.kept) != CELLS:
            found.append(f"ours released {min(row.kept)} of {CELLS} cells")
    return found


def print_table(rows: list[Row], losses: Losses, out: Console) -> None:
    """Prints the table and what it is about."""
    floor = next((row for row in rows if row.contender.name == FLOOR and not row.reason), None)
    table = Table(
        "", "Version", "Loss", "Cold s", "Warm s", "x floor", "Peak MiB", "Error", "Formula",
        "Keys",
    )  # fmt: skip
    for row in rows:
        if row.reason:
            table.add_row(row.contender.name, row.version, row.contender.loss(losses), "not run")
            continue
        warm = statistics.median(row.warm)
        expected = row.contender.expected_error(losses)
        kept = sorted({min(row.kept), max(row.kept)})
        table.add_row(
            row.contender.name,
            row.version,
            row.contender.loss(losses),
            f"{statistics.median(row.cold):.2f}",
            f"{warm:.3f}",
            f"{warm / statistics.median(floor.warm):.1f}" if floor else "",
            f"{max(row.peak) / _MIB:,.0f}",
            f"{row.error:.2f}",
            f"{expected:.2f}" if expected is not None else "",
            "-".join(map(str, kept)),
        )
    out.print(table)
    for row in rows:
        if row.reason:
            out.print(f"{row.contender.name} was not run: {row.reason}", style="yellow")


def print_notes(losses: Losses, out: Console) -> None:
    """Prints how the loss was made equal."""
    out.print(
        f"Equal loss: rho {losses.rho:g} for one household added or removed. Peers that account "
        f"in zCDP are given rho. Those with Gaussian noise that account in approximate DP are "
        f"given ({losses.epsilon:.3f}, {losses.delta:g}), its conversion. Those with pure DP "
        f"alone are given epsilon {losses.pure_epsilon:.3f} = sqrt(2 rho), the largest that "
        f"implies rho. At epsilon {losses.epsilon:.3f}, which is equal as an (epsilon, delta) "
        f"statement, their error would be {laplace_error(losses.epsilon):.2f}, and their loss "
        f"rho {rho_of_pure(losses.epsilon):.2f}."
    )
    out.print(
        "Cold is from the start of a fresh process to the first histogram, warm each one after "
        "it (medians). Error is the mean absolute error of the released cells, in households; "
        "Formula is that of discrete noise at the loss. Keys are the "
        f"cells released of {CELLS:,}, of which {EMPTY_CELLS} are empty and {SMALL_CELLS} have "
        f"1 to {MAX_SMALL} households."
    )


def print_verdict(verdict: Verdict, open_store: float, out: Console) -> None:
    """Prints ours against the floor."""
    out.print(
        f"Ours to the floor, median of {PAIRS} alternated pairs in one process: "
        f"{verdict.ratio:.2f} on one thread, {verdict.ratio_as_configured:.2f} as configured "
        f"(at most {RATIO_LIMIT}), {verdict.processor_ratio:.2f} in processor time. "
        f"Root mean squared error {verdict.error:.3f} and {verdict.floor_error:.3f}, "
        f"{verdict.deviations:+.1f} standard errors apart. A node also opens its store for "
        f"each round: {open_store * 1000:.0f} ms, not in these ratios."
    )


def main() -> int:
    """Runs the benchmark; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--households", type=int, default=HOUSEHOLDS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument(
        "--only", nargs="+", default=[], metavar="RUNNER",
        choices=[contender.runner for contender in CONTENDERS],
        help="these beside ours and the floor",
    )  # fmt: skip
    parser.add_argument("--environments", type=Path, default=ROOT / ".venv-peers")
    parser.add_argument("--out", type=Path, default=ROOT / "bench-results")
    options = parser.parse_args()
    # Without a terminal Rich takes 80 columns, too few for the table.
    out = Console(width=None if sys.stdout.isatty() else 120)
    chosen = tuple(
        contender
        for contender in CONTENDERS
        if not options.only or contender.runner in options.only or contender.name in {OURS, FLOOR}
    )
    losses = Losses.of(RHO, DELTA)
    rows, paired, exact = measure(
        chosen, options.households, options.rounds, options.environments.resolve(), losses, out
    )
    load, processors = os.getloadavg()[1], os.cpu_count() or 1
    verdict = Verdict.of(paired, exact)
    open_store = statistics.median(paired["open_store"])
    print_table(rows, losses, out)
    print_notes(losses, out)
    print_verdict(verdict, open_store, out)
    if load > processors + 1:
        out.print(
            f"The machine was busy: {load:.1f} processes wanted {processors} processors. Run it "
            "again when nothing else does; ours waits for threads and disk, the floor does not.",
            style="yellow",
        )
    wrong = failures(rows, verdict)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "peers.json").write_text(
        json.dumps(
            {
                "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
                "machine": {
                    "processors": processors,
                    "load_five_minutes": load,
                    "memory_bytes": psutil.virtual_memory().total,
                    "system": platform.platform(),
                    "python": platform.python_version(),
                },
                "households": options.households,
                "cells": CELLS,
                "empty_cells": int((exact == 0).sum()),
                "small_cells": int(((exact > 0) & (exact <= MAX_SMALL)).sum()),
                "losses": losses.as_json(),
                "contenders": [row.as_json(losses) for row in rows],
                "pairs": {
                    **verdict.as_json(),
                    "seconds": paired["seconds"],
                    "processor_seconds": paired["processor_seconds"],
                },
                "open_store_seconds": open_store,
                "failures": wrong,
            },
            indent=2,
        )
        + "\n"
    )
    for failure in wrong:
        out.print(f"Not as it should be: {failure}", style="bold red")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
