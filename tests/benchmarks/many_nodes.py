"""Ten nodes on one machine: how soon they are there, how soon they answer, what they weigh.

The region is that of a rehearsal, small, and its homes go on being used: a real coordinator
and ten `folkmoot-node serve` in processes of their own, over mutual TLS on the loopback,
without Prefect. What is measured is the cost of being many, so the councils hold few
households. The time of a round is counted from before `round open` is run; on two processors
that command and ten nodes that ask twice a second share them.
"""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

from folkmoot_node.evidence.database import StateDatabase, system_clock
from folkmoot_node.evidence.egress_log import EgressLog
from folkmoot_node.evidence.outbox import AnswerKind, Outbox
from folkmoot_rehearsal.councils import region
from folkmoot_rehearsal.layout import Layout
from folkmoot_rehearsal.policies import AREAS_FILE, BANDS, POLICY_FILE, PURPOSE, areas_file
from folkmoot_rehearsal.processes import children as children_of

COUNCILS = 10
HOUSEHOLDS = 300
NUMBERS = 10_000
"""Whole numbers that each council releases: (bands + 1) times (areas + 1)."""
AREAS = NUMBERS // (len(BANDS) + 1) - 1
POLL_SECONDS = 0.5
LIMITS = {"start_seconds": 5.0, "round_seconds": 2.0, "pss_mib": 1024.0}
PATIENCE = 120.0
_LOOK = 0.02
_BIN = Path(sys.executable).parent


def command(name: str, *arguments: str) -> Any:
    """Runs a command that prints JSON."""
    done = subprocess.run(
        [str(_BIN / name), *arguments, "--json"], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


@contextmanager
def serving(home: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A node that serves, until it is left."""
    command = [str(_BIN / "folkmoot-node"), "serve", "--home", str(home)]
    with (home / "bench.log").open("ab") as log:
        child = subprocess.Popen(
            [*command, "--poll-seconds", str(POLL_SECONDS)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        yield child
    finally:
        child.terminate()
        try:
            child.wait(20)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def seconds_until(
    done: Callable[[Path], bool], homes: list[Path], children: list[subprocess.Popen[bytes]]
) -> float:
    """Seconds until all homes are done; fails if a process ends or it takes too long."""
    begin = time.perf_counter()
    waiting = list(homes)
    while waiting:
        waiting = [home for home in waiting if not done(home)]
        for home, child in zip(homes, children, strict=True):
            if child.poll() is not None:
                raise RuntimeError(f"{home.name} ended: {(home / 'bench.log').read_text()}")
        if time.perf_counter() - begin > PATIENCE:
            raise RuntimeError(f"{len(waiting)} of {len(homes)} nodes are not done")
        time.sleep(_LOOK)
    return time.perf_counter() - begin


def visits(state: StateDatabase) -> int:
    """Times the node asked for rounds: a coordinator that answered what came before it."""
    departures = EgressLog(state, system_clock).departures()
    return sum(one.method.endswith("/ListRounds") for one in departures)


def has_receipt(state: StateDatabase, round_id: str) -> bool:
    """True once the node holds the receipt for its release."""
    answer = Outbox(state).find(round_id)
    if answer is None:
        return False
    if answer.kind is not AnswerKind.RELEASE:
        raise RuntimeError(f"a node refused: {answer.reason}")
    return answer.receipt is not None


def round_file(layout: Layout, codes: list[str]) -> Path:
    """A round of `NUMBERS` whole numbers; the areas that a council has not are invented."""
    with (layout.rounds / AREAS_FILE).open(newline="", encoding="utf-8") as file:
        real = [(row["council"], row["area"]) for row in csv.DictReader(file)]
    areas = {}
    for number, code in enumerate(codes):
        own = [area for council, area in real if council == code]
        areas[code] = (own + [f"X{number}.{at}" for at in range(AREAS)])[:AREAS]
    (layout.rounds / "many.csv").write_text(areas_file(areas), "utf-8")
    path = layout.rounds / "many.toml"
    listed = ", ".join(f'"{band}"' for band in BANDS)
    path.write_text(
        f"""\
title = "Many numbers"
purpose = "{PURPOSE}"
policy = "{POLICY_FILE}"
councils = "all"
minimum_councils = 1
rho = 0.001
delta = 1e-6
deadline_minutes = 60

[[attributes]]
name = "band"
codes = [{listed}]

[[attributes]]
name = "lsoa"
areas = "many.csv"

[[marginals]]
attributes = ["band", "lsoa"]
""",
        "utf-8",
    )
    return path


def main(folder: Path | None = None) -> dict[str, Any]:
    """Measures start, round and memory.

    Args:
        folder: Of a rehearsal that has ended, to be used again; one is made if it is missing.
    """
    with ExitStack() as stack:
        layout = Layout(folder or Path(stack.enter_context(tempfile.TemporaryDirectory())))
        councils = region(COUNCILS)
        if folder is None:
            command(
                "folkmoot-rehearse", "--councils", str(COUNCILS), "--households", str(HOUSEHOLDS),
                "--seed", "7", "--out", str(layout.root / "region"),
            )  # fmt: skip
            layout = Layout(layout.root / "region")
        homes = [layout.home(council) for council in councils]
        for home in homes:
            settings = (home / "node.toml").read_text("utf-8")
            if "[prefect]" not in settings.splitlines():
                (home / "node.toml").write_text(
                    settings + "\n[prefect]\nenabled = false\n", "utf-8"
                )
        asked = round_file(layout, [council.code for council in councils])
        # This waits until it serves; a node that came too early would back off.
        stack.enter_context(children_of(layout.logs)).serve_coordinator(layout.coordinator)
        states = {home: stack.enter_context(StateDatabase(home / "state.sqlite")) for home in homes}
        before = {home: visits(states[home]) for home in homes}
        begin = time.perf_counter()
        children = [stack.enter_context(serving(home)) for home in homes]
        seconds_until(lambda home: visits(states[home]) > before[home], homes, children)
        started, starting = time.perf_counter() - begin, processor_seconds(children)
        time.sleep(5)  # what they do once they are started is done
        idle, before_round = pss(children), processor_seconds(children)
        begin = time.perf_counter()
        opened = command(
            "folkmoot-coordinator", "round", "open", str(asked), "--home", str(layout.coordinator)
        )
        opening = time.perf_counter() - begin
        seconds_until(lambda home: has_receipt(states[home], opened["round_id"]), homes, children)
        answered = time.perf_counter() - begin
        answering = processor_seconds(children) - before_round
        return {
            "councils": COUNCILS,
            "households": HOUSEHOLDS,
            "numbers": NUMBERS,
            "processors": os.cpu_count(),
            "load_before": os.getloadavg()[0],
            "start_seconds": started,
            "start_processor_seconds": starting,
            "open_seconds": opening,
            "round_seconds": answered,
            "round_processor_seconds": answering,
            "idle_pss_mib": idle,
            "pss_mib": pss(children),
            "limits": LIMITS,
        }


def processor_seconds(children: list[subprocess.Popen[bytes]]) -> float:
    """Processor time of the processes so far, seconds."""
    times = [psutil.Process(child.pid).cpu_times() for child in children]
    return sum(one.user + one.system for one in times)


def pss(children: list[subprocess.Popen[bytes]]) -> float:
    """Memory of processes and those they started, MiB: what they share counts once."""
    total = 0
    for child in children:
        parent = psutil.Process(child.pid)
        for process in (parent, *parent.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):  # ended meanwhile
                total += process.memory_full_info().pss
    return total / 2**20


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]) if sys.argv[1:] else None), indent=2))
