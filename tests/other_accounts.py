"""Programs that run as other accounts of the operating system, by number.

Another account may not be able to enter the folder where this Python lies, such as root's own. The
program then sees an open folder in its place, in a mount namespace that ends with it, with nothing
in it but Python; the machine's own folder stays as it is.
"""

from __future__ import annotations

import atexit
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class Account:
    """An account.

    Attributes:
        uid: Its number.
        gid: Number of its own group.
        groups: Numbers of further groups.
    """

    uid: int
    gid: int
    groups: tuple[int, ...] = ()


def give_to(account: Account, home: Path) -> None:
    """Gives a folder with all that is in it to an account, which may walk to it."""
    for path in (home, *home.rglob("*")):
        os.chown(path, account.uid, account.gid)
    for above in home.parents:
        if above != Path("/") and not above.stat().st_mode & 1:
            above.chmod(above.stat().st_mode | 0o011)


def as_account(account: Account, *command: object) -> list[str]:
    """A command line that runs a program as an account."""
    groups = ["--groups", ",".join(map(str, account.groups))] if account.groups else [
        "--clear-groups"
    ]  # fmt: skip
    become = ["setpriv", f"--reuid={account.uid}", f"--regid={account.gid}", *groups, "--"]
    line = [*become, *map(str, command)]
    closed = _closed()
    if not closed:
        return line
    script = f'd="{_stage()}" && '
    for folder, children in closed.items():
        script += 'mount -t tmpfs -o mode=755 tmpfs "$d" && '
        for child in children:
            script += f'mkdir "$d/{child}" && mount --bind "{folder}/{child}" "$d/{child}" && '
        script += f'mount --rbind "$d" "{folder}" && '
    script += 'exec "$@"'
    return ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", *line]


@cache
def why_not() -> str:
    """Why no program can run as another account here; empty if one can."""
    if os.geteuid() != 0:
        return "only root can act as other accounts"
    for program in ("setpriv", "unshare"):
        if shutil.which(program) is None:
            return f"util-linux's {program} is not installed"
    tried = subprocess.run(
        as_account(Account(64_199, 64_199), sys.executable, "-c", "import folkmoot_node"),
        cwd="/", capture_output=True, check=False,
    )  # fmt: skip
    if tried.returncode == 0:
        return ""
    return f"other accounts cannot run this Python: {tried.stderr.decode()[-300:]}"


@cache
def _stage() -> str:
    """A folder on which programs mount, each in its own namespace; it stays empty."""
    # Not in /tmp, which a service may have for itself.
    folder = tempfile.mkdtemp(prefix="folkmoot-open-folder-", dir="/run")
    atexit.register(os.rmdir, folder)
    return folder


@cache
def _closed() -> dict[str, tuple[str, ...]]:
    """Folders above Python and this repository that others cannot enter, and what is in the way."""
    needed = {Path(sys.base_prefix).resolve(), Path(sys.prefix).resolve(), ROOT}
    found: dict[str, set[str]] = {}
    for place in needed:
        for child, folder in zip(place.parents, list(place.parents)[1:], strict=False):
            if not folder.stat().st_mode & 0o001:
                found.setdefault(str(folder), set()).add(child.name)
    return {folder: tuple(sorted(children)) for folder, children in found.items()}
