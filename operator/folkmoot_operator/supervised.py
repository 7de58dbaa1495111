"""Commands that run code of others, in a process that is watched: how they ended is what they say.

A plugin can end the process that it runs in, with an exit code that looks like success. So the
command runs in a child, which reports its exit code through a pipe when it has come to its end.
A child that has ended without a report has failed, whatever its exit code was.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from collections.abc import Callable

from folkmoot_operator.problems import ExitCode

_PR_SET_PDEATHSIG = 1
_FORWARDED = frozenset((signal.SIGINT, signal.SIGTERM, signal.SIGHUP))
_WATCHED = _FORWARDED | {signal.SIGCHLD}
_BY_KERNEL = 0x80
"""`si_code` of a signal that the terminal sends, to all processes in its foreground."""

Report = Callable[[int], None]
"""Takes the exit code of a command that has come to its end."""


def supervise() -> Report | None:
    """Goes on in a child process, while this one waits for it and ends as it says.

    To be called before threads are started. Output that Python code has redirected, as tests
    do, could not come back from a child: then nothing is done.

    Returns:
        What the child reports to, in the child; None if there is no child.
    """
    if sys.stdout is not sys.__stdout__ or sys.stderr is not sys.__stderr__:
        return None
    reading, writing = os.pipe()
    parent = os.getpid()
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _WATCHED)
    child = os.fork()
    if child:
        os.close(writing)
        _wait_for(child, reading)
    os.close(reading)
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
    with contextlib.suppress(AttributeError, OSError):  # not on Linux
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before it could be asked for
        raise SystemExit(ExitCode.FAULT)
    return lambda code: _send(writing, code)


def _send(writing: int, code: int) -> None:
    os.write(writing, bytes([code & 0xFF]))


def _wait_for(child: int, reading: int) -> None:
    """Waits for the child, and ends this process as it reported."""
    while True:
        arrived = signal.sigwaitinfo(_WATCHED)
        if arrived.si_signo in _FORWARDED and arrived.si_code != _BY_KERNEL:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child, arrived.si_signo)
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            break
    os.set_blocking(reading, False)
    try:
        reported = os.read(reading, 1)
    except BlockingIOError:  # a process of the child's still holds the pipe
        reported = b""
    if reported:
        code = reported[0]
    elif os.WIFSIGNALED(status):
        code = _as_signalled(os.WTERMSIG(status))
    else:
        code = ExitCode.FAULT
        print(
            "Error: the command ended before it was done: something that it ran has ended the "
            f"process (exit code {os.waitstatus_to_exitcode(status)}).\n"
            "  Remedy: find out which plugin does that; `folkmoot-plugin check` tries each. "
            "Nothing that this run was to record counts",
            file=sys.stderr,
        )
    sys.stderr.flush()
    os._exit(code)  # nothing of this process is left to be cleaned up


def _as_signalled(number: int) -> int:
    """Ends this process by the same signal; a code if it cannot be."""
    with contextlib.suppress(OSError):  # SIGKILL has no other way
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _WATCHED)
    return 128 + number
