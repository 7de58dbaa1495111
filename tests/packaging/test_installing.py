"""The guide to installing is run as it stands, on bundles of one small wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bundling.make import BILL, INSTALLER, PUBLIC_KEY, pack
from bundling.manifest import MANIFEST, SIGNATURE
from bundling.requirements import read_lock
from bundling.roles import roles
from bundling.wheels import collect
from tests.bundles import INSTALLER as SCRIPT
from tests.bundles import PYTHON, small_bundle, write_public_key
from tests.wheels import make_wheel

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "installing.md").read_text("utf-8")
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
START = 'import sys\nprint("accepted" if sys.argv[1:] == ["install", "accept"] else sys.argv)\n'
"""In place of the node's, whose `install accept` is tried with a whole node."""
NAME = "folkmoot-node-{}-linux_x86_64"
SAYS = {
    "openssl pkeyutl": "Signature Verified Successfully",
    "grep -q": "this installer was signed",
    "sh install.sh --key": "Folkmoot 0.1.0 (node) is current",
    "upgrade": "accepted",
    "list": "0.2.0",
    "install accept": "accepted",
    "roll-back": "Folkmoot 0.1.0 is current again",
    "remove 0.1.0": "Removed 0.1.0",
}
"""What commands of the guide say, by words in them."""


def lines() -> list[str]:
    blocks = re.findall(r"```console\n(.*?)```", GUIDE, re.S)
    found = [line for block in blocks for line in block.splitlines()]
    assert all(line[:2] in {"$ ", "# "} for line in found), "commands alone"
    return [line[2:] for line in found]


@pytest.mark.slow
def test_the_guide_as_it_stands(tmp_path: Path) -> None:
    pins = read_lock(ROOT / "bundling" / "pip.lock").values()
    pip = collect(pins, ROOT / ".wheels", tmp_path / "pip", print)["pip"]
    for version in ("0.1.0", "0.2.0"):
        files = {"folkmoot_node/start.py": START}
        folder = tmp_path / NAME.format(version)
        small_bundle(folder, KEY, version, role="node", files=files, pip=pip)
        pack(folder)
        shutil.rmtree(folder)
    subprocess.run(["tar", "-xf", f"{NAME.format('0.2.0')}.tar"], cwd=tmp_path, check=True)
    write_public_key(KEY, tmp_path / PUBLIC_KEY)
    make_wheel(tmp_path, "folkmoot_plugin_energy", {"energy.py": "ENERGY = 1\n"})
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3.11").symlink_to(PYTHON)
    path = f"{tmp_path / 'bin'}:{os.environ['PATH']}"
    folder, left = tmp_path, set(SAYS)
    for line in lines():
        command = line.replace("/opt/folkmoot", str(tmp_path / "opt"))
        if command.startswith("sh install.sh "):
            command += f" --prefix {tmp_path / 'opt'}"
        if command.startswith("cd "):
            folder = folder / command.removeprefix("cd ")
            continue
        if command.startswith(("make ", ".venv/")):
            break  # the last block, which test_the_maker_is_called_so tries
        if "upgrade" in command or "pip install" in command:
            folder = tmp_path
        if "remove" in command:
            again = command.replace("remove 0.1.0", "roll-back")
            subprocess.run(["sh", "-c", again], cwd=folder, check=True)
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=folder,
            env={**os.environ, "PATH": path},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
        for words, says in SAYS.items():
            if words in command:
                assert says in done.stdout, line
                left.discard(words)
    assert left == set()


def test_the_maker_is_called_so(tmp_path: Path) -> None:
    keygen, make = lines()[-2:]
    assert keygen.split()[0] == ".venv/bin/folkmoot-plugin"
    done = subprocess.run(
        ["sh", "-c", keygen.replace("bundle-key.pem", str(tmp_path / "key.pem"))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    shown = subprocess.run(
        ["sh", "-c", f"{make} --dry-run --assume-old=.venv/.ready"], cwd=ROOT,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "-m bundling --role node --key bundle-key.pem" in shown.stdout, shown.stderr
    helped = subprocess.run(
        [".venv/bin/python", "-m", "bundling", "--help"], cwd=ROOT, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert helped.returncode == 0
    assert {"--role", "--key", "--out"} <= set(helped.stdout.split())


def test_a_maker_without_a_key_is_told_how_to_make_one(tmp_path: Path) -> None:
    done = subprocess.run(
        [".venv/bin/python", "-m", "bundling", "--role", "node", "--key", str(tmp_path / "none")],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 3
    assert "make another with `folkmoot-plugin keygen`" in done.stderr


def test_the_tables_say_what_there_is() -> None:
    for file in (BILL, INSTALLER, MANIFEST, SIGNATURE, "wheels/", "requirements/", "deploy/"):
        assert f"| `{file}` |" in GUIDE
    for name, folder in (("node", "node"), ("coordinator", "coordinator")):
        hook = tomllib.loads((ROOT / folder / "pyproject.toml").read_text())
        extras = hook["tool"]["hatch"]["metadata"]["hooks"]["custom"]["optional-dependencies"]
        row = next(line for line in GUIDE.splitlines() if f"install parts of a {name}" in line)
        assert set(re.findall(r"--with (\w+)", row)) == set(extras)
    assert all(f"`{role}`" in GUIDE for role in roles())
    script = SCRIPT.read_text()
    codes = set(re.findall(r"(?:USAGE|SETTINGS|REFUSED|VERIFICATION)=(\d)", script)) | {"0", "1"}
    assert {line[2] for line in GUIDE.splitlines() if re.match(r"\| \d \|", line)} == codes
    for option in set(re.findall(r"(--[a-z][a-z-]+)", GUIDE.partition("## Make a bundle")[0])):
        known = {"--no-index", "--no-deps"}  # pip's
        assert option in known or f"    {option}) " in script or f"{option} |" in script, option
