"""Bundles are installed without a network, upgraded, rolled back and removed by their installer."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from bundling.make import make_bundle, pack
from bundling.manifest import MANIFEST
from bundling.requirements import read_lock
from bundling.roles import roles
from bundling.wheels import collect, sha256
from tests.bundles import (
    COMMAND,
    INSTALLER,
    PYTHON,
    STARTS,
    installer,
    small_bundle,
    write_public_key,
)
from tests.night import by_night
from tests.own_etc import make_etc, missing, wrapped

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]
STORE = ROOT / ".wheels"
VERSION = (ROOT / "VERSION").read_text().strip()
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
WAITS = 'import time\ndef main():\n    print("here", flush=True)\n    time.sleep(300)\n'


@pytest.fixture(scope="module")
def pip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pins = read_lock(ROOT / "bundling" / "pip.lock").values()
    return collect(pins, STORE, tmp_path_factory.mktemp("pip"), print)["pip"]


class Place:
    """A machine's folder that bundles are installed into, with the key of their maker."""

    def __init__(self, folder: Path, pip: Path) -> None:
        self.folder, self.prefix, self._pip = folder, folder / "opt", pip
        self.key = write_public_key(KEY, folder / "maker.pub")

    def bundle(self, version: str, **given: object) -> Path:
        made = self.folder / f"bundle-{version}-{len(list(self.folder.iterdir()))}"
        return small_bundle(made, KEY, version, pip=self._pip, **given)  # type: ignore[arg-type]

    def words(self, bundle: Path) -> tuple[object, ...]:
        return ("--bundle", bundle, "--python", PYTHON, "--prefix", self.prefix)

    def run(self, *words: object) -> subprocess.CompletedProcess[str]:
        return installer(*words, "--prefix", self.prefix)

    def install(self, bundle: Path, *more: object) -> subprocess.CompletedProcess[str]:
        return self.run("install", *self.words(bundle), "--key", self.key, *more)

    def upgrade(self, bundle: Path, *more: object) -> subprocess.CompletedProcess[str]:
        return self.run("upgrade", *self.words(bundle), *more)

    def current(self) -> str:
        """What the command of the current version says."""
        command = [str(self.prefix / "current" / "bin" / COMMAND)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    def there(self) -> set[str]:
        return {path.name for path in self.prefix.iterdir()}


@pytest.fixture
def place(tmp_path: Path, pip: Path) -> Place:
    return Place(tmp_path, pip)


def program(version: str) -> str:
    return f"def main():\n    print({version!r})\n"


def test_upgraded_rolled_back_and_removed(place: Place) -> None:
    first = place.bundle("1.0.0", program=program("first"))
    second = place.bundle("1.1.0", program=program("second"))
    done = place.install(first, "--with", "more")
    assert done.returncode == 0, done.stdout + done.stderr
    assert place.current() == "first\n"
    assert place.there() == {"releases", "current", "install.sh", "bundle-key.pub"}
    again = place.install(first, "--with", "more")
    assert again.returncode == 0, again.stderr
    assert "installed already" in again.stdout
    other = place.install(first)
    assert (other.returncode, "Use `install.sh upgrade`" in other.stderr) == (5, True)
    refused = place.install(second)
    assert (refused.returncode, "Use `install.sh upgrade`" in refused.stderr) == (5, True)
    node = place.upgrade(place.bundle("1.1.0", role="node"))
    assert (node.returncode, "of the role node, and not vendor" in node.stderr) == (5, True)

    upgraded = place.upgrade(second)  # by the key and with the extras that are there
    assert upgraded.returncode == 0, upgraded.stderr
    assert place.current() == "second\n"
    assert (place.prefix / "current" / "lib" / "python3.11" / "site-packages" / "more.py").exists()
    assert place.run("list").stdout.split() == [
        *("1.0.0", "vendor", "previous", "with", "more"),
        *("1.1.0", "vendor", "current", "with", "more"),
    ]
    assert place.run("roll-back").returncode == 0
    assert place.current() == "first\n"
    assert place.run("roll-back").returncode == 0
    assert place.current() == "second\n"
    kept = place.run("remove", "1.1.0")
    assert (kept.returncode, "version 1.1.0 is current" in kept.stderr) == (5, True)
    assert place.run("remove", "1.0.0").returncode == 0
    assert place.run("list").stdout.split() == ["1.1.0", "vendor", "current", "with", "more"]
    assert place.run("roll-back").returncode == 5
    assert place.current() == "second\n"


@pytest.mark.parametrize(
    ("now", "given", "is_older"),
    by_night(
        [
            ("1.10.0", "1.9.0", True),
            ("1.0.0rc1", "1.0.0", False),
            ("1.0.0", "1.0.0rc1", True),
            ("1.9.0", "1.10.0", False),
        ],
        by_day=2,
    ),
)
def test_an_older_version_is_put_in_place_only_by_who_says_so(
    place: Place, now: str, given: str, is_older: bool
) -> None:
    """Bundles stay signed when a fault is found in them: somebody may hand out an old one."""
    assert place.install(place.bundle(now, program=program("now"))).returncode == 0
    bundle = place.bundle(given, program=program("given"))
    done = place.upgrade(bundle)
    assert done.returncode == (5 if is_older else 0), done.stderr
    assert place.current() == ("now\n" if is_older else "given\n")
    if is_older:
        assert "which is older than" in done.stderr
        assert "--allow-older" in done.stderr
        allowed = place.upgrade(bundle, "--allow-older")
        assert allowed.returncode == 0, allowed.stderr
        assert f"Going back from {now} to {given}" in allowed.stdout
        assert place.current() == "given\n"


def test_other_extras_of_the_same_version_are_installed_beside_it(place: Place) -> None:
    bundle = place.bundle("1.0.0", program=program("first"))
    assert place.install(bundle).returncode == 0
    more = place.upgrade(bundle, "--with", "more")
    assert more.returncode == 0, more.stdout + more.stderr
    assert sorted(line.split() for line in place.run("list").stdout.splitlines()) == [
        ["1.0.0", "vendor", "previous"],
        ["1.0.0-2", "vendor", "current", "with", "more"],
    ]
    again = place.upgrade(bundle, "--with", "more")
    assert (again.returncode, "installed already" in again.stdout) == (0, True)
    assert place.run("roll-back").returncode == 0
    assert not list((place.prefix / "current").glob("lib/*/site-packages/more.py"))


def test_what_is_interrupted_or_does_not_start_does_not_become_current(place: Place) -> None:
    assert place.install(place.bundle("1.0.0", program=program("first"))).returncode == 0
    waiting = place.bundle("1.1.0", program=WAITS)
    files = {"releases", "current", "install.sh", "bundle-key.pub"}
    for how in (signal.SIGTERM, signal.SIGKILL):
        process = subprocess.Popen(
            ["sh", str(INSTALLER), "upgrade", *map(str, place.words(waiting))],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        assert process.stdout is not None
        while process.stdout.readline() != "Trying it ...\n":
            assert process.poll() is None
        os.killpg(process.pid, how)
        process.communicate(timeout=60)
        assert process.returncode != 0
        assert place.current() == "first\n"
        assert place.run("list").stdout.split() == ["1.0.0", "vendor", "current"]
        if how is signal.SIGTERM:
            assert place.there() == files
            assert not (place.prefix / "releases" / "1.1.0").exists()
    broken = place.upgrade(place.bundle("1.2.0", program="import nothing\n"))
    assert broken.returncode == 1
    assert "what an interrupted installer left" in broken.stdout
    assert f"{COMMAND} does not start" in broken.stderr
    assert "the version that was current still is" in broken.stderr
    assert place.current() == "first\n"
    assert place.there() == files
    assert [path.name for path in (place.prefix / "releases").iterdir()] == ["1.0.0"]


def test_no_setting_of_who_installs_counts(place: Place, tmp_path: Path) -> None:
    """Variables and files of pip name indexes, and Python's name code."""
    (tmp_path / "sitecustomize.py").write_text("raise SystemExit(99)\n")
    done = installer(
        *("install", *place.words(place.bundle("1.0.0")), "--key", place.key),
        environment={
            "PYTHONPATH": str(tmp_path),
            "PIP_TARGET": str(tmp_path / "elsewhere"),
            "PIP_INDEX_URL": "http://127.0.0.1:9/simple",
        },
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert place.current() == STARTS.partition('"')[2].partition('"')[0] + "\n"


@pytest.mark.timeout(1200)  # a gigabyte is written
@pytest.mark.skipif(bool(missing()), reason=missing() or "-")
def test_a_node_without_a_network(tmp_path: Path) -> None:
    """Made as `make bundle` does, carried over, and installed where there is no network."""
    made = make_bundle(ROOT, roles()["node"], KEY, STORE, tmp_path / "out", print)
    archive = pack(made)
    shutil.rmtree(made)
    subprocess.run(["tar", "-xf", str(archive), "-C", str(tmp_path)], check=True)
    archive.unlink()
    bundle = tmp_path / made.name
    require_whole(bundle)
    etc, prefix = make_etc(tmp_path), tmp_path / "folkmoot"

    def run(*command: object) -> subprocess.CompletedProcess[str]:
        alone = ["unshare", "--net", *wrapped(etc, [str(word) for word in command])]
        done = subprocess.run(alone, capture_output=True, text=True, check=False)
        print(done.stdout, done.stderr)
        return done

    key = tmp_path / "out" / "folkmoot-bundle.pub"
    options = ("--key", key, "--prefix", prefix, "--python", PYTHON, "--role", "node")
    done = run("sh", bundle / "install.sh", *options, "--accept")
    assert done.returncode == 0
    assert "Accepted " in done.stdout
    shutil.rmtree(bundle)

    current = prefix / "current"
    packages = current / "lib" / "python3.11" / "site-packages"
    start = (current / "bin" / "python3.11", "-I", "-S", packages / "folkmoot_node" / "start.py")
    assert (
        run(current / "bin" / "folkmoot-node", "--version").stdout == f"folkmoot-node {VERSION}\n"
    )
    home = tmp_path / "home"
    first = run(*start, "init", "--council", "E08000009", "--name", "Trafford", "--home", home)
    assert first.returncode == 0
    assert run(*start, "install", "verify").returncode == 0
    assert run(current / "bin" / "folkmoot-node", "install", "verify").returncode == 0
    assert run(current / "bin" / "folkmoot-plugin", "--help").returncode == 0

    # Another version beside it, which nobody has accepted.
    shutil.copytree(prefix / "releases" / VERSION, prefix / "releases" / "9.9.9",
                    copy_function=os.link, symlinks=True)  # fmt: skip
    assert run("ln", "-sfn", "releases/9.9.9", current).returncode == 0
    refused = run(*start, "score", "--help")
    assert refused.returncode == 7
    assert f"nobody has accepted this version, and version {VERSION} was accepted" in refused.stderr
    assert run(*start, "install", "verify").returncode == 7
    assert run("ln", "-sfn", f"releases/{VERSION}", current).returncode == 0
    assert run(*start, "score", "--help").returncode == 0


def require_whole(bundle: Path) -> None:
    """The manifest names every file, and the bill every wheel; each wheel is one that is pinned."""
    manifest = json.loads((bundle / MANIFEST).read_text())
    wheels = sorted((bundle / "wheels").iterdir())
    assert {f"wheels/{path.name}" for path in wheels} <= set(manifest["files"])
    bill = (bundle / "sbom.cdx.json").read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(bill) is None
    listed = {
        one["hashes"][0]["content"]: (one["name"], one["version"])
        for one in json.loads(bill)["components"]
    }
    pins = read_lock(ROOT / "requirements.lock") | read_lock(ROOT / "bundling" / "pip.lock")
    for path in wheels:
        name, version = listed.pop(sha256(path))
        assert name.startswith("folkmoot") or sha256(path) in pins[name].digests
        assert version == (VERSION if name.startswith("folkmoot") else pins[name].version)
    assert listed == {}


def test_the_same_inputs_make_the_same_bundle(tmp_path: Path) -> None:
    vendor = roles()["vendor"]
    made = [make_bundle(ROOT, vendor, KEY, STORE, tmp_path / name, print) for name in ("a", "b")]
    assert (made[0] / MANIFEST).read_bytes() == (made[1] / MANIFEST).read_bytes()
    archives = [pack(folder) for folder in made]
    assert sha256(archives[0]) == sha256(archives[1])
    assert {path.name.partition("-")[0] for path in (made[0] / "wheels").iterdir()} >= {
        "folkmoot_sdk",
        "folkmoot_kit",
        "pytest",
        "pip",
    }
    assert not any("folkmoot_node" in path.name for path in (made[0] / "wheels").iterdir())
    assert sys.version_info[:2] == (3, 11)
