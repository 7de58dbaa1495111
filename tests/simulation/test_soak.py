"""A region of real processes that are killed, stopped, cut off and refused the disk for long.

No round may be lost: when the trouble is over, each council has answered each round once, and
what its receipts say agrees with its ledger. What was spared and ran all the time must not grow.
`make soak` runs 40 nodes for an hour; CI runs three for less than a minute.
"""

from __future__ import annotations

import json
import math
import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
import pytest
from cut_wires import CutWire
from region import BURY, TRAFFORD, Node, Region, script
from small_disks import SmallDisk

from tests.hostile_disks import mounts_are_possible

pytestmark = [pytest.mark.slow, pytest.mark.timeout(0)]

MINUTES = float(os.environ.get("SOAK_MINUTES", "0.5"))
NODES = int(os.environ.get("SOAK_NODES", "3"))
SEED = int(os.environ.get("SOAK_SEED", "1"))
COUNCILS = [TRAFFORD, BURY, *(f"E09{number:06d}" for number in range(1, 34))]
COUNCILS += [f"E08{number:06d}" for number in (1, 3, 4, 5, 6, 7, 8, 10)]
MANY = 10
SPARED = 1 if NODES < MANY else 4
"""Nodes of whom nobody kills the process: their memory is measured."""
NEEDS_A_PERSON = {3, 5, 7}
"""Exit codes after which the units start a service no more."""
GROWTH = 40.0
"""MiB an hour by which a process may grow, when measured for an hour."""
LIVES = 0.004 if MINUTES > 5 else 0.0015
"""Days for which certificates are valid: minutes, so that all are renewed, some many times."""
LEAST_TO_MEASURE = 20.0
"""Minutes below which growth is told and not judged: caches fill."""


@dataclass
class Process:
    """A server that is started again when it ends, as systemd would."""

    name: str
    arguments: list[str]
    log: Path
    child: subprocess.Popen[bytes] | None = None
    again_at: float = 0.0
    started: int = 0
    memory: list[tuple[float, float]] = field(default_factory=list)

    def look(self, now: float) -> None:
        """Starts it if it is time, and fails the test if it ended for good."""
        if self.child is not None and (code := self.child.poll()) is not None:
            assert code not in NEEDS_A_PERSON, f"{self.name} ended with {code}\n{self.tail()}"
            self.child, self.again_at = None, now + 1
        if self.child is None and now >= self.again_at:
            with self.log.open("ab") as log:
                self.child = subprocess.Popen(self.arguments, stdout=log, stderr=log)
            self.started += 1

    def kill(self, now: float, away: float) -> None:
        if self.child is not None:
            children = psutil.Process(self.child.pid).children(recursive=True)
            self.child.kill()
            self.child.wait()
            psutil.wait_procs(children, timeout=60)  # they keep its ports until they notice
            self.child, self.again_at = None, now + away

    def halt(self) -> None:
        if self.child is not None:
            self.child.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        if self.child is not None:
            self.child.send_signal(signal.SIGCONT)

    def stop(self) -> None:
        if self.child is not None:
            self.go_on()
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(60)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
            self.child = None

    def measure(self, now: float) -> None:
        if self.child is not None and self.child.poll() is None:
            with psutil.Process(self.child.pid).oneshot():
                used = psutil.Process(self.child.pid).memory_info().rss / 2**20
            self.memory.append((now, used))

    def growth(self, share: float = 1 / 2) -> float:
        """MiB an hour, by a line through what was measured in the last half, or other share."""
        later = np.array(self.memory[-math.ceil(len(self.memory) * share) :])
        slope = np.polynomial.polynomial.polyfit(later[:, 0] - later[0, 0], later[:, 1], 1)[1]
        return float(slope * 3600)

    def tail(self) -> str:
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])


class OnADisk(Region):
    """A region whose commands see its small disk."""

    disk: SmallDisk | None = None

    def run(self, *arguments: object, expect: int | None = 0) -> str:
        if self.disk is None:
            return super().run(*arguments, expect=expect)
        words = [*self.disk.inside, script("folkmoot-coordinator"), *map(str, arguments)]
        done = subprocess.run(
            [*words, "--home", str(self.home)], capture_output=True, text=True, check=False
        )
        assert done.returncode == expect, done.stderr
        return done.stdout


