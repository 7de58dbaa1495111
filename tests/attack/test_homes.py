"""Homes that another account can write to, owns, or has left something in.

The other account is real: a process that has given up root's rights, or has another user's.
"""

from __future__ import annotations

import importlib
import os
import pwd
import shlex
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.commands import PROGRAMS, run_inside
from tests.forked_commands import fork

TRAFFORD = "E08000009"
OTHER = 64_123
"""Number of an account that owns nothing."""

as_root = pytest.mark.skipif(
    os.geteuid() != 0, reason="only root can act as, or give a file to, a second account"
)


@pytest.fixture(autouse=True)
def _no_umask() -> Iterator[None]:
    """What is private must be so whatever the umask is, and the umask is put back."""
    before = os.umask(0)
    yield
    os.umask(before)


def make_node(home: Path) -> None:
    limits = ("--rho-per-round", "0.5", "--rho-per-period", "1", "--rho-lifetime", "2")
    run_inside(
        "folkmoot-node", "init", "--home", home, "--council", TRAFFORD, "--name", "T", *limits
    ).said()
    run_inside("folkmoot-node", "policy", "sign", "--home", home, "--signer", "A. Khan").said()


def make_coordinator(home: Path) -> None:
    run_inside(
        "folkmoot-coordinator", "init", "--home", home, "--name", "R", "--host", "127.0.0.1"
    ).said()


ROLES: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "folkmoot-node": (make_node, ["policy", "verify"]),
    "folkmoot-coordinator": (make_coordinator, ["councils", "list"]),
}


@pytest.fixture(params=ROLES)
def role(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def home(role: str, tmp_path: Path) -> Path:
    home = tmp_path / "a home"
    ROLES[role][0](home)
    return home


def refused(role: str, home: Path, *command: str) -> str:
    """What a command and `doctor` say of a home that they refuse."""
    done = run_inside(role, *(command or ROLES[role][1]), "--home", home)
    said = done.said(3)
    checked = run_inside(role, "doctor", "--home", home).said(3)
    remedy = said.partition("Remedy: ")[2].splitlines()[0]
    assert remedy[:40] in " ".join(checked.split())
    return said


def test_a_new_home_is_for_its_account_alone(home: Path) -> None:
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (home, *home.rglob("*"))}
    assert len(modes) > 5
    closed = {path: 0o700 if path.is_dir() else 0o600 for path in modes}
    open_ones = {path: oct(mode) for path, mode in modes.items() if mode != closed[path]}
    assert not open_ones


def test_init_closes_a_folder_and_policies_that_were_there(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o777)
    (home / "risk-policy.toml").write_text("schema = 1\n")
    assert (home / "risk-policy.toml").stat().st_mode & 0o022
    run_inside("folkmoot-node", "init", "--home", home, "--council", TRAFFORD, "--name", "T").said()
    for path in (home, home / "risk-policy.toml"):
        assert not path.stat().st_mode & 0o077


def test_what_stays_open_to_nobody_works(role: str, home: Path) -> None:
    run_inside(role, *ROLES[role][1], "--home", home).said()


WRITABLE = {
    "folkmoot-node": [
        ".", "keys", "keys/policy-signing.pub", "keys/policy-signing.key", "keys/store.key",
        "state.sqlite", "node.toml", "release-policy.toml", "release-policy.toml.sig",
        "risk-policy.toml", "mappings", "store",
    ],
    "folkmoot-coordinator": [".", "keys", "keys/ca.key", "coordinator.toml", "coordinator.sqlite"],
}  # fmt: skip


@pytest.mark.parametrize("bit", [stat.S_IWGRP, stat.S_IWOTH])
def test_what_others_can_write_is_refused_and_the_command_that_mends_it_does(
    role: str, home: Path, bit: int
) -> None:
    for name in WRITABLE[role]:
        path = home / name
        if not path.exists():
            path = next((home / "keys").iterdir())
        path.chmod(path.stat().st_mode | bit)
        said = refused(role, home)
        assert str(path) in said
        mend = said.partition("chmod ")[2].splitlines()[0]
        subprocess.run(shlex.split(f"chmod {mend}"), check=True)
        assert not path.stat().st_mode & 0o022
    run_inside(role, *ROLES[role][1], "--home", home).said()


