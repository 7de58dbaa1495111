"""An entry of the log is on the disk before anything is shown; if it cannot be, nothing is."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from folkmoot_node.casework.desk import Desk, desk_of_app
from folkmoot_node.casework.opening.exports import EXPORTED
from folkmoot_node.casework.opening.openings import SHOWN
from folkmoot_node.casework.opening.searches import SEARCHED
from folkmoot_node.casework.settings import database_path
from tests.absent import absent
from tests.casework_council import CaseworkCouncil
from tests.casework_opening import REASON, open_case
from tests.forked_commands import fork
from tests.unit.node.casework import look_until_killed
from tests.web_site import Browser, RunningSite

CHILD = Path(__file__).with_name("look_until_killed.py")
ROOT = Path(__file__).resolve().parents[4]


def run(council: CaseworkCouncil, case_id: str, point: int, *before: str) -> list[str]:
    """What a process of its own says until it dies."""
    arguments = [str(council.home), case_id, str(council.uprn(1)), str(point)]
    command = [*before, sys.executable, str(CHILD), *arguments]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        env={"PYTHONPATH": str(ROOT)},
    )
    assert done.returncode in (0, -9), done.stderr
    return done.stdout.splitlines()


def test_a_process_killed_at_any_write_has_shown_nothing_without_an_entry(
    council: CaseworkCouncil, tmp_path: Path
) -> None:
    desk = council.desk()
    case_id = open_case(council, desk, 0)
    desk.state.database.close()
    whole = run_copy(council, tmp_path / "whole", case_id, 0)
    *said, writes = whole
    assert [one.split()[0] for one in said] == ["BEFORE", "SHOWN", "FOUND", "EXPORTED"]
    counts = set()
    for point in range(1, int(writes.split()[1]) + 1):
        home = tmp_path / f"killed-{point}"
        said = run_copy(council, home, case_id, point)
        counts.add(len(said))
        after = CaseworkCouncil(home, clock=council.clock).desk()
        after.state.audit.verify()
        logged = {
            word: {one.body[key] for one in after.state.audit.entries((action,))}
            for word, action, key in (
                ("SHOWN", SHOWN, "household"),
                ("FOUND", SEARCHED, "search"),
                ("EXPORTED", EXPORTED, "export"),
            )
        }
        for line in said:
            word, _, what = line.partition(" ")
            assert word == "BEFORE" or what in logged[word], (point, line)
        after.state.database.close()
    assert counts >= {0, 1, 2, 3}  # it was killed before, between and after


def run_copy(council: CaseworkCouncil, home: Path, case_id: str, point: int) -> list[str]:
    shutil.copytree(council.home, home)
    done = fork(look_until_killed.main, home, case_id, council.uprn(1), point)
    assert done.code in (0, -9), done.stderr
    return done.stdout.splitlines()


def test_the_entry_is_synced_before_the_household_is_shown(
    council: CaseworkCouncil, tmp_path: Path
) -> None:
    strace = shutil.which("strace")
    if strace is None:
        absent("strace is not installed; on Debian: apt-get install strace")
    desk = council.desk()
    case_id = open_case(council, desk, 0)
    desk.state.database.close()
    trace = tmp_path / "trace"
    calls = "trace=write,pwrite64,fsync,fdatasync"
    run(council, case_id, 0, strace, "-f", "-y", "-e", calls, "-o", str(trace))
    text = trace.read_text(errors="replace")
    between = text[text.index('"BEFORE') : text.index('"SHOWN')].splitlines()
    log = f"{database_path(council.config).name}-wal"
    written = [at for at, line in enumerate(between) if "pwrite64(" in line and log in line]
    synced = [
        at for at, line in enumerate(between) if re.search(r"f(data)?sync\(", line) and log in line
    ]
    assert written, "no entry was written"
    assert synced, "the entry was not synced"
    assert max(synced) > max(written)


@contextmanager
def faulty(desk: Desk, *pragmas: str) -> Iterator[None]:
    """Every connection that is taken meanwhile has these settings."""
    engine = desk.state.database._engine

    def taken(driver: Any, *_: Any) -> None:
        for pragma in pragmas:
            driver.execute(f"PRAGMA {pragma}")

    event.listen(engine, "checkout", taken)
    try:
        yield
    finally:
        event.remove(engine, "checkout", taken)
        engine.dispose()


@contextmanager
def full_disk(desk: Desk) -> Iterator[None]:
    """SQLite says that the disk is full as soon as the file would grow."""
    with desk.state.database.reading() as session:
        pages = session.connection().exec_driver_sql("PRAGMA page_count").scalar()
    with faulty(desk, f"max_page_count = {pages}"):
        yield


@contextmanager
def read_only(desk: Desk) -> Iterator[None]:
    """Nothing can be written."""
    with faulty(desk, "query_only = ON"):
        yield


@contextmanager
def locked(desk: Desk) -> Iterator[None]:
    """Another process writes, and does not end."""
    with desk.state.database.writing(), faulty(desk, "busy_timeout = 50"):
        yield


@pytest.mark.parametrize("fault", [full_disk, read_only, locked])
def test_if_the_entry_cannot_be_written_nothing_is_shown(
    council: CaseworkCouncil, site: RunningSite, fault: Callable[[Desk], Any]
) -> None:
    desk = desk_of_app(site.app)
    case_id = open_case(council, desk, 0)
    uprn = str(council.uprn(0))

    def noted() -> int:
        return len(list(desk.state.audit.entries((SHOWN,))))

    with Browser(site) as worker:
        worker.sign_in("caseworker@example.gov.uk")
        worker.fill_in(f"/cases/{case_id}/open", reason=REASON)
        score = f"/cases/{case_id}/score"
        assert uprn in worker.get(score).text
        shown, failed = noted(), 0
        with fault(desk):
            for _ in range(40):  # an entry fits in what is left of a page, until one does not
                answer = worker.get(score)
                if uprn in answer.text:
                    shown += 1
                    assert noted() == shown
                else:
                    assert answer.status_code in (500, 503)
                    failed += 1
                    break
        assert failed
        assert noted() == shown
        assert uprn in worker.get(score).text


def test_the_database_syncs_each_commit(council: CaseworkCouncil) -> None:
    desk = council.desk()
    with desk.state.database.writing() as session:
        connection = session.connection()
        modes = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous")
        }
    assert modes == {"journal_mode": "wal", "synchronous": 2}  # 2 is FULL