class Soak:
    """The region, its processes, and the trouble that they get into."""

    def __init__(self, region: OnADisk, nodes: dict[str, Node], wire: CutWire) -> None:
        self.region, self.nodes, self.wire = region, nodes, wire
        self.random = random.Random(SEED)
        self.spared = list(nodes)[:SPARED]
        self.done: Counter[str] = Counter()
        self.disks: dict[str, SmallDisk] = {}
        if not mounts_are_possible():
            region.disk = self.disks["coordinator"] = SmallDisk(region.home, 64)
            for council in list(nodes)[SPARED : 2 * SPARED]:
                self.disks[council] = SmallDisk(nodes[council].home, 64)
        self.coordinator = self._process(
            "coordinator", "folkmoot-coordinator", "serve", "--home", region.home
        )
        poll = 1 if len(nodes) < MANY else 12
        self.serving = {
            council: self._process(
                council, "folkmoot-node", "serve", "--home", node.home, "--poll-seconds", poll
            )
            for council, node in nodes.items()
        }
        self._ends: list[tuple[float, Callable[[], None]]] = []
        self._kinds: list[str] = []

    def _process(self, name: str, program: str, *arguments: object) -> Process:
        return Process(
            name,
            [*self.inside(name), script(program), *map(str, arguments)],
            self.region.folder / f"soak-{name}.log",
        )

    def inside(self, name: str) -> list[str]:
        """Words before a command of a council, or of the coordinator, by which it sees its disk."""
        return self.disks[name].inside if name in self.disks else []

    @property
    def processes(self) -> list[Process]:
        return [self.coordinator, *self.serving.values()]

    def trouble(self, now: float, *, may_kill_coordinator: bool) -> None:
        """Something happens to somebody; what is to end later is noted."""
        victim = self.serving[self.random.choice(list(self.nodes)[SPARED:])]
        if not self._kinds:  # each comes in turn, in another order each time
            self._kinds = ["node killed", "node halted", "wire cut"]
            self._kinds += ["disk full"] * bool(self.disks)
            self._kinds += ["coordinator killed"] * may_kill_coordinator
            self.random.shuffle(self._kinds)
        kind = self._kinds.pop()
        lasts = self.random.uniform(0.5, 6)
        match kind:
            case "node killed":
                victim.kill(now, lasts)
            case "coordinator killed":
                self.coordinator.kill(now, lasts)
            case "wire cut":
                self.wire.cut()
                self._ends.append((now + lasts, self.wire.mend))
            case "node halted":
                victim.halt()
                self._ends.append((now + lasts, victim.go_on))
            case "disk full":
                disk = self.random.choice(list(self.disks.values()))
                disk.fill()
                self._ends.append((now + lasts, disk.free))
        self.done[kind] += 1

    def is_full(self, name: str) -> bool:
        """Whether the disk of a council, or of the coordinator, takes no more."""
        return name in self.disks and self.disks[name].is_full

    def relieve(self, now: float) -> None:
        """Ends the trouble whose time is over."""
        over = [end for end in self._ends if end[0] <= now]
        for end in over:
            self._ends.remove(end)
            end[1]()

    def relieve_all(self) -> None:
        self.relieve(float("inf"))

    def turn(self) -> None:
        """Looks at every process once, and waits a moment."""
        now = time.monotonic()
        for process in self.processes:
            process.look(now)
        self.relieve(now)
        time.sleep(0.2)


