"""A file that cannot be used now is not called damaged: the real cause is named, on both roles.

Who reads "damaged, restore from backup" rolls the ledger back, over a disk that was full.
"""

from __future__ import annotations

import errno
import json
import pickle
import shutil
import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from folkmoot import round_codec
from folkmoot_node.answering.event import Event
from folkmoot_node.evidence.database import StateDatabase
from folkmoot_node.evidence.scoring_runs import ACTIONS, BEGUN, STOPPED
from folkmoot_node.home import open_home
from folkmoot_node.pipeline.stages import StageFailed
from folkmoot_node.running.serve import serve
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.unusable_files import UnusableFile, unusable
from tests.commands import run_inside
from tests.hostile_disks import run_where
from tests.wire.node.stage import Stage, ask, scored_home, stage

__all__ = ["scored_home", "stage"]

CAUSES = {
    "full": ("the disk is full", 6),
    "read_only": ("mounted read-only", 3),
    "no_larger_files": ("files may not grow any more", 3),
    "too_many_files": ("too many files are open", 6),
    "another_account": ("belongs to nobody", 3),
    "locked": ("another process keeps it locked", 6),
}
WRONG = ("is damaged (", "Restore", "key belongs", "a fault in Folkmoot", "Traceback")


@pytest.fixture
def home(scored_home: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(scored_home, tmp_path / "home"))


@pytest.fixture(scope="session")
def made_region(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("coordinators") / "region"
    made = run_inside(
        "folkmoot-coordinator", "init", "--home", home, "--name", "Region", "--host", "127.0.0.1"
    )
    assert made.code == 0
    return home


@pytest.mark.parametrize("condition", CAUSES)
def test_a_coordinator_names_what_is_in_the_way_of_its_database(
    condition: str, made_region: Path, tmp_path: Path
) -> None:
    home = Path(shutil.copytree(made_region, tmp_path / "region"))
    done = run_where(condition, home, "folkmoot-coordinator", "invite", "E08000009")
    cause, code = CAUSES[condition]
    assert (cause in done.stderr, done.code) == (True, code), done.stderr
    assert not [word for word in WRONG if word in done.stderr], done.stderr


def test_a_full_disk_under_the_store_is_not_the_keys_fault(home: Path) -> None:
    """How much a run writes depends on the records: rounds wait after such a run, as after any."""
    done = run_where("store_full", home, "folkmoot-node", "score")
    assert done.code == 6, done.stderr
    assert "the disk is full" in done.stderr
    assert not [word for word in WRONG if word in done.stderr], done.stderr
    with StateDatabase(home / "state.sqlite") as state:
        actions = [entry.body["action"] for entry in state.chain("audit").entries(ACTIONS)]
    assert actions[-2:] == [BEGUN, STOPPED]


def test_the_store_of_another_account_is_named(home: Path) -> None:
    done = run_where("store_of_another", home, "folkmoot-node", "doctor", "--offline", "--json")
    (failed,) = [one for one in json.loads(done.stdout) if "duckdb" in one["detail"]]
    assert "belongs to nobody" in failed["detail"]
    assert "chown" in failed["remedy"]
    assert done.code == 3


@pytest.mark.parametrize("condition", CAUSES)
def test_a_node_names_what_is_in_the_way_of_its_state(condition: str, home: Path) -> None:
    done = run_where(condition, home, "folkmoot-node", "score")
    cause, code = CAUSES[condition]
    assert (cause in done.stderr, done.code) == (True, code), done.stderr
    assert not [word for word in WRONG if word in done.stderr], done.stderr


def test_serve_waits_for_a_lock_and_goes_on(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("folkmoot_node.evidence.database._BUSY_SECONDS", 0.1)
    stage.coordinator.rounds = [round_codec.encode_round(ask(1))]
    said: list[str] = []
    with (
        open_home(stage.home) as home,
        closing(sqlite3.connect(stage.home / "state.sqlite", isolation_level=None)) as holder,
    ):
        holder.execute("BEGIN IMMEDIATE")

        def report(event: Event) -> None:
            said.append(event.text)
            if "keeps it locked" in event.text and holder.in_transaction:
                holder.execute("ROLLBACK")

        serve(home, report, stop=threading.Event(), until_idle=True, poll_seconds=0.1)
        assert [answer.receipt is not None for answer in home.outbox.answers()] == [True]
    assert sum("keeps it locked" in text for text in said) == 1


def test_a_full_disk_is_one_for_other_processes_too() -> None:
    """Prefect and Dask hand failures on as texts and a number."""
    full = unusable(OSError(errno.ENOSPC, "x"), Path("store"))
    handed_on = pickle.loads(pickle.dumps(StageFailed.of(full)))
    assert handed_on.is_transient
    assert isinstance(handed_on.problem, UnusableFile)
    unreached = Problem("away", exit_code=ExitCode.UNREACHABLE)
    assert not isinstance(StageFailed.of(unreached).problem, UnusableFile)
