"""Commands that see an /etc of their own, in which root has decided something.

The places that root decides in are fixed, and no setting leads elsewhere. A test therefore mounts
a copy of /etc over it, in a mount namespace that ends with the command; the machine's own /etc
stays as it is.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import shutil
import subprocess
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tests.commands import Done
from tests.forked_commands import fork, run_here

_NEEDED = ("passwd", "group", "nsswitch.conf", "hosts", "localtime", "ld.so.cache", "ld.so.conf")
_LATE = (
    "encodings.utf_8_sig",
    "folkmoot_node.operations.pin_signer",
    "folkmoot_node.policies.risk_policy",
)
_NEW_MOUNTS = 0x20000
_BIND, _RECURSIVE, _PRIVATE = 0x1000, 0x4000, 0x40000


@cache
def missing() -> str:
    """Why no /etc can be mounted here; empty if one can."""
    if os.geteuid() != 0:
        return "only root can mount an /etc of its own"
    if shutil.which("unshare") is None:
        return "util-linux's unshare is not installed"
    tried = subprocess.run(
        ["unshare", "-m", "mount", "--bind", "/tmp", "/etc"], capture_output=True, check=False
    )
    return "" if tried.returncode == 0 else f"no mount namespace here: {tried.stderr.decode()}"


def make_etc(folder: Path) -> Path:
    """A copy of what programs need of /etc, to be mounted over it; root's, as it has to be."""
    etc = folder / "etc"
    etc.mkdir()
    for name in _NEEDED:
        if Path("/etc", name).is_file():
            shutil.copy(Path("/etc", name), etc / name)
    etc.chmod(0o755)  # whatever the umask is: other accounts look for what root decided
    return etc


def run_with_etc(etc: Path, program: str, *arguments: object, account: int = 0) -> Done:
    """Runs a public command with another /etc.

    Args:
        etc: From `make_etc`.
        program: Name of the console script.
        arguments: Its arguments.
        account: Number of the account that runs it.
    """
    return fork(_run, str(etc), account, program, *map(str, arguments))


def wrapped(etc: Path, command: Sequence[str]) -> list[str]:
    """A command line that runs a command with another /etc."""
    script = 'mount --bind "$0" /etc && exec "$@"'
    return ["unshare", "-m", "--propagation", "private", "sh", "-c", script, str(etc), *command]


def _run(etc: str, account: int, program: str, *arguments: str) -> None:
    mount_etc(etc)
    if account:
        for name in _LATE:  # the account may not read where this Python lies
            importlib.import_module(name)
        os.setgroups([])
        os.setresgid(account, account, account)
        os.setresuid(account, account, account)
    run_here(program, *arguments)


def mount_etc(etc: str) -> None:
    """Mounts an /etc for this process and those that it starts."""
    libc = ctypes.CDLL(None, use_errno=True)
    for done in (
        libc.unshare(_NEW_MOUNTS),
        libc.mount(b"none", b"/", None, _RECURSIVE | _PRIVATE, None),
        libc.mount(etc.encode(), b"/etc", None, _BIND, None),
    ):
        if done != 0:
            raise OSError(ctypes.get_errno(), "mount")
