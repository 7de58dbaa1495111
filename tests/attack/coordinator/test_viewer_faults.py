"""Whatever befalls the region's site, councils are served, and nothing is lost."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from typing import TYPE_CHECKING

import grpc
import httpx2
import pytest
from sqlalchemy import make_url

from folkmoot.geography import GssCode
from folkmoot_coordinator.database.connection import Database
from folkmoot_coordinator.rounds.progress import council_responses
from folkmoot_coordinator.rounds.round_store import find_round
from folkmoot_coordinator.viewer.region import open_region
from folkmoot_operator.network_addresses import split_address
from tests.postgresql import PASSWORD, PostgreSQL, postgresql_server
from tests.served_site import PATIENCE, ServedSite, kill_viewer, viewer_of, viewer_table
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.web_site import Browser
    from tests.wire.coordinator.conftest import Client, Region, ServeProcess

TRAFFORD = GssCode("E08000009")
SECONDS = 60.0
"""Within which a council must have its receipt, on a machine that is busy."""
SILENT, SLOW = 350, 250
"""Connections of the flood: together more than the site serves at one time."""
GONE = "cannot reach its database"


@pytest.fixture
def site(stopped_region: Region) -> Iterator[ServedSite]:
    """The settings have a site; nothing runs yet."""
    with stopped_region.home.settings_file.open("a") as file:
        file.write(viewer_table())
    stopped_region.home.settings_file.chmod(0o600)
    found = ServedSite.of(stopped_region.home)
    yield found
    found.close()


@pytest.fixture
def serving(
    stopped_region: Region, site: ServedSite, serve: Callable[..., ServeProcess]
) -> ServeProcess:
    """Councils and readers are served."""
    process = serve(stopped_region.home.path)
    site.wait_until(200)
    return process


def submit(region: Region, member: Client) -> None:
    """Opens a round, and a council answers it in time."""
    round_ = region.open_round()
    begin = time.monotonic()
    [signed] = [one for one in member.rounds() if round_.round_id.encode() in one.round]
    member.submit(member.release_for(signed))
    assert time.monotonic() - begin < SECONDS
    assert released(region, round_.round_id)


def released(region: Region, round_id: str) -> bool:
    stored = find_round(region.database, round_id)
    return [one.answer for one in council_responses(region.database, stored.round_)] == ["released"]


def log_of(region: Region) -> str:
    return (region.home.path / "serve.log").read_text()


def test_a_viewer_that_cannot_start_stops_no_council(
    stopped_region: Region, site: ServedSite, serve: Callable[..., ServeProcess]
) -> None:
    """Its port is taken; once that is free the site is there, without a restart of anything."""
    with socket.create_server(split_address(site.address.removeprefix("http://"))):
        process = serve(stopped_region.home.path)
        member = stopped_region.member(TRAFFORD)
        end = time.monotonic() + PATIENCE
        while "ERROR viewer: the site cannot be served" not in log_of(stopped_region):
            assert time.monotonic() < end
            time.sleep(0.1)
        submit(stopped_region, member)
    site.wait_until(200)
    assert process.process.poll() is None


@contextlib.contextmanager
def flood(site: ServedSite, kind: str, intensity: int) -> Iterator[dict[str, int]]:
    """Connections that are silent or trickle, or long bodies and wrong passwords, until the end.

    Yields:
        How many there were of each kind so far.
    """
    address = split_address(site.address.removeprefix("http://"))
    done = threading.Event()
    seen = {"connections": 0, "bodies": 0, "sign-ins": 0, "held back": 0}
    held: list[socket.socket] = []

    def connect() -> None:
        while not done.is_set():
            for each in list(held):
                try:
                    each.send(b"X")  # a head that never ends
                except OSError:
                    held.remove(each)
                    each.close()
            while len(held) < (SILENT + SLOW) * intensity and not done.is_set():
                try:
                    held.append(socket.create_connection(address, 2))
                except OSError:
                    break
                held[-1].setblocking(False)
                seen["connections"] += 1
                with contextlib.suppress(OSError):
                    if len(held) > SILENT * intensity:
                        held[-1].send(b"GET / HTTP/1.1\r\nX-Slow: ")
            done.wait(0.5)

    def send_bodies() -> None:
        while not done.is_set():
            with contextlib.suppress(httpx2.HTTPError):
                httpx2.post(f"{site.address}/sign-in", content=bytes(2_000_000), timeout=5)
            seen["bodies"] += 1

    def guess() -> None:
        number = 0
        while not done.is_set():
            try:
                browser = site.browser()
                token = browser.token("/sign-in")
                while not done.is_set():
                    number += 1
                    fields = {"form_token": token, "name": f"name{number}", "password": "wrong"}
                    answer = browser.post("/sign-in", data=fields)
                    seen["sign-ins"] += 1
                    seen["held back"] += answer.status_code == 429
            except (httpx2.HTTPError, AssertionError):
                done.wait(0.1)  # too many connections for now

    threads = [
        threading.Thread(target=one, daemon=True)
        for one in (
            [connect] if kind == "connections" else [send_bodies] * 4 + [guess] * 8 * intensity
        )
    ]
    for each in threads:
        each.start()
    try:
        yield seen
    finally:
        done.set()
        for each in threads:
            each.join(PATIENCE)
        for each in held:
            each.close()


def test_a_flood_stops_no_council(
    stopped_region: Region, site: ServedSite, serving: ServeProcess, intensity: int
) -> None:
    region, member = stopped_region, stopped_region.member(TRAFFORD)
    member.seconds = SECONDS
    reader = site.reader()
    for kind in ("connections", "requests"):
        with flood(site, kind, intensity) as seen:
            end = time.monotonic() + PATIENCE
            while not (
                seen["connections"] >= SILENT + SLOW or (seen["bodies"] > 10 and seen["held back"])
            ):
                assert time.monotonic() < end, seen
                time.sleep(0.1)
            for _ in range(4):
                submit(region, member)
                time.sleep(0.5)
            if kind == "requests":
                assert reader.get("/").status_code == 200, "who is signed in reads on"
        site.wait_until(200)
        assert serving.process.poll() is None
        log = log_of(region)
        assert "viewer process ended" not in log, "it needs no restart either"
        assert "ERROR" not in log.replace("ERROR viewer: ", ""), "of councils nothing failed"
        assert reader.get("/").status_code == 200


@dataclass(frozen=True)
class Scene:
    """A region that is served, one of its councils, and somebody who reads its site."""

    region: Region
    site: ServedSite
    serving: ServeProcess
    member: Client
    browser: Browser


def gone_and_back(scene: Scene, leave: Callable[[], Callable[[], None]]) -> None:
    """A council answers, the database goes, comes back, and the council answers again.

    Args:
        scene: The region whose database goes.
        leave: Takes the database away; gives what brings it back.
    """
    region, site, member, browser = scene.region, scene.site, scene.member, scene.browser
    pids = scene.serving.all_pids()
    first = region.open_round()
    [signed] = member.rounds()
    receipt = member.submit(member.release_for(signed))
    assert browser.get("/").status_code == 200
    second = region.open_round()
    comes_back = leave()
    try:
        site.wait_until(503)
        assert site.health() == (503, '{"status":"not ok"}')
        page = browser.get("/")
        assert (page.status_code, GONE in page.text) == (503, True)
        page = browser.get(f"/rounds/{first.round_id}")
        assert (page.status_code, GONE in page.text) == (503, True), "not: there is no such round"
        assert str(region.home.path) not in page.text
        assert "postgresql" not in page.text
        member.seconds = 5
        with pytest.raises(grpc.RpcError):
            member.rounds()
    finally:
        comes_back()
    site.wait_until(200)
    assert browser.get("/").status_code == 200, "still signed in"
    assert browser.get(f"/rounds/{first.round_id}").status_code == 200
    member.seconds = SECONDS
    end = time.monotonic() + PATIENCE
    while True:
        try:
            found = member.rounds()
            break
        except grpc.RpcError:
            assert time.monotonic() < end
            time.sleep(0.2)
    assert member.submit(member.release_for(signed)) == receipt, "the answer was kept"
    [asked] = [one for one in found if second.round_id.encode() in one.round]
    member.submit(member.release_for(asked))
    assert released(region, second.round_id)
    assert scene.serving.all_pids() == pids, "nothing was started again"


def the_regions_file_may_go_and_come_back(scene: Scene, aside: Path, how: str) -> None:
    """Moved to and fro, or put back as a copy, which is another file."""
    region = scene.region
    aside.mkdir()

    def files() -> list[Path]:
        return sorted(region.home.path.glob("coordinator.sqlite*"))

    def leave() -> Callable[[], None]:
        region.database.close()
        for file in files():
            file.rename(aside / file.name)
        return comes_back

    def comes_back() -> None:
        assert files() == [], "nobody has made another in its place"
        for file in sorted(aside.iterdir(), reverse=True):  # the database itself last
            if how == "moved":
                file.rename(region.home.path / file.name)
            elif not file.name.endswith("-shm"):
                # Whole at once, as a restored file should come.
                copy = aside.parent / file.name
                shutil.copy2(file, copy)
                copy.rename(region.home.path / file.name)

    gone_and_back(scene, leave)


def the_sites_own_file_may_go_and_come_back(scene: Scene, aside: Path) -> None:
    """Councils do not notice; accounts and sessions are still there."""
    region, site, browser = scene.region, scene.site, scene.browser
    kept = sorted(region.home.path.glob("viewer.sqlite*"))
    aside.mkdir()
    for file in kept:
        file.rename(aside / file.name)
    site.wait_until(503)
    page = browser.get("/")
    assert (page.status_code, GONE in page.text) == (503, True)
    submit(region, scene.member)
    assert not list(region.home.path.glob("viewer.sqlite*")), "nobody has made an empty one"
    for file in reversed(kept):
        (aside / file.name).rename(file)
    site.wait_until(200)
    assert browser.get("/").status_code == 200, "still signed in"
    submit(region, scene.member)


def the_site_writes_nothing_into_the_regions_database(scene: Scene) -> None:
    round_ = scene.region.open_round()
    region = open_region(scene.region.home, scene.region.home.settings(), lambda: 0)
    try:
        with pytest.raises(PermissionError), region.database.writing():
            pass
        with region.database.connection(writes=False) as connection:
            with pytest.raises(Exception, match=r"readonly|query_only|read-only"):
                connection.exec_driver_sql("DELETE FROM rounds")
            connection.exec_driver_sql("ROLLBACK")
            connection.exec_driver_sql("BEGIN")
    finally:
        region.close()
    assert find_round(scene.region.database, round_.round_id).round_ == round_


def a_killed_viewer_stops_no_council_and_comes_back(scene: Scene) -> None:
    serving = scene.serving
    serving_pid = serving.process.pid
    for _ in range(2):
        killed = kill_viewer(serving)
        submit(scene.region, scene.member)
        scene.site.wait_until(200)
        assert viewer_of(serving) not in (None, killed)
    assert scene.browser.get("/").status_code == 200, "still signed in"
    assert serving.process.pid == serving_pid
    assert serving.process.poll() is None
    again = "viewer process started again"
    # Another process says it than the one that answers.
    wait_until(lambda: log_of(scene.region).count(again) >= 2, again)
    log = log_of(scene.region)
    assert log.count("viewer process ended exit=-9") == log.count(again) == 2
    assert "INFO viewer: site ready address=http://127.0.0.1:" in log


def test_what_befalls_a_site_stops_no_council(
    stopped_region: Region, site: ServedSite, serving: ServeProcess, tmp_path: Path
) -> None:
    """Starting what serves takes longer than each fault: one region goes through all."""
    member, browser = stopped_region.member(TRAFFORD), site.reader()
    scene = Scene(stopped_region, site, serving, member, browser)
    the_regions_file_may_go_and_come_back(scene, tmp_path / "moved", "moved")
    the_regions_file_may_go_and_come_back(scene, tmp_path / "restored", "restored")
    the_sites_own_file_may_go_and_come_back(scene, tmp_path / "own")
    a_killed_viewer_stops_no_council_and_comes_back(scene)
    the_site_writes_nothing_into_the_regions_database(scene)


def test_a_server_of_databases_may_stop_and_start(
    stopped_region: Region,
    site: ServedSite,
    serve: Callable[..., ServeProcess],
    postgresql: PostgreSQL,
) -> None:
    """With a server of its own, since other tests share that of the session."""
    del postgresql  # its fixture says whether there can be one
    region = stopped_region
    with postgresql_server() as server:
        urls = {
            name: make_url(server.url(server.create(name), "postgresql+psycopg"))
            .set(password=PASSWORD)
            .render_as_string(hide_password=False)
            for name in ("region", "viewer")
        }
        text = region.home.settings_file.read_text()
        text = text.replace("[viewer]\n", f'[viewer]\ndatabase = "{urls["viewer"]}"\n', 2)
        text = text.replace("# [viewer]\ndatabase", "# [viewer]\n# database", 1)
        text = text.replace("[database]\n", f'[database]\nurl = "{urls["region"]}"\n')
        region.home.settings_file.write_text(text)
        region.database.close()
        region.database = Database(urls["region"])
        region.database.create()
        region.settings = region.home.settings()
        process = serve(region.home.path)
        site.wait_until(200)

        def leave() -> Callable[[], None]:
            server.stop()
            return server.start

        member, browser = region.member(TRAFFORD), site.reader()
        gone_and_back(Scene(region, site, process, member, browser), leave)
        process.process.send_signal(signal.SIGTERM)
        process.process.wait(PATIENCE)
        region.database.close()


def test_the_viewer_does_without_keys(stopped_region: Region, site: ServedSite) -> None:
    """Its process serves people where the folder of keys is not there at all."""
    region = stopped_region
    round_ = region.open_round()
    region.home.keys.rename(region.home.path.parent / "keys elsewhere")
    command = [sys.executable, "-c", "from folkmoot_coordinator.cli import main; main()"]
    viewer = Popen(
        [*command, "view", "--home", str(region.home.path)],
        stdout=PIPE, text=True, env=os.environ,
    )  # fmt: skip
    try:
        assert viewer.stdout is not None
        assert viewer.stdout.readline() == f"Serving {site.address}\n"
        browser = site.reader()
        assert "Winter support" in browser.get("/").text
        assert browser.get(f"/rounds/{round_.round_id}").status_code == 200
    finally:
        viewer.terminate()
        assert viewer.wait(PATIENCE) == 0
        assert viewer.stdout is not None
        viewer.stdout.close()