def test_a_folder_above_in_which_all_can_write_is_refused_unless_it_is_sticky(
    role: str, home: Path
) -> None:
    home.parent.chmod(0o777)
    assert str(home.parent) in refused(role, home)
    home.parent.chmod(0o1777)
    run_inside(role, *ROLES[role][1], "--home", home).said()


@as_root
def test_what_belongs_to_another_account_is_refused(role: str, home: Path) -> None:
    for name in WRITABLE[role]:
        path = home / name
        if not path.exists():
            path = next((home / "keys").iterdir())
        os.chown(path, OTHER, OTHER)
        said = refused(role, home)
        assert str(path) in said
        assert str(OTHER) in said
        os.chown(path, 0, 0)
    run_inside(role, *ROLES[role][1], "--home", home).said()


@as_root
def test_a_key_elsewhere_that_others_can_write_does_not_sign(tmp_path: Path) -> None:
    home, key = tmp_path / "home", tmp_path / "signing.key"
    make_node(home)
    (home / "keys" / "policy-signing.key").rename(key)
    command = ("policy", "sign", "--home", home, "--signer", "A. Khan", "--key", key)
    run_inside("folkmoot-node", *command).said()
    key.chmod(0o666)
    assert f"chmod go-w {key}" in run_inside("folkmoot-node", *command).said(3)
    key.chmod(0o600)
    os.chown(key, OTHER, OTHER)
    assert str(OTHER) in run_inside("folkmoot-node", *command).said(3)


def _as_other(program: str, *arguments: str) -> None:
    """Runs a command as the other account."""
    os.setgroups([])
    os.setgid(OTHER)
    os.setuid(OTHER)
    os.umask(0)
    sys.argv = [program, *arguments]
    importlib.import_module(PROGRAMS[program]).main()


def as_other(program: str, *arguments: object) -> tuple[int, str]:
    """Exit code and output of a command that runs as the other account."""
    done = fork(_as_other, program, *map(str, arguments))
    return done.code, done.stdout + done.stderr


@as_root
def test_root_leaves_nothing_in_the_home_of_a_service(role: str, home: Path) -> None:
    """What root made there, state or lock or store, the service could not use afterwards."""
    for path in (home, *home.rglob("*")):
        os.chown(path, OTHER, OTHER)
    before = sorted(home.rglob("*"))
    attempts = {
        "folkmoot-node": [
            ["score"], ["policy", "sign", "--signer", "R"], ["purge"], ["ledger", "verify"],
        ],
        "folkmoot-coordinator": [["invite", TRAFFORD], ["councils", "list"], ["serve"]],
    }  # fmt: skip
    for command in attempts[role]:
        said = run_inside(role, *command, "--home", home).said(3)
        line = shlex.join([role, *command, "--home", str(home)])
        assert f"setpriv --reuid={OTHER} --regid={OTHER} --clear-groups {line}" in said
    assert sorted(home.rglob("*")) == before
    assert {path.stat().st_uid for path in (home, *home.rglob("*"))} == {OTHER}


@as_root
def test_root_is_told_how_to_run_a_command_as_an_account_with_a_name(home: Path, role: str) -> None:
    os.chown(home, pwd.getpwnam("nobody").pw_uid, -1)
    said = run_inside(role, *ROLES[role][1], "--home", home).said(3)
    assert f"runuser -u nobody -- {role} " in said


@as_root
def test_another_account_cannot_replace_the_key_of_a_new_home(open_folder: Path) -> None:
    """The attack that worked: `init` under the umask 000, then a new pair of keys."""
    home = open_folder / "home"
    make_node(home)
    done = fork(_replace_key, str(home))
    assert "PermissionError" in done.stderr
    run_inside("folkmoot-node", "policy", "verify", "--home", home).said()


def _replace_key(home: str) -> None:
    os.setgroups([])
    os.setgid(OTHER)
    os.setuid(OTHER)
    (Path(home) / "keys" / "policy-signing.pub").write_text("00" * 32)


@as_root
def test_a_service_refuses_a_home_of_another_account(role: str, open_folder: Path) -> None:
    home = open_folder / "home"
    ROLES[role][0](home)
    for path in (home, *home.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    code, said = as_other(role, *ROLES[role][1], "--home", home)
    assert code == 3, said
    assert f"sudo -u '#0' {role}" in said or f"sudo -u root {role}" in said
    assert f"chown -R {OTHER} {home}" in said
