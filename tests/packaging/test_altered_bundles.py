"""The installer refuses a bundle that is not what was signed, or not for this machine.

Each says why and how to mend it, and leaves nothing behind.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bundling.manifest import MANIFEST, SIGNATURE
from tests.bundles import INSTALLER, PYTHON, installer, sign_again, small_bundle, write_public_key

KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
WHEEL = "wheels/folkmoot_small-1.0-py3-none-any.whl"
ALTERED, MISSING, REFUSED, USAGE = 7, 3, 5, 2


@dataclass(frozen=True)
class Case:
    """What is done to a bundle, and what the installer says."""

    change: Callable[[Path], object]
    code: int
    says: str
    words: tuple[str, ...] = ()
    verifies: bool = False
    """Whether `verify` accepts it: only an installation meets what is wrong."""


def nothing(bundle: Path) -> None:
    """Leaves a bundle as it is."""


def append(name: str) -> Callable[[Path], object]:
    return lambda bundle: (bundle / name).write_bytes((bundle / name).read_bytes() + b"\n")


def signed(**changes: object) -> Callable[[Path], object]:
    return lambda bundle: sign_again(bundle, KEY, **changes)


def leading_out(bundle: Path) -> None:
    files = json.loads((bundle / MANIFEST).read_text())["files"]
    sign_again(bundle, KEY, files={**files, "wheels/../../x": {"sha256": "0" * 64, "bytes": 1}})


def linked(bundle: Path) -> None:
    (bundle / WHEEL).rename(bundle.parent / "kept")
    (bundle / WHEEL).symlink_to(bundle.parent / "kept")


CASES = {
    "a wheel is altered": Case(append(WHEEL), ALTERED, f"altered since it was signed: {WHEEL}"),
    "the installer is altered": Case(append("install.sh"), ALTERED, "signed: install.sh"),
    "what is wanted is altered": Case(
        append("requirements/base.txt"), ALTERED, "signed: requirements/base.txt"
    ),
    "the bill is altered": Case(append("sbom.cdx.json"), ALTERED, "signed: sbom.cdx.json"),
    "a file is missing": Case(
        lambda bundle: (bundle / WHEEL).unlink(), ALTERED, f"missing from the bundle: {WHEEL}"
    ),
    "a file is added": Case(
        lambda bundle: (bundle / "wheels" / "numpy-9-py3-none-any.whl").touch(),
        ALTERED,
        "in the bundle, and not in its manifest: wheels/numpy-9-py3-none-any.whl",
    ),
    "a hidden file is added": Case(
        lambda bundle: (bundle / ".pydistutils.cfg").touch(), ALTERED, ".pydistutils.cfg"
    ),
    "a file is a link": Case(linked, ALTERED, f"not a file: ./{WHEEL}"),
    "the manifest is altered": Case(append(MANIFEST), ALTERED, "not signed by this key"),
    "the manifest is missing": Case(
        lambda bundle: (bundle / MANIFEST).unlink(), ALTERED, "no manifest.json"
    ),
    "the signature is missing": Case(
        lambda bundle: (bundle / SIGNATURE).unlink(), ALTERED, "no manifest.json with its signature"
    ),
    "the signature is empty": Case(
        lambda bundle: (bundle / SIGNATURE).write_bytes(b""), ALTERED, "not signed by this key"
    ),
    "another has signed": Case(
        lambda bundle: sign_again(bundle, OTHER), ALTERED, "not signed by this key"
    ),
    "it is something else": Case(signed(kind="folkmoot round"), ALTERED, "cannot read"),
    "it is of another format": Case(signed(format=2), ALTERED, "cannot read"),
    "a name leads out of it": Case(leading_out, ALTERED, "cannot read"),
    "a version leads out of it": Case(signed(version="../1"), ALTERED, "cannot read"),
    "a command leads out of it": Case(signed(commands=["../x"]), ALTERED, "cannot read"),
    "it is of another role": Case(
        nothing, REFUSED, "of the role vendor, and not node", ("--role", "node")
    ),
    "it is for another Python": Case(signed(python="3.99"), MISSING, "is for Python 3.99"),
    "it is for another machine": Case(signed(machine="s390x"), MISSING, "is for s390x"),
    "it is for a newer system": Case(signed(glibc="2.999"), MISSING, "needs glibc 2.999"),
    "there is no room": Case(
        signed(installed_bytes=10**18), MISSING, "MiB more, and has", verifies=True
    ),
    "there is no such extra": Case(
        nothing, USAGE, "no extra casework", ("--with", "casework")
    ),
    "it is no node": Case(nothing, USAGE, "--accept is for nodes", ("--accept",)),
    "there is no such Python": Case(
        nothing, MISSING, "there is no Python at /nowhere", ("--python", "/nowhere")
    ),
    "it is no Python": Case(
        nothing, MISSING, "/bin/false does not start", ("--python", "/bin/false")
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_bundle(tmp_path_factory.mktemp("whole") / "bundle", KEY)


@pytest.fixture
def bundle(whole: Path, tmp_path: Path) -> Path:
    """A copy, with the public key beside it."""
    write_public_key(KEY, tmp_path / "maker.pub")
    return Path(shutil.copytree(whole, tmp_path / "bundle"))


def words(bundle: Path, *more: object) -> tuple[object, ...]:
    """Options; what is said last counts."""
    folder = bundle.parent
    return ("--bundle", bundle, "--key", folder / "maker.pub", "--prefix", folder / "opt",
            "--python", PYTHON, *more)  # fmt: skip


def require_nothing(bundle: Path) -> None:
    """Nothing was installed, and nothing is left."""
    found = [path for path in (bundle.parent / "opt").rglob("*") if path.name != "releases"]
    assert found == []


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_it_is_refused(case: Case, bundle: Path) -> None:
    case.change(bundle)
    done = installer("install", *words(bundle, *case.words))
    assert done.returncode == case.code, done.stdout + done.stderr
    assert case.says in done.stderr
    assert "Remedy: " in done.stderr
    require_nothing(bundle)
    verified = installer("verify", *words(bundle, *case.words))
    assert verified.returncode == (0 if case.verifies else case.code), verified.stderr
    assert case.verifies or case.says in verified.stderr


def test_one_that_is_whole_is_told_by_its_key(bundle: Path) -> None:
    from folkmoot_kit.provenance.signed import key_id, public_key

    done = installer("verify", *words(bundle))
    assert done.returncode == 0, done.stderr
    assert f"by the key {key_id(public_key(KEY))} ..." in done.stdout
    assert "The bundle is whole: vendor 1.0.0" in done.stdout
    require_nothing(bundle)


KEYS = {
    "none": ((), USAGE, "whose bundles are to be trusted?"),
    "nowhere": (("--key", "/nowhere"), MISSING, "there is no key at /nowhere"),
    "not a key": (("--key", str(INSTALLER)), MISSING, "is not an Ed25519 public key"),
}


@pytest.mark.parametrize(("given", "code", "says"), KEYS.values(), ids=KEYS)
def test_the_key_is_asked_for(given: tuple[str, ...], code: int, says: str, bundle: Path) -> None:
    done = installer("--bundle", bundle, "--prefix", bundle.parent / "opt", *given)
    assert done.returncode == code, done.stdout + done.stderr
    assert says in done.stderr
    require_nothing(bundle)


def test_a_key_of_another_kind_is_refused(bundle: Path) -> None:
    key, public = bundle.parent / "rsa.pem", bundle.parent / "rsa.pub"
    subprocess.run(["openssl", "genrsa", "-out", str(key), "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", str(key), "-pubout", "-out", str(public)], check=True,
                   capture_output=True)  # fmt: skip
    done = installer(*words(bundle, "--key", public))
    assert done.returncode == MISSING
    assert "is not an Ed25519 public key" in done.stderr


@pytest.mark.parametrize("place", ["", "requirements"])
def test_a_key_that_came_with_the_bundle_says_nothing(bundle: Path, place: str) -> None:
    key = write_public_key(KEY, bundle / place / "maker.pub")
    done = installer(*words(bundle, "--key", key))
    assert done.returncode == REFUSED
    assert "the key lies in the bundle that it is to check" in done.stderr


def tools(folder: Path, *left_out: str) -> str:
    """A folder of every program of the machine but some."""
    folder.mkdir()
    for place in ("/usr/bin", "/bin"):
        for path in Path(place).iterdir():
            if path.name not in left_out and not (folder / path.name).exists():
                (folder / path.name).symlink_to(path)
    return str(folder)


def test_without_openssl_nothing_is_installed(bundle: Path) -> None:
    path = tools(bundle.parent / "bin", "openssl")
    done = installer(*words(bundle), environment={"PATH": path})
    assert done.returncode == MISSING
    assert "openssl is missing" in done.stderr
    old = Path(path, "openssl")
    old.write_text('#!/bin/sh\necho "OpenSSL 1.1.1w  11 Sep 2023"\n')
    old.chmod(0o755)
    done = installer(*words(bundle), environment={"PATH": path})
    assert done.returncode == MISSING
    assert "OpenSSL 1.1.1w  11 Sep 2023 cannot check the signature" in done.stderr
    require_nothing(bundle)


COMMAND_LINES = {
    "an option that is not there": (("--force",), "there is no option --force"),
    "a command that is not there": (("uninstall",), "there is no command uninstall"),
    "two commands": (("list", "roll-back"), "two commands: list and roll-back"),
    "no value": (("--key",), "--key needs a value"),
    "a role that is not there": (("--role", "council"), "there is no role council"),
    "a folder that commands would break at": (("--prefix", "/opt/a b"), "cannot hold"),
    "no version": (("remove",), "there is no version ''"),
    "a version that leads out": (("remove", "../../x"), "there is no version '../../x'"),
    "a bundle that is not there": (
        ("--bundle", "/nowhere", "--key", "KEY"), "there is no folder /nowhere"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("given", "says"), COMMAND_LINES.values(), ids=COMMAND_LINES)
def test_wrong_command_lines(given: tuple[str, ...], says: str, tmp_path: Path) -> None:
    key = write_public_key(KEY, tmp_path / "maker.pub")
    prefix = () if "--prefix" in given else ("--prefix", tmp_path / "opt")
    done = installer(*prefix, *(str(key) if word == "KEY" else word for word in given))
    assert done.returncode == USAGE, done.stdout + done.stderr
    assert says in done.stderr


def test_folders_that_cannot_be_used(bundle: Path) -> None:
    (bundle.parent / "file").touch()
    done = installer(*words(bundle, "--prefix", bundle.parent / "file" / "opt"))
    assert done.returncode == MISSING
    assert "cannot be written" in done.stderr


def of_others(where: str, opt: Path) -> None:
    """Lets another account than root change what is at a place below a folder, or the folder."""
    (opt / "releases" / "0.9.0" / "bin").mkdir(parents=True)
    (opt / "releases" / "0.9.0" / "bin" / "python").touch()
    path = opt.parent if where == "above" else opt / where
    if where == "link":
        path = opt / "current"
        path.symlink_to("releases/0.9.0")
    os.chown(path, 1234, 1234, follow_symlinks=False)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root trusts a folder of others")
@pytest.mark.parametrize("command", ["install", "upgrade", "roll-back", "remove"])
@pytest.mark.parametrize("where", [".", "above", "releases", "link", "releases/0.9.0/bin/python"])
def test_root_goes_on_with_nothing_that_another_account_can_change(
    command: str, where: str, bundle: Path
) -> None:
    opt = bundle.parent / "above" / "opt"
    of_others(where, opt)
    more = ["0.9.0"] if command == "remove" else []
    done = installer(command, *more, *words(bundle, "--prefix", opt))
    assert done.returncode == REFUSED, done.stdout + done.stderr
    assert "another account than root can change" in done.stderr
    assert not (opt / ".installing").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root trusts a folder of others")
@pytest.mark.parametrize(
    ("mode", "refused"), [(0o755, False), (0o775, True), (0o757, True), (0o1777, False)]
)
def test_a_folder_above_that_others_can_write_to(mode: int, refused: bool, bundle: Path) -> None:
    above = bundle.parent / "above"
    above.mkdir()
    above.chmod(mode)
    done = installer(*words(bundle, "--prefix", above / "opt"))
    assert ("another account than root" in done.stderr) == refused, done.stderr


def test_two_installers_take_turns(bundle: Path) -> None:
    turn = bundle.parent / "opt" / ".installing"
    turn.mkdir(parents=True)
    (turn / "process").write_text(f"{os.getpid()}\n")
    done = installer(*words(bundle))
    assert done.returncode == REFUSED
    assert f"another installer is at work in {turn.parent} (process {os.getpid()})" in done.stderr


@pytest.mark.parametrize("command", ["upgrade", "roll-back", "remove"])
def test_where_nothing_is_installed(command: str, bundle: Path) -> None:
    done = installer(command, *(["1.0.0"] if command == "remove" else []), *words(bundle))
    assert done.returncode == REFUSED, done.stderr
    listed = installer("list", "--prefix", bundle.parent / "opt")
    assert listed.stdout == f"Nothing is installed in {bundle.parent / 'opt'}\n"


def test_the_installer_describes_itself() -> None:
    done = installer("--help")
    assert done.returncode == 0
    text = INSTALLER.read_text()
    options = {word for word in text.split() if word.startswith("--") and word.endswith(")")}
    for option in options:
        assert option.rstrip(")") in done.stdout, option
    assert subprocess.run(["sh", "-n", str(INSTALLER)], check=False).returncode == 0
    if shutil.which("shellcheck"):
        subprocess.run(["shellcheck", str(INSTALLER)], check=True)
