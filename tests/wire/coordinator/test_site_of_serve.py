"""`serve` runs the region's site where the settings have one, and says where it is."""

from __future__ import annotations

import importlib.util
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2
import pytest

from tests.commands import run_inside
from tests.served_site import PATIENCE, ServedSite, viewer_of, viewer_table

if TYPE_CHECKING:
    from folkmoot_coordinator.home import Home
    from tests.wire.coordinator.conftest import Region, ServeProcess

Serve = Callable[..., "ServeProcess"]


def add_site(home: Home, **keys: str) -> None:
    with home.settings_file.open("a") as file:
        file.write(viewer_table(**keys))
    home.settings_file.chmod(0o600)


@pytest.fixture
def site(stopped_region: Region) -> Iterator[ServedSite]:
    add_site(stopped_region.home)
    found = ServedSite.of(stopped_region.home)
    yield found
    found.close()


def until_gone(pid: int) -> None:
    end = time.monotonic() + PATIENCE
    while Path(f"/proc/{pid}").exists():
        assert time.monotonic() < end, "the viewer goes on"
        time.sleep(0.05)


def test_the_ready_line_names_the_site_and_it_answers(
    stopped_region: Region, site: ServedSite, serve: Serve
) -> None:
    process = serve(stopped_region.home.path)
    assert process.ready.endswith(f", site {site.address}\n")
    site.wait_until(200)
    assert site.health() == (200, '{"status":"ok"}')
    answer = httpx2.get(site.address)
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")


def test_a_settings_file_of_before_goes_on_without_a_site(
    stopped_region: Region, serve: Serve
) -> None:
    """What `init` writes has the table in a comment."""
    assert "\n# [viewer]\n" in stopped_region.home.settings_file.read_text()
    process = serve(stopped_region.home.path)
    assert "site" not in process.ready
    assert len(process.all_pids()) == 2
    assert viewer_of(process) is None


def test_the_table_of_init_is_right_without_its_comment_signs(stopped_region: Region) -> None:
    home = stopped_region.home
    text = home.settings_file.read_text()
    begin = text.index("# [viewer]\n")
    end = text.index("# [viewer.tls]")
    told = text[begin:end].replace("\n# ", "\n").removeprefix("# ")
    assert "enabled = true" in told
    told = told.replace('address = "https', '# address = "https').replace("\nboundaries", "\n# b")
    home.settings_file.write_text(text[:begin] + told + text[end:])
    assert home.settings().viewer.enabled
    assert ServedSite.of(home).address == "http://127.0.0.1:8080"


def test_enabled_false_leaves_the_site_out(stopped_region: Region, serve: Serve) -> None:
    add_site(stopped_region.home, enabled="false")
    process = serve(stopped_region.home.path)
    assert "site" not in process.ready
    assert viewer_of(process) is None


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stopping_stops_both(
    number: signal.Signals, stopped_region: Region, site: ServedSite, serve: Serve
) -> None:
    process = serve(stopped_region.home.path)
    site.wait_until(200)
    viewer = viewer_of(process)
    assert viewer is not None
    process.process.send_signal(number)
    assert process.process.wait(PATIENCE) == 0
    assert not Path(f"/proc/{viewer}").exists()
    assert site.health() == (0, "")
    log = (stopped_region.home.path / "serve.log").read_text()
    assert "ERROR" not in log
    assert "viewer process ended" not in log


def test_the_viewer_ends_with_serve_even_if_that_is_killed(
    stopped_region: Region, site: ServedSite, serve: Serve
) -> None:
    process = serve(stopped_region.home.path)
    site.wait_until(200)
    viewer = viewer_of(process)
    assert viewer is not None
    process.kill()
    until_gone(viewer)


def test_councils_come_first_on_a_busy_machine(
    stopped_region: Region, site: ServedSite, serve: Serve
) -> None:
    """Of the viewer's process: less of the processor, few files, the first that memory costs."""
    process = serve(stopped_region.home.path)
    site.wait_until(200)
    viewer = viewer_of(process)

    def of(pid: int | None) -> tuple[int, int, int]:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        limits = Path(f"/proc/{pid}/limits").read_text().splitlines()
        [files] = [one.split()[3] for one in limits if one.startswith("Max open files")]
        score = int(Path(f"/proc/{pid}/oom_score_adj").read_text())
        return int(fields[16]), int(files), score

    nice, files, score = of(viewer)
    nice_of_serve, files_of_serve, score_of_serve = of(process.process.pid)
    assert nice > nice_of_serve
    assert files <= min(4096, files_of_serve)
    assert score > score_of_serve


def test_without_its_packages_serve_says_how_to_go_on(
    stopped_region: Region, site: ServedSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = importlib.util.find_spec

    def without(name: str, package: str | None = None) -> object:
        return None if name in ("folkmoot_web", "shapely") else there(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without)
    done = run_inside("folkmoot-coordinator", "serve", "--home", stopped_region.home.path)
    assert done.code == 3
    assert "not installed: folkmoot_web, shapely" in done.stderr
    assert "pip install 'folkmoot-coordinator[viewer]'" in done.stderr
    assert "enabled = false" in done.stderr
    assert "Serving" not in done.stdout


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("adress", '"https://example.gov.uk"', "viewer.adress"),
        ("listen", '"0.0.0.0:8080"', "needs TLS"),
        ("enabled", '"perhaps"', "viewer.enabled"),
    ],
)
def test_wrong_settings_are_named_before_a_port_is_open(
    key: str, value: str, said: str, stopped_region: Region
) -> None:
    add_site(stopped_region.home, **{key: value})
    done = run_inside("folkmoot-coordinator", "serve", "--home", stopped_region.home.path)
    assert done.code == 3
    assert said in done.stderr
    assert "Serving" not in done.stdout
