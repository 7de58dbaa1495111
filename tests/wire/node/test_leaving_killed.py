"""`kill -9` while a council leaves: run again, it comes to the same end."""

from __future__ import annotations

import shutil
import signal
from pathlib import Path

import pytest
from stage import Stage, ask

from folkmoot import round_codec
from folkmoot_node.answering.visit import poll
from folkmoot_node.home import open_home
from folkmoot_node.operations.leaving import CERTIFICATE, FOLDER, Step, check_certificate
from tests import leave_until_killed
from tests.commands import Done
from tests.forked_commands import fork, run_forked
from tests.night import by_night

GONE = ("keys/store.key", "store/households.duckdb", "quarantine", "keys/node.key",
        "keys/policy-signing.key")  # fmt: skip


@pytest.fixture
def answered(stage: Stage) -> Path:
    """The folder of a node that has answered a round, with something to destroy."""
    stage.coordinator.rounds = [round_codec.encode_round(ask())]
    with open_home(stage.home) as opened, opened.connect() as client:
        list(poll(opened, client))
    (stage.home / "quarantine").mkdir(exist_ok=True)
    (stage.home / "quarantine" / "council_tax.csv").write_text("rejected\n")
    return stage.home


def left(home: Path, kind: str, point: object) -> Done:
    return fork(leave_until_killed.main, str(home), kind, str(point), seconds=60)


def run_again(home: Path) -> None:
    words = ("leave", "--reason", leave_until_killed.WHY, "--yes", "--home", home)
    done = run_forked("folkmoot-node", *words)
    assert done.code == 0, done.stderr
    assert [name for name in GONE if (home / name).exists()] == []
    folder = home / FOLDER
    found = check_certificate(folder / CERTIFICATE, None, folder / "evidence")
    assert {one["path"] for one in found.body["destroyed"]} >= set(GONE[:3])
    assert found.body["logs"]["ledger"]["entries"] == 1
    assert [path for path in home.rglob(".*") if path.parent.name == "keys"] == []
    before = (folder / CERTIFICATE).read_bytes()
    assert run_forked("folkmoot-node", *words).code == 0
    assert (folder / CERTIFICATE).read_bytes() == before, "to repeat it changes nothing"


@pytest.mark.parametrize("step", list(Step), ids=lambda step: step.name)
def test_killed_after_a_step(answered: Path, step: Step) -> None:
    killed = left(answered, "step", step.name)
    assert killed.code == -signal.SIGKILL, killed.stderr
    run_again(answered)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("every", by_night([5, 1]))
def test_killed_before_a_change_of_the_disk(answered: Path, tmp_path: Path, every: int) -> None:
    """Before every fifth, and at night before each."""
    whole = shutil.copytree(answered, tmp_path / "whole", symlinks=True)
    done = left(whole, "change", 0)
    assert done.code == 0, done.stderr
    changes = int(done.stdout)
    assert changes > 20
    for change in range(1, changes + 1, every):
        home = shutil.copytree(answered, tmp_path / str(change), symlinks=True)
        killed = left(home, "change", change)
        assert killed.code == -signal.SIGKILL, (change, killed.stderr)
        run_again(home)
        shutil.rmtree(home)
