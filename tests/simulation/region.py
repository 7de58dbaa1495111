"""A small real region for tests: coordinator and nodes as processes, mutual TLS, files."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import psutil

from tests.commands import run_inside
from tests.forked_commands import run_forked
from tests.ports import free_port

TRAFFORD = "E08000009"
BURY = "E08000002"
NAMES = {TRAFFORD: "Trafford", BURY: "Bury"}
AREAS = {
    TRAFFORD: ("E01900901", "E01900902", "E01900903"),
    BURY: ("E01900201", "E01900202"),
}

MAPPING = """\
schema = 1
name = "council_tax"
level = "household"
supplier = "Revenues"
files = ["council_tax.csv"]
uprn = "UPRN"

[fields.council_tax_arrears]
column = "Arrears"
type = "number"
combine = "sum"
category = "finance"
unit = "GBP"
minimum = 0
absent = 0

[fields.council_tax_support]
column = "Support"
type = "boolean"
true = ["Y"]
false = ["N"]
combine = "any"
category = "finance"
absent = false

[fields.lsoa]
column = "LSOA"
type = "area"
combine = "first"
category = "geography"
"""

RISK_POLICY = """\
schema = 1
name = "Test policy"
purpose = "winter_support"
legal_basis = "A test"
owner = "A tester"
sunset = 2099-12-31

[[factors]]
factor = "financial_hardship"
weight = 100

[[bands]]
name = "none"
from = 0
action = "Nothing"

[[bands]]
name = "high"
from = 40
action = "Telephone"

[attributes.lsoa]
field = "lsoa"
"""

SETTINGS = ("coordinator.toml", "node.toml")

SOURCES = """
[[sources]]
name = "council_tax"
kind = "extracts"
[sources.options]
mapping = "mappings/council_tax.toml"
folder = "extracts"
"""


def areas_of(council: str) -> tuple[str, ...]:
    """The areas of a council; three of its own, if no test names any."""
    made_up = (f"E01{council[2]}{council[-2:]}{area:03d}" for area in (901, 902, 903))
    return AREAS.get(council) or tuple(made_up)


def eventually(what: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while True:
        found = what()
        if found:
            return found
        assert time.monotonic() < until, "did not come about"
        time.sleep(0.2)


def script(program: str) -> str:
    """Path of an installed command."""
    return str(Path(sys.executable).with_name(program))


def command(program: str, *arguments: object, expect: int | None = 0) -> str:
    """Runs a public command; returns its standard output."""
    done = subprocess.run(
        [script(program), *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    if expect is not None:
        assert done.returncode == expect, (
            f"{program} {arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
    return done.stdout if expect == 0 else done.stdout + done.stderr


def household_rows(council: str, households: int) -> list[str]:
    areas = areas_of(council)
    return [
        f"{10_000_000 + number},{(number % 7) * 400}.50,{'Y' if number % 3 == 0 else 'N'},"
        f"{areas[number % len(areas)]}"
        for number in range(households)
    ]


@dataclass
class Node:
    """One council's node."""

    home: Path

    def run(self, *arguments: object, expect: int | None = 0) -> str:
        """Runs a command of the node as a process of its own."""
        return run_forked("folkmoot-node", *arguments, "--home", self.home).said(expect)

    def run_anew(self, *arguments: object, expect: int | None = 0) -> str:
        """As `run`, in an interpreter of its own, which reads the environment."""
        return command("folkmoot-node", *arguments, "--home", self.home, expect=expect)

    def run_inside(self, *arguments: object) -> str:
        """Runs a command of the node in this process, where no test looks at the process."""
        return run_inside("folkmoot-node", *arguments, "--home", self.home).said()

    def json(self, *arguments: object, expect: int | None = 0) -> Any:
        return json.loads(self.run(*arguments, "--json", expect=expect))

    def write_extract(self, rows: Sequence[str]) -> None:
        text = "\n".join(["UPRN,Arrears,Support,LSOA", *rows]) + "\n"
        (self.home / "extracts" / "council_tax.csv").write_text(text, encoding="utf-8")


