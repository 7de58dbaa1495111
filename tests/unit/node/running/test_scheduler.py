"""What `serve` does beside its visits, without Prefect: scoring by the clock."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from folkmoot_node.answering.event import Event
from folkmoot_node.home import open_home
from folkmoot_node.operations.initialise import initialise
from folkmoot_node.operations.pausing import pause, resume
from folkmoot_node.running import scheduler
from folkmoot_node.running.scheduler import Background, background
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.problems import ExitCode, Problem

FIVE = 1_764_046_800  # 2025-11-25 05:00 in London
SETTINGS = """
[prefect]
enabled = false
[schedule]
score = "0 5 * * *"
[[sources]]
name = "council_tax"
kind = "extracts"
[sources.options]
mapping = "tax.toml"
"""
MAPPING = """\
schema = 1
name = "council_tax"
level = "household"
supplier = "Revenues"
files = ["tax.csv"]
uprn = "UPRN"
[fields.council_tax_arrears]
column = "Arrears"
type = "number"
combine = "sum"
category = "finance"
unit = "GBP"
[fields.council_tax_support]
column = "Support"
type = "boolean"
combine = "any"
category = "finance"
true = ["Y"]
false = ["N"]
"""
POLICY = """\
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
"""


@dataclass
class Node:
    """A node at a time that the test sets."""

    home: Path
    now: int = FIVE + 3600
    told: list[str] = field(default_factory=list)

    def write(self, settings: str) -> None:
        original = self.home / "node.toml"
        base = original.read_text().partition("# One table for each source")[0]
        original.write_text(base + settings)

    @contextmanager
    def background(self) -> Iterator[Background]:
        def report(event: Event) -> None:
            self.told.append(f"{'problem' if event.is_problem else 'info'}: {event.text}")

        self.told.clear()
        with open_home(self.home, clock=lambda: self.now) as home, background(home, report) as it:
            yield it

    def until(self, beside: Background, text: str) -> str:
        return attend(beside, lambda: [line for line in self.told if text in line])[0]


def attend(beside: Background, what: Callable[[], list[str]]) -> list[str]:
    until = time.monotonic() + 60
    while not (found := what()):
        assert time.monotonic() < until
        beside.attend()
        time.sleep(0.05)
    return found


@pytest.fixture
def node(tmp_path: Path) -> Node:
    home = tmp_path / "node"
    initialise(home, "E08000009", "Trafford", None, None, None)
    (home / "tax.toml").write_text(MAPPING)
    (home / "extracts" / "tax.csv").write_text("UPRN,Arrears,Support\n100012345678,250.00,N\n")
    (home / "risk-policy.toml").write_text(POLICY)
    node = Node(home)
    node.write(SETTINGS)
    return node


def test_scores_are_made_when_due_and_a_missed_time_is_made_up_once(node: Node) -> None:
    with node.background() as beside:
        assert "there are no scores yet" in node.told[0]
        node.until(beside, "info: scored")
        assert "next scoring at 2025-11-26T05:00+00:00" in node.told[-1]
        beside.attend()
        assert beside._scoring is None
    scored_at = int(time.time())  # by the clock of the process that scored
    node.now = scored_at + 60
    with node.background() as beside:
        assert "next scoring at" in node.told[0], "the scores are not older than planned"
    node.now = scored_at + 2 * 86_400
    with node.background() as beside:
        assert "older than planned" in node.told[0]
        node.until(beside, "info: scored")


def test_a_night_that_has_an_hour_twice_scores_once(node: Node) -> None:
    path = node.home / "node.toml"
    path.write_text(path.read_text().replace("0 5 * * *", "30 1 * * *"))
    first = 1_792_888_200  # 2026-10-25 01:30 in London, which comes again an hour later
    node.now = first
    with node.background() as beside:
        beside.attend()
        assert beside._scoring is not None
        node.now = first + 2_700  # the run ends at 01:15, after the clocks went back
        node.until(beside, "info: scored")
        assert "next scoring at 2026-10-26T01:30+00:00" in node.told[-1]
        node.now = first + 3_660
        beside.attend()
        assert beside._scoring is None


def test_a_clock_that_is_set_back_does_not_put_scoring_off(node: Node) -> None:
    with node.background() as beside:
        node.until(beside, "info: scored")
        node.now -= 300 * 86_400
        beside.attend()
        assert node.told[-2] == "info: the clock was set back"
        assert "next scoring at 2025-01-30T05:00+00:00" in node.told[-1]
        beside.attend()
        assert beside._scoring is None


def test_a_run_that_fails_waits_for_the_next_time(node: Node) -> None:
    (node.home / "extracts" / "tax.csv").write_text("UPRN,Arrears,Support\nx,y,z\n")
    with node.background() as beside:
        told = node.until(beside, "scoring failed")
        assert told.startswith(
            "problem: scoring failed (exit code 4); the last good scores stay. Rounds wait: "
        )
        assert "folkmoot-node rounds resume --reason" in told
        assert "next scoring at" in node.told[-1]


@pytest.mark.slow
def test_what_cannot_be_reached_is_tried_again_with_growing_waits(node: Node) -> None:
    text = (node.home / "node.toml").read_text().replace("[scoring]", '[scoring]\nengine = "dask"')
    (node.home / "node.toml").write_text(text + '[dask]\nscheduler = "tcp://127.0.0.1:9"\n')
    with node.background() as beside:
        waits = []
        for _ in range(2):
            told = node.until(beside, "could not reach")
            waits.append(float(told.split(" again in ")[1].split()[0]))
            node.told.clear()
            node.now += int(waits[-1]) + 1
    assert waits == [300, 600]


def test_a_process_that_still_runs_is_ended(node: Node) -> None:
    with node.background() as beside:
        beside.attend()
        child = beside._scoring
        assert child is not None
    assert child.poll() is not None


def test_workers_elsewhere_need_a_prefect_server_elsewhere(node: Node) -> None:
    text = (node.home / "node.toml").read_text().replace("[scoring]", '[scoring]\nengine = "dask"')
    text = text.replace("enabled = false", "enabled = true")
    files = 'ca_file = "a"\ncertificate = "b"\nkey = "c"\n'
    (node.home / "node.toml").write_text(
        f'{text}[dask]\nscheduler = "tls://d.example:8786"\n{files}'
    )
    told = "cannot reach the Prefect server"
    with pytest.raises(Problem, match=told) as caught, node.background():
        pass
    assert caught.value.exit_code is ExitCode.SETTINGS
    assert not (node.home / "prefect").exists()


def test_a_pause_ends_a_run_and_what_is_due_waits_for_its_end(
    node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scheduler, "WORKER", ("-c", "import time; time.sleep(600)"))
    with node.background() as beside:
        attend(beside, lambda: [line for line in node.told if "scoring starts" in line])
        child = beside._scoring
        assert child is not None
        with open_home(node.home) as other:
            pause(other, "we look into it", current_operator())
        assert "problem" in node.until(beside, "scoring was stopped")
        assert child.poll() is not None
        beside.attend()
        assert beside._scoring is None
        monkeypatch.undo()
        with open_home(node.home) as other:
            resume(other, "settled", current_operator())
        node.until(beside, "info: scored")
