"""The container's file names what a bundle holds and where the installer puts it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bundling.make import make_bundle
from bundling.roles import roles
from tests.bundles import INSTALLER
from tests.fresh import Shelf

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "deploy" / "Containerfile"


def instructions() -> dict[str, str]:
    """What each instruction says, continued lines joined."""
    text = re.sub(r"\\\n\s*", "", FILE.read_text("utf-8"))
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return dict(line.split(" ", 1) for line in lines)


def test_it_runs_the_installer_as_the_installer_wants_it() -> None:
    run = instructions()["RUN"]
    found = re.search(r"sh /mnt/bundle/install\.sh (?P<words>[^&]+)&&", run)
    assert found is not None
    words = found["words"].split()
    text = INSTALLER.read_text()
    assert words.pop(0) == "install"
    for option in words[::2]:
        assert f"    {option}) need " in text, option
    given = dict(zip(words[::2], words[1::2], strict=True))
    assert given["--role"] in roles()
    targets = dict(re.findall(r"source=(\S+?),target=(\S+)", run))
    assert given["--bundle"] == targets["bundle"]
    assert given["--key"] == targets["folkmoot-bundle.pub"], "the name that the maker writes"


def test_it_starts_what_the_installer_puts_there(tmp_path: Path) -> None:
    python, *options, start = json.loads(instructions()["ENTRYPOINT"])
    assert options == ["-I", "-S"]
    prefix = re.search(r"^    prefix=(/\S+)$", INSTALLER.read_text(), re.M)
    assert prefix is not None
    assert python == f"{prefix[1]}/current/bin/python3.11"
    inside = start.removeprefix(f"{prefix[1]}/current/lib/python3.11/site-packages/")
    assert (ROOT / "node" / inside).is_file()
    for unit in sorted((ROOT / "deploy").glob("*.service")):
        for found in re.findall(r"\S+/python3\.11 -I -S (\S+)", unit.read_text()):
            assert (ROOT / "node" / found.partition("site-packages/")[2]).is_file(), unit


def test_the_node_has_every_plugin_that_is_ours(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path)
    brought = set().union(*map(shelf.pulled, roles()["node"].distributions))
    settings = [*sorted(ROOT.glob("plugins/*/pyproject.toml")), ROOT / "node" / "pyproject.toml"]
    names = {str(tomllib.loads(path.read_text())["project"]["name"]) for path in settings}
    assert names <= brought
    scripts: dict[str, str] = {}
    for path in [*settings, ROOT / "coordinator" / "pyproject.toml"]:
        table = tomllib.loads(path.read_text())["project"]
        scripts |= dict.fromkeys(table.get("scripts", {}), table["name"])
    for role in roles().values():
        pulled = set().union(*map(shelf.pulled, role.distributions))
        assert {scripts[command] for command in role.commands} <= pulled


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_it_builds(tmp_path: Path) -> None:
    engine = next((name for name in ("podman", "docker") if shutil.which(name)), None)
    if engine is None or subprocess.run([engine, "info"], capture_output=True).returncode:
        pytest.skip("no container engine works here")
    key = Ed25519PrivateKey.generate()
    made = make_bundle(ROOT, roles()["node"], key, ROOT / ".wheels", tmp_path, print)
    made.rename(tmp_path / "bundle")
    build = [engine, "build", "-f", "bundle/deploy/Containerfile", "-t", "folkmoot-node-test", "."]
    subprocess.run(build, cwd=tmp_path, check=True)
    shown = subprocess.run(
        [engine, "run", "--rm", "folkmoot-node-test", "--version"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert shown.stdout == f"folkmoot-node {(ROOT / 'VERSION').read_text().strip()}\n"