@pytest.fixture
def soak(tmp_path: Path) -> Iterator[Soak]:
    region = OnADisk(tmp_path)
    settings = region.home / "coordinator.toml"
    text = settings.read_text()
    for key, days in (("node_days", 30), ("server_days", 90)):
        assert f"{key} = {days}" in text
        text = text.replace(f"{key} = {days}", f"{key} = {LIVES}")
    settings.write_text(text)
    region.start()
    with CutWire(region.ports[0]) as wire:
        nodes = {}
        for council in COUNCILS[:NODES]:
            node = nodes[council] = region.new_node(council, per_period="2", lifetime="4")
            settings = node.home / "node.toml"
            text = settings.read_text()
            before = f"127.0.0.1:{region.ports[0]}"
            assert before in text
            settings.write_text(
                text.replace(before, f"127.0.0.1:{wire.port}") + "\n[prefect]\nenabled = false\n"
            )
        region.stop()
        soak = Soak(region, nodes, wire)
        try:
            yield soak
        finally:
            soak.relieve_all()
            for process in soak.processes:
                process.stop()
            for disk in soak.disks.values():
                disk.close()


def test_no_round_is_lost_and_nothing_grows(soak: Soak) -> None:
    begun = time.monotonic()
    seconds = MINUTES * 60
    every = max(4.0, seconds / 200)
    rounds: list[str] = []
    next_round = next_trouble = begun + 5
    next_measure = begun
    while (now := time.monotonic()) < begun + seconds:
        soak.turn()
        if now >= next_round and not soak.is_full("coordinator"):
            rounds.append(soak.region.open_round(list(soak.nodes), deadline_hours=48, rho=0.002))
            next_round = now + every
        if now >= next_trouble:
            soak.trouble(now, may_kill_coordinator=now < begun + seconds / 2)
            next_trouble = now + soak.random.uniform(0.5, 3)
        if now >= next_measure:
            for process in (soak.coordinator, *(soak.serving[one] for one in soak.spared)):
                process.measure(now)
            next_measure = now + max(1.0, seconds / 600)

    soak.relieve_all()
    everybody_answers(soak, rounds)
    what_was_received_is_what_was_spent(soak, rounds)
    memory_is_flat(soak)
    print(f"{len(rounds)} rounds, {NODES} nodes, {MINUTES:g} minutes: {dict(soak.done)}")
    assert len(soak.done) >= 4 or MINUTES < 0.5
    renewed = sum(one.log.read_text().count("certificate renewed") for one in soak.processes)
    assert renewed >= NODES or MINUTES < 5
    print(f"certificates renewed: {renewed}")
    print(f"started again: {sum(one.started - 1 for one in soak.processes)} times")


def everybody_answers(soak: Soak, rounds: list[str]) -> None:
    until = time.monotonic() + 120 + 2 * MINUTES * NODES
    open_ones = set(rounds)
    while open_ones:
        assert time.monotonic() < until, {
            one: soak.region.json("round", "show", one) for one in sorted(open_ones)
        }
        for _ in range(10):
            soak.turn()
        states = {one["round_id"]: one["state"] for one in soak.region.json("round", "list")}
        assert set(rounds) <= set(states)
        assert {states[one] for one in rounds} <= {"open", "complete"}
        open_ones = {one for one in rounds if states[one] == "open"}


def what_was_received_is_what_was_spent(soak: Soak, rounds: list[str]) -> None:
    for process in soak.processes:
        process.stop()
    for council, node in soak.nodes.items():
        words = ["folkmoot-node", "ledger", "verify", "--json", "--home", str(node.home)]
        words[0] = script(words[0])
        said = subprocess.run(
            [*soak.inside(council), *words], capture_output=True, text=True, check=False
        )
        assert said.returncode == 0, said.stderr
        assert json.loads(said.stdout)["answers"] == len(rounds), council
    for one in rounds:
        shown = soak.region.json("round", "show", one)
        assert {row["council"] for row in shown["councils"] if row["answer"] == "released"} == set(
            soak.nodes
        )


def memory_is_flat(soak: Soak) -> None:
    for process in (soak.coordinator, *(soak.serving[one] for one in soak.spared)):
        first, last = process.memory[len(process.memory) // 2][1], process.memory[-1][1]
        print(
            f"{process.name}: {first:.0f} to {last:.0f} MiB, {process.growth():+.1f} MiB an hour"
            f" in the second half, {process.growth(1 / 4):+.1f} in the last quarter"
        )
        if MINUTES >= LEAST_TO_MEASURE:
            assert process.growth() < GROWTH, process.memory
