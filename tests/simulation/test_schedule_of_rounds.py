"""`serve` of a region with a schedule: real processes and a real Prefect server."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.commands import run_inside
from tests.ports import free_port
from tests.processes import command_line, connections, has_ended

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]

SECONDS = 300.0
"""Within which Prefect must start, or a round be open, on a machine that is busy."""
SERVE = f"""\
from folkmoot_coordinator.cli import main
from folkmoot_coordinator.schedule import background
from folkmoot_operator import prefect_server
# Else rounds are opened without Prefect's history where it takes a minute to start.
background.SETTLE_SECONDS = prefect_server.START_SECONDS = {SECONDS}
main()
"""
ROUND = f"""\
title = "Winter"
purpose = "winter_support"
policy_digest = "{"0" * 64}"
councils = ["E08000001"]
minimum_councils = 1
rho = 0.2
delta = 1e-6
deadline_hours = 1
marginals = [{{ attributes = [] }}]
"""
SCHEDULE = """
[schedule]
time_zone = "UTC"
export = "published"
[[schedule.rounds]]
name = "winter"
question = "winter.toml"
cron = "* * * * *"
[[schedule.rounds]]
name = "broken"
question = "broken.toml"
cron = "* * * * *"
"""


def eventually(holds: Callable[[], Any], what: str, seconds: float = SECONDS) -> Any:
    end = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > end:
            raise TimeoutError(f"waited for {what}")
        time.sleep(0.5)
    return found


def new_home(place: Path) -> Path:
    """A coordinator whose schedule opens a round each minute."""
    run_inside(
        "folkmoot-coordinator", "init", "--home", place, "--name", "North", "--host", "127.0.0.1"
    ).said()
    (place / "winter.toml").write_text(ROUND)
    (place / "broken.toml").write_text(ROUND.replace("rho = 0.2", "rho = 0"))
    settings = place / "coordinator.toml"
    text = settings.read_text().replace("7443", str(free_port())).replace("7444", str(free_port()))
    settings.write_text(text + SCHEDULE)
    return place


@pytest.fixture
def serve() -> Iterator[Callable[[Path], subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def start(home: Path) -> subprocess.Popen[str]:
        with (home / "serve.log").open("a") as log:
            process = subprocess.Popen(
                [sys.executable, "-c", SERVE, "serve", "--home", str(home)],
                stdout=subprocess.PIPE, stderr=log, text=True,
            )  # fmt: skip
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline().startswith("Serving"), (home / "serve.log").read_text()
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def read(home: Path, *arguments: object) -> Any:
    return json.loads(
        run_inside("folkmoot-coordinator", *arguments, "--home", home, "--json").said()
    )


def children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def flow_runs(home: Path, process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    """What the Prefect server that `serve` started has in its history."""
    ports = [
        one.laddr.port
        for child in children(process)
        if "prefect" in " ".join(command_line(child))
        for one in connections(child)
        if one.status == psutil.CONN_LISTEN
    ]
    if not ports:
        return []
    import base64

    secret = base64.b64encode((home / "prefect" / "auth").read_bytes().strip()).decode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{ports[0]}/api/flow_runs/filter",
        data=b"{}",
        headers={"Content-Type": "application/json", "Authorization": f"Basic {secret}"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=60) as answer:
            return json.load(answer)  # type: ignore[no-any-return]
    except OSError:  # it is busy, or has just begun
        return []


def test_rounds_open_by_themselves_and_prefect_has_their_history(
    tmp_path: Path, serve: Callable[[Path], subprocess.Popen[str]]
) -> None:
    """Two regions wait for the same minute: one has Prefect's history, the other works without."""
    home, plain = new_home(tmp_path / "region"), new_home(tmp_path / "plain")
    settings = plain / "coordinator.toml"
    settings.write_text(settings.read_text() + "[prefect]\nenabled = false\n")
    without_prefect = serve(plain)
    process = serve(home)
    first = eventually(lambda: read(home, "round", "list"), "a round to open")
    assert [one["title"] for one in first] == ["Winter"] * len(first)
    eventually(lambda: read(plain, "round", "list"), "a round to open without Prefect")
    running = [command_line(one) for one in children(without_prefect)]
    assert not any("uvicorn" in " ".join(words) or "prefect" in words for words in running)
    assert not (plain / "prefect").exists()
    without_prefect.kill()
    without_prefect.wait()
    runs = eventually(
        lambda: [one for one in flow_runs(home, process) if one["state_type"] == "FAILED"],
        "the flow in Prefect's history",
    )
    assert runs[0]["name"].startswith("schedule-"), "it failed since one entry is broken"
    for said in ("job=open broken result=broken has stopped", "job=open winter result=winter: "):
        eventually(lambda said=said: said in (home / "serve.log").read_text(), said)
    # What dies is made up for, and nothing is opened twice.
    left = children(process)
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, orphans = psutil.wait_procs(left, timeout=60)
    assert orphans == [], "Prefect and the process that does what is due end with serve"
    again = serve(home)
    count = len(read(home, "round", "list"))
    eventually(lambda: len(read(home, "round", "list")) > count, "the next round")
    entries = read(home, "audit", "show", "--action", "round opened")
    assert len({one["origin"] for one in entries}) == len(entries)
    assert {one["by"] for one in entries} == {"schedule winter"}
    stopped = [
        one for one in json.loads(
            run_inside("folkmoot-coordinator", "doctor", "--home", home, "--json").stdout
        ) if one["subject"] == "schedule" and one["verdict"] == "bad"
    ]  # fmt: skip
    assert ["broken has stopped" in one["detail"] for one in stopped] == [True]
    own, left = psutil.Process(again.pid).children(), children(again)
    again.send_signal(signal.SIGTERM)
    assert again.wait(60) == 0
    assert all(map(has_ended, own)), "it waits for them"
    eventually(lambda: all(map(has_ended, left)), "those that it has started to end")
