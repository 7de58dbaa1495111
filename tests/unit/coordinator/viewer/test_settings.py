"""Settings of the site, the commands about accounts, and serving it."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import pytest

from folkmoot_coordinator.config import CoordinatorSettings, settings_text
from folkmoot_coordinator.home import Home
from folkmoot_coordinator.viewer.permissions import may_see
from folkmoot_coordinator.viewer.settings import require_viewer, site_settings
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_operator.settings import parse
from tests.commands import run_inside
from tests.viewer_region import ViewerRegion, viewer_region

BASE = settings_text("Greater Exampleshire", ("127.0.0.1",), "127.0.0.1", 7443, 7444)


def settings(text: str) -> CoordinatorSettings:
    return parse(CoordinatorSettings, (BASE + text).encode(), "coordinator.toml")


def test_the_site_is_the_regions_own(tmp_path: Path) -> None:
    found = site_settings(Home(tmp_path), settings("[viewer]\nenabled = true\n"))
    assert found.name == "Greater Exampleshire"
    assert found.origin == "http://127.0.0.1:8080"
    assert found.database.url == f"sqlite:///{tmp_path / 'viewer.sqlite'}"


def test_what_is_wrong_in_the_table_is_named(tmp_path: Path) -> None:
    for text, said in (
        ('lisen = "127.0.0.1:8080"', "viewer.lisen is an unknown key; did you mean 'listen'?"),
        ("enabeld = true", "did you mean 'enabled'?"),
        ('listen = "0.0.0.0:80"', "needs TLS"),
        ("sign_in = { local = false }", "nobody could sign in"),
    ):
        with pytest.raises(Problem) as problem:
            site_settings(Home(tmp_path), settings(f"[viewer]\n{text}\n"))
        assert said in problem.value.problem, text
        assert problem.value.exit_code is ExitCode.SETTINGS
    with pytest.raises(Problem, match="boundaries"):
        settings("[viewer]\nboundaries = [{}]\n")


def test_without_the_extra_it_is_said_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = importlib.util.find_spec

    def find(name: str, *more: Any) -> Any:
        return None if name == "folkmoot_web" else whole(name, *more)

    monkeypatch.setattr(importlib.util, "find_spec", find)
    with pytest.raises(Problem, match="not installed: folkmoot_web") as problem:
        require_viewer()
    assert "pip install 'folkmoot-coordinator[viewer]'" in problem.value.remedy
    parsed = settings("[viewer]\nenabled = false\n")
    assert not parsed.viewer.enabled, "settings are read without it"


def test_the_coordinator_is_imported_without_the_kit() -> None:
    code = "import sys, folkmoot_coordinator.cli; print('folkmoot_web' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_visibility_by_role() -> None:
    found = settings('[viewer.visibility]\nreader = ["winter"]\napprover = []\n').viewer
    assert may_see(found, ["reader"], "winter")
    assert not may_see(found, ["reader"], "flood")
    assert not may_see(found, ["approver"], "winter")
    assert may_see(found, ["reader", "analyst"], "flood"), "any role is enough"
    assert not may_see(found, [], "winter")
    assert not may_see(found, ["reader", "manager"], "flood"), "there is no such role"


@pytest.fixture
def region(tmp_path: Path) -> Any:
    with viewer_region(tmp_path) as made:
        yield made


def command(region: ViewerRegion, *arguments: str, expect: int = 0) -> str:
    done = run_inside("folkmoot-coordinator", *arguments, "--home", str(region.home.path))
    return done.said(expect)


def test_accounts_are_added_and_changed_by_commands(region: ViewerRegion) -> None:
    said = command(region, "accounts", "add", "Jo@example.gov.uk", "--role", "analyst")
    assert "/set-up/" in said
    [one] = json.loads(command(region, "accounts", "list", "--json"))
    assert (one["name"], one["roles"]) == ("jo@example.gov.uk", ["analyst"])
    assert one["has_password"] is False
    command(
        region, "accounts", "roles", "jo@example.gov.uk", "--role", "reader", "--role", "approver"
    )
    command(region, "accounts", "disable", "jo@example.gov.uk")
    assert "disabled" in command(region, "accounts", "list")
    refused = command(region, "accounts", "link", "jo@example.gov.uk", expect=2)
    assert "/set-up/" not in refused
    command(region, "accounts", "disable", "jo@example.gov.uk", "--undo")
    link = json.loads(command(region, "accounts", "link", "jo@example.gov.uk", "--json"))["link"]
    assert link.startswith("http://127.0.0.1:")
    [one] = json.loads(command(region, "accounts", "list", "--json"))
    assert one["roles"] == ["approver", "reader"]
    assert not one["disabled"]


def test_the_sites_audit_log_is_shown_and_verified(region: ViewerRegion) -> None:
    missing = command(region, "audit", "verify", "--site", expect=3)
    assert "the site's database cannot be used now: it is not there" in missing
    command(region, "accounts", "add", "jo@example.gov.uk", "--role", "analyst")
    command(region, "accounts", "roles", "jo@example.gov.uk", "--role", "reader")
    shown = json.loads(command(region, "audit", "show", "--site", "--json"))
    assert [one["action"] for one in shown] == [
        "account added",
        "set-up link made",
        "roles changed",
    ]
    assert "roles changed" in command(region, "audit", "show", "--site", "--last", "1")
    verified = json.loads(command(region, "audit", "verify", "--site", "--json"))
    assert verified["entries"] == 3
    command(region, "audit", "verify", "--site", "--expect", verified["head"])
    cut = f"4:{'0' * 64}"
    assert "had the head 4:" in command(
        region, "audit", "verify", "--site", "--expect", cut, expect=7
    )


def test_wrong_roles_and_names_are_refused(region: ViewerRegion) -> None:
    said = command(region, "accounts", "add", "jo@example.gov.uk", "--role", "raeder", expect=2)
    assert "did you mean 'reader'?" in said
    assert "there is no account" in command(
        region, "accounts", "disable", "zoe@example.gov.uk", expect=2
    )


def test_view_serves_until_it_is_stopped_and_opens_no_key(region: ViewerRegion) -> None:
    for key in region.home.keys.iterdir():
        key.unlink()
    region.home.keys.rmdir()
    address = f"http://{region.home.settings().viewer.site['listen']}"
    started = subprocess.Popen(
        [
            str(Path(sys.executable).with_name("folkmoot-coordinator")),
            "view",
            "--home",
            str(region.home.path),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert started.stdout is not None
        assert started.stdout.readline().strip() == f"Serving {address}"
        assert httpx2.get(f"{address}/health").json() == {"status": "ok"}
        assert httpx2.get(address).status_code == 303
    finally:
        started.terminate()
        ended = started.wait(30)
        assert started.stdout is not None
        started.stdout.close()
    assert ended == 0


def test_view_says_that_the_region_is_missing(tmp_path: Path) -> None:
    done = run_inside("folkmoot-coordinator", "view", "--home", str(tmp_path))
    assert done.code == ExitCode.SETTINGS
    assert "there is no coordinator here" in done.stderr
