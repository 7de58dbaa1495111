"""`serve` with a real Prefect server: it scores by the clock, keeps a history, and cleans up.

Starting a Prefect server takes 5 to 20 seconds, so one node goes through everything.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from region import TRAFFORD, Node, Region, eventually, household_rows

from tests.processes import command_line, connections, has_ended

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

MARKS = ("918273645546", "73915.28", "Zyxwvut")
MARKED = ["918273645546,73915.28,Y,E01900901", "91827364554699,1,Y,E01900901"]
MARKED += ["10000001,Zyxwvut,Y,E01900901"]
PREFECT_SECONDS = 300.0
"""Within which it must start, or a run that it records must end, on a machine that is busy."""
SERVE = f"""\
from folkmoot_node.cli import main
from folkmoot_node.running import scheduler
from folkmoot_operator import prefect_server
# Else what is due is done without its history where Prefect takes a minute to start.
scheduler.SETTLE_SECONDS = prefect_server.START_SECONDS = {PREFECT_SECONDS}
main()
"""
SECRET = "a-password-of-a-database"
WATCH = """\
import os, sys
def hook(event, arguments):
    if event == "socket.connect":
        told = repr(arguments[1])
    elif event == "socket.getaddrinfo":
        told = repr((arguments[0], arguments[1]))
    else:
        return
    with open({watched!r}, "a") as file:
        file.write(told + "\\n")
