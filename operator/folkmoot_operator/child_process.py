"""Processes that `serve` starts: they end when it ends, however that comes about."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from folkmoot_operator.private_files import OTHERS
from folkmoot_operator.service_manager import for_children

_PYTHON = (sys.executable, "-P")
"""Modules are not looked for in the working folder."""
_PASSED_ON = {
    "PATH", "HOME", "USER", "LOGNAME", "LANG", "LANGUAGE", "TZ", "TMPDIR", "VIRTUAL_ENV",
    "LD_LIBRARY_PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "DO_NOT_TRACK",
}  # fmt: skip
_KINDS_PASSED_ON = ("LC_", "PYTHON", "XDG_")
_PR_SET_PDEATHSIG = 1
_STARTED_BY_NOBODY = 70
"""Exit code if the parent has ended before the command was started."""


def without_secrets(environment: Mapping[str, str], *, also: str) -> dict[str, str]:
    """The variables that a program needs to run, and no others: passwords are among those.

    Args:
        environment: All variables.
        also: Names that begin so are kept, too.
    """
    kinds = (*_KINDS_PASSED_ON, also)
    return {
        name: value
        for name, value in environment.items()
        if name in _PASSED_ON or name.startswith(kinds)
    }


def start(
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    *,
    stdin: int = subprocess.DEVNULL,
    output: IO[bytes] | int = subprocess.DEVNULL,
    errors: IO[bytes] | int | None = None,
    keep_open: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Starts a command of this environment's Python, to be called from the main thread.

    Linux sends the process SIGTERM when this one ends, even by SIGKILL. It is in a session of
    its own, so that Ctrl-C reaches `serve` alone, which stops it in its turn.

    Args:
        command: Arguments of Python: `-m`, a module, its arguments.
        environment: All its environment variables.
        folder: Its working folder.
        stdin: As in `subprocess.Popen`.
        output: Where its standard output goes.
        errors: Where its standard error goes; None for that of this process.
        keep_open: File descriptors that it inherits.
    """
    return subprocess.Popen(
        [*_PYTHON, "-m", __name__, str(os.getpid()), *_PYTHON, *command],
        env=for_children(environment),
        cwd=folder,
        stdin=stdin,
        stdout=output,
        stderr=errors,
        pass_fds=keep_open,
        start_new_session=True,
        umask=OTHERS,  # their files are for this account alone
    )


def stop(child: subprocess.Popen[bytes], seconds: float) -> None:
    """Ends a process: SIGTERM, and SIGKILL if it still runs after `seconds`."""
    if child.poll() is None:
        child.terminate()
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _become(parent: int, command: Sequence[str]) -> None:
    """Asks to be ended with the parent, and becomes the command."""
    with contextlib.suppress(AttributeError, OSError):  # not on Linux
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:  # it ended before it was asked
        raise SystemExit(_STARTED_BY_NOBODY)
    os.execv(command[0], list(command))  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    _become(int(sys.argv[1]), sys.argv[2:])
