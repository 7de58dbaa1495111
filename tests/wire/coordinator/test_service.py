"""Services of a region as systemd runs them: watched, under the restrictions of their units."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from folkmoot_coordinator.server import server as serving
from tests import service_restrictions
from tests.absent import absent
from tests.notified import Manager, service_manager
from tests.other_accounts import Account, give_to
from tests.processes import is_stopped
from tests.served_site import ServedSite, viewer_table
from tests.service_restrictions import under
from tests.service_units import read_unit
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.wire.coordinator.conftest import Region

ACCOUNT = Account(64_321, 64_321)
WATCHDOG_SECONDS = 2.4


@contextmanager
def run_as_unit(
    name: str, command: str, home: Path, manager: Manager
) -> Iterator[subprocess.Popen[bytes]]:
    """A command of the coordinator as a unit runs it."""
    if reason := service_restrictions.why_not():
        absent(reason)
    program = "from folkmoot_coordinator.cli import main; main()"
    words = (sys.executable, "-c", program, command, "--home", home)
    line = under(read_unit(name), ACCOUNT, *words, writable=[home])
    log = home.with_name(f"{command}.log")
    variables = manager.variables(WATCHDOG_SECONDS)
    with (
        log.open("wb") as out,
        subprocess.Popen(line, env=variables, cwd="/", stdout=out, stderr=out) as process,
    ):
        try:
            try:
                manager.wait_for("READY=1")
            except AssertionError as error:
                raise AssertionError(log.read_text()) from error
            yield process
        finally:
            process.send_signal(signal.SIGCONT)
            process.kill()


def watched(process: subprocess.Popen[bytes], manager: Manager) -> None:
    """It lives while it runs, says nothing while it is stopped, and ends at SIGTERM."""
    manager.forget()
    assert 2 <= manager.listen(2.5 * WATCHDOG_SECONDS).count("WATCHDOG=1") <= 12
    process.send_signal(signal.SIGSTOP)
    wait_until(lambda: is_stopped(process.pid), "it to stop")
    manager.forget()
    assert manager.listen(1.5 * WATCHDOG_SECONDS) == []
    process.send_signal(signal.SIGCONT)
    manager.wait_for("WATCHDOG=1")
    process.send_signal(signal.SIGTERM)
    manager.wait_for("STOPPING=1")
    assert process.wait(60) == 0


def test_a_coordinator_enrols_and_is_watched(stopped_region: Region) -> None:
    region = stopped_region
    with region.home.settings_file.open("a") as file:
        file.write(viewer_table())
    site = ServedSite.of(region.home)
    client = region.invite()
    region.database.close()
    give_to(ACCOUNT, region.home.path)
    with (
        service_manager() as manager,
        run_as_unit("folkmoot-coordinator.service", "serve", region.home.path, manager) as process,
    ):
        assert manager.heard[0].startswith("READY=1\nSTATUS=serves ")
        client.enrol()
        assert client.certificate
        site.wait_until(200)
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 2, "the enrolment port and the site"
        for child in children:
            assert "NOTIFY_SOCKET" not in child.environ()
        watched(process, manager)


def test_a_site_of_its_own_draws_and_is_watched(stopped_region: Region) -> None:
    region = stopped_region
    with region.home.settings_file.open("a") as file:
        file.write(viewer_table(enabled="false"))
    site = ServedSite.of(region.home)
    region.database.close()
    give_to(ACCOUNT, region.home.path)
    with (
        service_manager() as manager,
        run_as_unit("folkmoot-viewer.service", "view", region.home.path, manager) as process,
    ):
        site.wait_until(200)
        watched(process, manager)
    log = (region.home.path.with_name("view.log")).read_text()
    assert "Traceback" not in log


def test_charts_are_drawn_under_the_restrictions_of_the_site(tmp_path: Path) -> None:
    """What draws compiles while it runs, which the unit permits for it."""
    if reason := service_restrictions.why_not():
        absent(reason)
    program = (
        "import vl_convert; print(vl_convert.vegalite_to_svg({'mark': 'bar', "
        "'data': {'values': [{'a': 1}]}, 'encoding': {'x': {'field': 'a'}}})[:4])"
    )
    for name in ("folkmoot-viewer.service", "folkmoot-coordinator.service"):
        line = under(read_unit(name), ACCOUNT, sys.executable, "-c", program)
        done = subprocess.run(line, capture_output=True, text=True, check=False, cwd="/")
        assert done.stdout == "<svg\n", (name, done.stderr)


def test_ports_that_hang_are_no_sign_of_life(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = region.server
    assert server is not None
    assert server.is_working()
    monkeypatch.setattr(serving, "ANSWER_SECONDS", 0.1)
    go_on = threading.Event()
    server._loop._loop.call_soon_threadsafe(go_on.wait, 30)
    assert not server.is_working(), "the loop of the ports hangs"
    go_on.set()
    monkeypatch.setattr(serving, "ANSWER_SECONDS", 5.0)
    assert server.is_working()


def test_housekeeping_that_hangs_is_no_sign_of_life(
    region: Region, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = region.server
    assert server is not None
    hanging, go_on = threading.Event(), threading.Event()

    def close_due(*_: object) -> tuple[()]:
        hanging.set()
        go_on.wait(30)
        return ()

    monkeypatch.setattr(serving, "LAST_TURN_SECONDS", 3.0)
    assert server.is_working()
    monkeypatch.setattr(serving, "close_due_rounds", close_due)
    assert hanging.wait(30)
    time.sleep(3.1)
    assert not server.is_working()
    go_on.set()
    until = time.monotonic() + 30
    while not server.is_working():
        assert time.monotonic() < until
        time.sleep(0.1)