sys.addaudithook(hook)
"""


class Served:
    """A node that serves, and every address that its processes connect to."""

    def __init__(self, node: Node, folder: Path) -> None:
        self.node = node
        self.log = folder / "serve.log"
        self.watched = folder / "watched"
        self.remote: set[str] = set()
        (folder / "watch").mkdir()
        (folder / "watch" / "sitecustomize.py").write_text(
            WATCH.replace("{watched!r}", repr(str(self.watched)))
        )
        self._environment = {
            **os.environ,
            "PYTHONPATH": str(folder / "watch"),
            "SQL_PASSWORD": SECRET,  # of a database; no process of Prefect gets it
            "PREFECT_API_URL": "http://192.0.2.1/api",  # of somebody else; not inherited
        }
        self.start()

    def start(self) -> None:
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-c", SERVE, "serve"),
                    *("--home", self.node.home, "--poll-seconds", "1"),
                ],
                env=self._environment,
                stderr=log,
            )

    def told(self, text: str) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return text in self.log.read_text()

    def ready(self) -> None:
        eventually(lambda: self.told("Prefect is ready"), PREFECT_SECONDS)

    @property
    def url(self) -> str:
        (line,) = [one for one in self.log.read_text().splitlines() if "is ready at" in one][-1:]
        return line.split("is ready at ")[1].split()[0]

    def api(
        self, path: str, body: object = None, *, auth: bool = True, method: str = "POST"
    ) -> Any:
        request = urllib.request.Request(
            f"{self.url}{path}", json.dumps(body or {}).encode(), method=method
        )
        request.add_header("Content-Type", "application/json")
        if auth:
            secret = (self.node.home / "prefect" / "auth").read_bytes().strip()
            request.add_header("Authorization", f"Basic {base64.b64encode(secret).decode()}")
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.load(answer)

    def runs(self, beginning: str) -> list[dict[str, Any]]:
        found = self.api("/flow_runs/filter", {"sort": "START_TIME_ASC"})
        return [run for run in found if run["name"].startswith(beginning)]

    def tasks(self, run: dict[str, Any]) -> list[dict[str, Any]]:
        found = self.api("/task_runs/filter", {"flow_runs": {"id": {"any_": [run["id"]]}}})
        return list(found)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def server(self) -> psutil.Process:
        (found,) = [one for one in self.children() if "prefect" in command_line(one)]
        return found

    def look_at_connections(self) -> None:
        for child in self.children():
            for one in connections(child):
                self.remote |= {address.ip for address in (one.laddr, one.raddr) if address}


@pytest.fixture
def served(region: Region, tmp_path: Path) -> Iterator[Served]:
    node = region.new_node(TRAFFORD)
    node.write_extract([*household_rows(TRAFFORD, 1000), *MARKED])
    with (node.home / "node.toml").open("a") as file:
        file.write('\n[schedule]\nscore = "0 5 * * *"\n')
    (node.home / "store" / "households.duckdb").unlink()  # as if it had been down for long
    served = Served(node, tmp_path)
    yield served
    served.process.kill()
    served.process.wait()


def the_interface_is_private(served: Served) -> None:
    served.ready()
    folder = served.node.home / "prefect"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.iterdir())
    assert (folder / "prefect.db").stat().st_size > 0
    assert SECRET not in str(served.server().environ())
    with pytest.raises(urllib.error.HTTPError) as caught:
        served.api("/flow_runs/filter", auth=False)
    with caught.value as refused:
        assert refused.code == 401
    listening = {
        one.laddr.ip for one in served.server().net_connections("inet") if one.status == "LISTEN"
    }
    assert listening == {"127.0.0.1"}


def scores_that_are_overdue_are_made_at_the_start(served: Served) -> None:
    assert served.told("there are no scores yet")
    eventually(lambda: served.told("info: scored"), PREFECT_SECONDS)
    (run,) = eventually(lambda: served.runs("score-"))
    assert run["state_type"] == "COMPLETED"
    assert run["parameters"].keys() <= {"home", "day"}
    eventually(lambda: {one["state_type"] for one in served.tasks(run)} == {"COMPLETED"})
    assert served.told("next scoring at ")


def a_visit_that_answers_is_in_the_history_and_idle_ones_are_not(
    served: Served, region: Region
) -> None:
    # The first visit published what the council has signed.
    eventually(lambda: served.told("catalogue of what may be asked was published"))
    eventually(lambda: len(served.runs("visit-")) == 1)
    round_id = region.open_round([TRAFFORD])
    eventually(lambda: served.told("release delivered"))
    eventually(lambda: len(served.runs("visit-")) == 2)
    run = served.runs("visit-")[1]
    eventually(lambda: served.runs("visit-")[1]["state_type"] == "COMPLETED")
    eventually(lambda: {one["name"] for one in served.tasks(run)} == {f"round-{round_id}"})
    served.look_at_connections()
    time.sleep(3)  # more visits
    assert len(served.runs("visit-")) == 2


def a_server_that_is_killed_comes_back_with_its_history(served: Served) -> None:
    first = served.server()
    first.kill()
    eventually(lambda: served.told("ended with exit code -9"))
    ready = "Prefect is ready"
    eventually(lambda: served.log.read_text().count(ready) == 2, PREFECT_SECONDS)
    assert served.server().pid != first.pid
    assert served.runs("score-")


def each_cause_of_a_coordinator_that_is_away_is_recorded_once(
    served: Served, region: Region
) -> None:
    before = len(served.runs("visit-"))
    region.kill()
    eventually(lambda: served.runs("visit-")[before:])
    eventually(lambda: served.runs("visit-")[before]["state_type"] == "FAILED")
    time.sleep(3)
    region.start()
    # One that ends while a call goes on gives no answer; then nothing listens there.
    causes = [run["state"]["message"] for run in served.runs("visit-")[before:]]
    assert 1 <= len(causes) == len(set(causes)) <= 2


def a_run_that_fails_says_why_without_a_residents_record(served: Served) -> None:
    before = len(served.runs("score-"))
    served.node.write_extract([*household_rows(TRAFFORD, 20), *MARKED])
    environment = {
        **os.environ,
        "PREFECT_HOME": str(served.node.home / "prefect"),
        "PREFECT_API_URL": served.url,
        "PREFECT_API_AUTH_STRING": (served.node.home / "prefect" / "auth").read_text().strip(),
        "DO_NOT_TRACK": "1",
    }
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "folkmoot_node.running.worker",
            "score",
            served.node.home,
            "--recorded",
        ],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 4, done.stderr
    run = served.runs("score-")[before]
    assert run["state_type"] == "FAILED"
    assert run["run_count"] == 1
    assert "rejected" in run["state"]["message"]
    assert not any(mark in json.dumps(run) + done.stderr for mark in MARKS)


def nothing_of_a_resident_is_in_prefects_files(served: Served) -> None:
    held = [path for path in (served.node.home / "prefect").rglob("*") if path.is_file()]
    content = {path.name: path.read_bytes() for path in held}
    assert b"score-" in content["prefect.db"] + content.get("prefect.db-wal", b"")
    for name, bytes_ in content.items():
        assert not any(mark.encode() in bytes_ for mark in MARKS), name


def nothing_connects_beyond_this_machine(served: Served) -> None:
    # What the interface asks for when a person opens its page of integrations.
    assert served.api("/collections/views/aggregate-worker-metadata", method="GET")
    served.look_at_connections()
    assert served.remote <= {"127.0.0.1", "::1"}
    hosts = [line for line in served.watched.read_text().splitlines() if line.startswith("(")]
    assert len(hosts) > 10, "the watch saw nothing"
    beyond = {
        line for line in hosts if not line.startswith(("('127.0.0.1'", "('localhost'", "('::1'"))
    }
    assert not beyond


def a_second_serve_does_not_start(served: Served) -> None:
    told = served.node.run("serve", expect=5)
    assert f"another `folkmoot-node serve` runs here (process {served.process.pid})" in told


def the_server_ends_with_a_serve_that_is_killed(served: Served) -> None:
    children = served.children()
    assert children
    served.process.kill()
    served.process.wait()
    gone, left = psutil.wait_procs(children, timeout=60)
    assert gone
    assert not left


def old_runs_are_deleted_after_a_restart(served: Served) -> None:
    (database,) = (served.node.home / "prefect").glob("prefect.db")
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        changed = connection.execute(
            "UPDATE flow_run SET end_time = datetime(end_time, '-31 days') "
            "WHERE name LIKE 'score-%'"
        )
        assert changed.rowcount == 2
    served.start()
    served.ready()
    eventually(lambda: not served.runs("score-"))
    assert served.runs("visit-")


def sigterm_leaves_no_process(served: Served) -> None:
    own, children = psutil.Process(served.process.pid).children(), served.children()
    assert own
    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(60) == 0
    assert not [child for child in own if child.is_running()], "it waits for them"
    eventually(lambda: all(map(has_ended, children)))  # those that these have started


def test_a_served_node_lives_and_ends(served: Served, region: Region) -> None:
    the_interface_is_private(served)
    scores_that_are_overdue_are_made_at_the_start(served)
    a_visit_that_answers_is_in_the_history_and_idle_ones_are_not(served, region)
    a_server_that_is_killed_comes_back_with_its_history(served)
    each_cause_of_a_coordinator_that_is_away_is_recorded_once(served, region)
    a_run_that_fails_says_why_without_a_residents_record(served)
    nothing_of_a_resident_is_in_prefects_files(served)
    nothing_connects_beyond_this_machine(served)
    a_second_serve_does_not_start(served)
    the_server_ends_with_a_serve_that_is_killed(served)
    old_runs_are_deleted_after_a_restart(served)
    sigterm_leaves_no_process(served)