class Region:
    """A coordinator, and nodes made on demand.

    Attributes:
        folder: Where all of it lies.
        home: The coordinator's home.
        ports: Of collection and of enrolment.
        nodes: Homes of the nodes.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "coordinator"
        self.ports = (free_port(), free_port())
        self._process: subprocess.Popen[bytes] | None = None
        self.nodes: list[Path] = []
        self.run(
            "init", "--name", "Test region", "--host", "127.0.0.1",
            "--collection-port", self.ports[0], "--enrolment-port", self.ports[1],
        )  # fmt: skip

    @classmethod
    def copy_of(cls, original: Region, folder: Path) -> Self:
        """The same region, on ports of its own: keys, councils, rounds, and nodes of `new_node`.

        Args:
            original: Which is stopped.
            folder: Where the copy lies.
        """
        region = cls.__new__(cls)
        region.folder, region.home = folder, folder / "coordinator"
        region.ports = (free_port(), free_port())
        region._process = None
        for home in (original.home, *original.nodes):
            copy = folder / home.name
            shutil.copytree(home, copy)
            (settings,) = (copy / name for name in SETTINGS if (copy / name).exists())
            text = settings.read_text()
            for old, new in zip(original.ports, region.ports, strict=True):
                assert str(old) in text
                text = text.replace(str(old), str(new))
            settings.write_text(text)
        region.nodes = [folder / home.name for home in original.nodes]
        return region

    def start(self) -> None:
        log = (self.folder / "coordinator.log").open("ab")
        self._process = subprocess.Popen(
            [script("folkmoot-coordinator"), "serve", "--home", self.home],
            stdout=log,
            stderr=log,
        )
        log.close()
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                for port in self.ports:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
            except OSError:
                assert self._process.poll() is None, self.log()
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"the coordinator does not answer\n{self.log()}")

    def kill(self) -> None:
        """As by `kill -9`; those that it has started keep their ports until they notice."""
        assert self._process is not None
        children = psutil.Process(self._process.pid).children(recursive=True)
        self._process.kill()
        self._process.wait()
        self._process = None
        _, left = psutil.wait_procs(children, timeout=60)
        assert not left

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def log(self) -> str:
        return (self.folder / "coordinator.log").read_text()

    def run(self, *arguments: object, expect: int | None = 0) -> str:
        """Runs a command of the coordinator in this process, beside its server."""
        return run_inside("folkmoot-coordinator", *arguments, "--home", self.home).said(expect)

    def json(self, *arguments: object) -> Any:
        return json.loads(self.run(*arguments, "--json"))

    def invite(self, council: str) -> Path:
        self.run("invite", council, "--out", self.folder)
        return self.folder / f"invitation-{council}.toml"

    def new_node(
        self,
        council: str,
        *,
        per_round: str = "0.5",
        per_period: str = "1",
        lifetime: str = "2",
        households: int = 210,
    ) -> Node:
        """A node with settings, signed policy and extract, enrolled and scored."""
        node = Node(self.folder / council)
        node.run_inside(
            "init", "--council", council, "--name", NAMES.get(council, council),
            "--rho-per-round", per_round, "--rho-per-period", per_period,
            "--rho-lifetime", lifetime,
        )  # fmt: skip
        (node.home / "mappings" / "council_tax.toml").write_text(MAPPING)
        (node.home / "risk-policy.toml").write_text(RISK_POLICY)
        with (node.home / "node.toml").open("a") as file:
            file.write(SOURCES)
        policy = node.home / "release-policy.toml"
        policy.write_text(
            policy.read_text().replace("operator_approval = true", "operator_approval = false")
        )
        node.write_extract(household_rows(council, households))
        node.run_inside("policy", "sign", "--signer", "A tester")
        node.run_inside("enrol", self.invite(council))
        # Extracts of tests differ by more than a council would believe.
        accepted = ("--reason", "a test", "--until", "2099-12-31")
        node.run_inside("sources", "accept", "council_tax", *accepted)
        node.run_inside("score")
        self.nodes.append(node.home)
        return node

    def open_round(self, councils: Sequence[str], **changes: object) -> str:
        """Opens a round by band and area; returns its id."""
        values: dict[str, object] = {
            "title": "Test",
            "purpose": "winter_support",
            "policy": str(self.folder / councils[0] / "risk-policy.toml"),
            "minimum_councils": 1,
            "rho": 0.001,
            "delta": 1e-6,
            "deadline_hours": 1,
        }
        lines = [
            f"{key} = {json.dumps(value)}"
            for key, value in {**values, **changes}.items()
            if value is not None
        ]
        areas = self.folder / "areas.csv"
        areas.write_text(
            "council,area\n"
            + "".join(f"{council},{area}\n" for council in councils for area in areas_of(council))
        )
        lines += [
            f"councils = {json.dumps(list(councils))}",
            '[[attributes]]\nname = "band"\ncodes = ["none", "high"]',
            f'[[attributes]]\nname = "lsoa"\nareas = "{areas}"',
            '[[marginals]]\nattributes = ["band", "lsoa"]',
            '[[marginals]]\nattributes = ["band"]',
        ]
        file = self.folder / "round.toml"
        file.write_text("\n".join(lines) + "\n")
        round_id: str = self.json("round", "open", file)["round_id"]
        return round_id


def copy_node(node: Node, folder: Path) -> Node:
    """A copy of a node's files, as a backup would be."""
    shutil.copytree(node.home, folder)
    return Node(folder)
