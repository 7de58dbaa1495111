"""Attempts to take the host along: to end, to stop, never to answer."""

from __future__ import annotations

import ctypes
import os
import re
import signal
import sys
import threading

from folkmoot_kit.attacks.attempts import Collection, Group, Targets

ENDING = Collection(Group.ENDING)
attempt = ENDING.attempt

_SHORT = 1.5
"""Seconds that a call is granted which never comes back."""


@attempt("Leave with a code that looks like success", must_fail=True)
def leave(at: Targets) -> None:
    """Ends its process by os._exit(0)."""
    os._exit(0)


@attempt("Leave from another thread", must_fail=True)
def leave_from_thread(at: Targets) -> None:
    """Ends its process from a thread while the scoring thread waits."""
    threading.Thread(target=os._exit, args=(0,)).start()
    threading.Event().wait()


@attempt("Call sys.exit", must_fail=True, raises=True)
def call_exit(at: Targets) -> None:
    """Raises SystemExit with a code that looks like success."""
    raise SystemExit(0)


@attempt("Raise what looks like Ctrl-C", must_fail=True, raises=True)
def raise_interrupt(at: Targets) -> None:
    """Raises KeyboardInterrupt, as if a person had stopped the host."""
    raise KeyboardInterrupt


@attempt("Raise an error that is none", must_fail=True, raises=True)
def raise_strange(at: Targets) -> None:
    """Raises an exception whose text, name and comparison fail themselves."""

    class Strange(BaseException):
        def __str__(self) -> str:
            raise Strange

        __repr__ = __str__

    raise Strange


@attempt("Crash", must_fail=True)
def crash(at: Targets) -> None:
    """Writes to address 0."""
    ctypes.memset(0, 0, 1)


@attempt("Abort", must_fail=True)
def abort(at: Targets) -> None:
    """Ends by SIGABRT, which writes a core where that is allowed."""
    os.abort()


@attempt("Kill itself", must_fail=True)
def kill_itself(at: Targets) -> None:
    """Sends itself SIGKILL."""
    os.kill(os.getpid(), signal.SIGKILL)
    os._exit(0)


@attempt("Stop itself", must_fail=True, seconds=_SHORT)
def stop_itself(at: Targets) -> None:
    """Sends itself SIGSTOP: it neither ends nor answers."""
    os.kill(os.getpid(), signal.SIGSTOP)
    os._exit(0)


@attempt("Overflow the stack", must_fail=True)
def overflow(at: Targets) -> None:
    """Calls itself until the stack of the C library is used up."""
    sys.setrecursionlimit(1 << 30)
    nested: list[object] = []
    for _ in range(3_000_000):
        nested = [nested]
    hash(repr(nested))


@attempt("Never come back", must_fail=True, seconds=_SHORT)
def hang(at: Targets) -> None:
    """Counts without end, in Python."""
    while True:
        pass


@attempt("Never come back from C", must_fail=True, seconds=_SHORT)
def hang_in_c(at: Targets) -> None:
    """Searches a text without end and without giving other threads a turn."""
    re.match(r"(a+)+$", "a" * 64 + "b")


@attempt("Wait without end", must_fail=True, seconds=_SHORT)
def wait(at: Targets) -> None:
    """Waits for a lock that it holds itself."""
    lock = threading.Lock()
    lock.acquire()
    lock.acquire()


@attempt("Read the host's requests away", must_fail=True, seconds=_SHORT)
def read_channel(at: Targets) -> None:
    """Reads from the channel in place of what runs beside it, and answers nothing."""
    while os.read(0, 1):
        pass
    threading.Event().wait()


@attempt("Not be stopped", must_fail=True, seconds=_SHORT)
def ignore_signals(at: Targets) -> None:
    """Ignores every signal that can be ignored, and never comes back."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM, signal.SIGPIPE):
        ctypes.CDLL(None).signal(number, ctypes.c_void_p(1))  # Python's own wants its main thread
    while True:
        pass


@attempt("Keep all processors busy without end", must_fail=True, seconds=_SHORT)
def keep_busy(at: Targets) -> None:
    """Computes in several threads of C without end."""
    text = "a" * 64 + "b"
    for _ in range(8):
        threading.Thread(target=re.match, args=(r"(a+)+$", text), daemon=True).start()
    threading.Event().wait()
