"""Files that root alone can change: what an administrator has decided for a service account.

A file that the account can change decides nothing about the account: neither the file nor any
folder above it may be another's, open to others for writing, or a link.
"""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from folkmoot_operator.problems import ExitCode, Problem

DECISIONS = Path("/etc/folkmoot")
"""Where an administrator's decisions lie. No setting and no variable names another place."""
_FOR_ALL = 0o644
_FOLDER_FOR_ALL = 0o755
_LONGEST_NAME = 255


def name_of(path: Path) -> str:
    """A path as the name of one file: `/srv/folkmoot` is `%2Fsrv%2Ffolkmoot`."""
    return quote(str(path), safe="")


def read_root_file(path: Path) -> bytes | None:
    """What is in a file that root alone can change; None if it is not there.

    Raises:
        Problem: If somebody else could change it, or it cannot be read. That is never taken for
            a file that is missing.
    """
    if len(path.name) > _LONGEST_NAME:
        return None  # no file can have this name
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        if path.is_symlink():
            raise _unsafe(path, "is a link that leads nowhere") from None
        return None
    except OSError as error:
        raise _unsafe(path, f"cannot be read ({error.strerror})") from None
    try:
        for folder in reversed(path.parents):
            _require_root(folder, folder.lstat(), stat.S_ISDIR)
        _require_root(path, os.fstat(descriptor), stat.S_ISREG)
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read()
    finally:
        os.close(descriptor)


def write_root_file(path: Path, content: bytes) -> None:
    """Writes a file that everybody can read and root alone can change; for root.

    Raises:
        Problem: If it cannot be written, or somebody else could change it for what is above it.
    """
    missing = [folder for folder in path.parents if not folder.exists()]
    try:
        for folder in reversed(missing):
            folder.mkdir()
            folder.chmod(_FOLDER_FOR_ALL)
        unfinished = path.with_name(f".{os.getpid()}.new")
        unfinished.write_bytes(content)
        unfinished.chmod(_FOR_ALL)
        unfinished.replace(path)
    except OSError as error:
        raise Problem(
            f"cannot be written ({error.strerror})",
            where=str(path),
            remedy="Make room for it, or choose a folder with a shorter path",
            exit_code=ExitCode.SETTINGS,
        ) from None
    read_root_file(path)


def commands_for_root(path: Path, content: str) -> tuple[str, ...]:
    """What root types in order to write such a file with one line in it."""
    place = shlex.quote(str(path))
    return (
        f"sudo install -d -o root -g root -m 0755 {shlex.quote(str(path.parent.parent))} "
        f"{shlex.quote(str(path.parent))}",
        f"printf '%s\\n' {shlex.quote(content)} | sudo tee {place}",
        f"sudo chown root:root {place} && sudo chmod 0644 {place}",
    )


def _require_root(path: Path, found: os.stat_result, is_kind: Callable[[int], bool]) -> None:
    if not is_kind(found.st_mode):
        raise _unsafe(path, "is a link, or not what it should be")
    if found.st_uid != 0:
        raise _unsafe(path, "does not belong to root", f"chown root:root {shlex.quote(str(path))}")
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        repair = f"chmod go-w {shlex.quote(str(path))}"
        raise _unsafe(path, "can be changed by other accounts than root", repair)


def _unsafe(path: Path, problem: str, command: str = "") -> Problem:
    remedy = "Have root look at what it holds"
    return Problem(
        problem,
        where=str(path),
        remedy=f"{remedy}, then as root run `{command}`" if command else remedy,
        exit_code=ExitCode.SETTINGS,
    )
