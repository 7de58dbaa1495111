"""Commands run where a disk, a limit or an account is in the way, each in a process of its own.

The process gets its own view of the mounts, so that nothing outside it changes, and its mounts
go when it ends. What needs root is skipped with a reason where there is none.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import os
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.commands import PROGRAMS, Done
from tests.forked_commands import fork

_CLONE_NEWNS = 0x00020000
_MS_RDONLY, _MS_REMOUNT, _MS_BIND, _MS_REC, _MS_PRIVATE = 1, 32, 4096, 16384, 1 << 18
_CAPABILITY_VERSION = 0x20080522
NOBODY = 65534


def mounts_are_possible() -> str:
    """Why this process cannot have mounts of its own; empty if it can."""
    if os.geteuid() != 0:
        return "needs root, to mount a small disk"
    tried = subprocess.run(["unshare", "-m", "true"], check=False, capture_output=True)
    return "" if tried.returncode == 0 else "this machine permits no mounts of one's own"


def run_where(condition: str, home: Path, program: str, *arguments: object) -> Done:
    """Runs a command whose home meets a condition.

    Args:
        condition: One of `CONDITIONS`.
        home: The home folder; a copy of it is used where the disk is another.
        program: As in `tests.commands`.
        arguments: Of the command, with `--home` left out.
    """
    needs = CONDITIONS[condition][1]
    if needs and (reason := needs()):
        pytest.skip(reason)
    return fork(_run, condition, home, program, *map(str, arguments))


def _run(condition: str, home: Path, program: str, *arguments: str) -> None:
    main = importlib.import_module(PROGRAMS[program]).main
    sys.argv = [program, *arguments, "--home", str(home)]
    os.chdir(home.parent)  # where a command writes what it makes
    CONDITIONS[condition][0](home)
    main()


def _own_mounts() -> ctypes.CDLL:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare")
    _mount(libc, b"none", b"/", None, _MS_REC | _MS_PRIVATE)
    return libc


def _mount(libc: ctypes.CDLL, what: bytes, where: bytes, kind: bytes | None, flags: int,
           data: bytes | None = None) -> None:  # fmt: skip
    if libc.mount(what, where, kind, flags, data):
        raise OSError(ctypes.get_errno(), f"mount {where!r}")


def _on_small_disk(home: Path) -> ctypes.CDLL:
    """Puts a copy of the home on a disk of its own, mounted at the same place."""
    libc = _own_mounts()
    aside = home.with_name(home.name + ".aside")
    shutil.copytree(home, aside)
    size = sum(path.stat().st_size for path in home.rglob("*") if path.is_file())
    _mount(libc, b"tmpfs", bytes(home), b"tmpfs", 0, f"size={size + 2**20},mode=700".encode())
    shutil.copytree(aside, home, dirs_exist_ok=True)
    shutil.rmtree(aside)
    return libc


def full(home: Path) -> None:
    """The disk has no byte left."""
    _on_small_disk(home)
    filler = (home / "filler").open("wb", buffering=0)
    with contextlib.suppress(OSError):
        while filler.write(b"\0" * 4096):
            pass


def store_full(home: Path) -> None:
    """The disk of the scores alone has no byte left."""
    full(home / "store")


def store_of_another(home: Path) -> None:
    """The scores were made by another account, and only it can read them."""
    os.chown(home / "store" / "households.duckdb", NOBODY, NOBODY)
    _without_privilege()


def read_only(home: Path) -> None:
    """The disk is mounted read-only."""
    libc = _on_small_disk(home)
    _mount(libc, b"none", bytes(home), None, _MS_REMOUNT | _MS_RDONLY)


def no_larger_files(home: Path) -> None:
    """Files may not grow: a limit of the process."""
    del home
    resource.setrlimit(resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))


def too_many_files(home: Path) -> None:
    """No file can be opened any more but those that the libraries hold."""
    del home
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with contextlib.suppress(OSError):
        while True:
            os.dup(0)
    os.close(63)  # for a settings file, one after the other
    os.close(62)


def another_account(home: Path) -> None:
    """The home belongs to an account that is not the command's, which may only look at it.

    The interpreter may lie where only root can read it. So it is root that runs the command,
    without the right to disregard permissions.
    """
    for path in (home, *home.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
        os.chown(path, NOBODY, NOBODY)
    _without_privilege()


def _without_privilege() -> None:
    """Root keeps its number and gives up its right to disregard permissions."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    if ctypes.CDLL(None).capset(header, (ctypes.c_uint32 * 6)()):
        raise OSError("capset")


def locked(home: Path) -> None:
    """Another process holds the write lock of the database; the wait for it is cut short."""
    import folkmoot_coordinator.database.connection as theirs
    import folkmoot_node.evidence.database as ours

    ours._BUSY_SECONDS = theirs.BUSY_SECONDS = 0.2
    for name in ("state.sqlite", "coordinator.sqlite"):
        if (home / name).exists():
            holder = sqlite3.connect(home / name, isolation_level=None)
            holder.execute("BEGIN IMMEDIATE")
            _HELD.append(holder)


_HELD: list[sqlite3.Connection] = []


def _root() -> str:
    return "" if os.geteuid() == 0 else "needs root, to become another account"


CONDITIONS: dict[str, tuple[Callable[[Path], None], Callable[[], str] | None]] = {
    "full": (full, mounts_are_possible),
    "store_full": (store_full, mounts_are_possible),
    "store_of_another": (store_of_another, _root),
    "read_only": (read_only, mounts_are_possible),
    "no_larger_files": (no_larger_files, None),
    "too_many_files": (too_many_files, None),
    "another_account": (another_account, _root),
    "locked": (locked, None),
}
"""What is in the way, and why it cannot be tried here."""
