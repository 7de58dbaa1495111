"""What a process tries in order to prove each layer of its confinement, alone.

Each attempt is made where one layer stands in its way and no other does: what bubblewrap hides
before Landlock is in force, what Landlock refuses before seccomp is. So a layer that is missing
shows, though the others might contain the same attempt. Standard library only.
"""

from __future__ import annotations

import _socket
import contextlib
import ctypes
import errno
import mmap
import os
import resource
import struct
import time
from collections.abc import Callable, Iterator

from folkmoot_kit.confinement import kernel, landlock, limits, vdso
from folkmoot_kit.confinement.layers import (
    BUBBLEWRAP,
    CLOCK,
    HOST_NAME,
    LANDLOCK,
    LIMITS,
    NOBODY,
    SECCOMP,
    LayerFault,
    Setup,
)

_CAPABILITY_VERSION = 0x2008_0522
_ABSTRACT = "\0"
_REALTIME_COARSE = 5
_SECONDS_APART = 60.0


@contextlib.contextmanager
def fault_of(layer: str) -> Iterator[None]:
    """What the kernel refuses while a layer is put in place is that layer's fault."""
    try:
        yield
    except (OSError, ValueError, LookupError) as fault:
        raise LayerFault(layer, f"it cannot be put in place: {fault}") from fault


def of_bubblewrap(setup: Setup) -> str:
    """Tries to see the machine: its files, accounts, processes and network.

    Raises:
        LayerFault: if something can be seen, or written.
    """
    if os.getpid() != 2 or os.getppid() != 1:
        raise LayerFault(BUBBLEWRAP, "the process sees other processes of the machine")
    for path in setup["hidden"]:
        if os.path.lexists(path):
            raise LayerFault(BUBBLEWRAP, f"the process sees {path} of the machine")
    if extra := set(os.listdir("/")) - set(setup["top"]):  # noqa: PTH208 - pathlib is not imported
        raise LayerFault(BUBBLEWRAP, f"the process sees /{min(extra)} of the machine")
    for path in ["/", *setup["readable"]]:
        if not os.statvfs(path).f_flag & os.ST_RDONLY:
            raise LayerFault(BUBBLEWRAP, f"{path} can be written")
    if os.uname().nodename != HOST_NAME:
        raise LayerFault(BUBBLEWRAP, "the process sees the machine's name")
    if {os.getuid(), os.geteuid(), os.getgid(), os.getegid()} != {NOBODY}:
        raise LayerFault(BUBBLEWRAP, "the process has an account of the machine")
    header = struct.pack("=Ii", _CAPABILITY_VERSION, 0)
    sets = ctypes.create_string_buffer(24)
    kernel.call("capget", header, sets)
    if any(sets.raw):
        raise LayerFault(BUBBLEWRAP, "the process has capabilities")
    if not setup["network"]:
        caller = _made_socket(_socket.AF_UNIX)
        error = _error_of(lambda: caller.connect(_ABSTRACT + setup["outside"]))
        caller.close()
        if error != errno.ECONNREFUSED:
            raise LayerFault(BUBBLEWRAP, "the process reaches the machine's network")
    return "files, processes, accounts and network of the machine are out of sight"


def of_limits(setup: Setup) -> str:
    """Tries to take more memory than granted, and to raise the limits.

    Raises:
        LayerFault: if it succeeds.
    """
    for kind, most in limits.limits_of(setup).items():
        if max(resource.getrlimit(kind)) > most:
            raise LayerFault(LIMITS, f"limit {kind} is not in force")
    with contextlib.suppress(OSError):  # MemoryError is none: mmap raises OSError
        mmap.mmap(-1, limits.address_space(setup)).close()
        raise LayerFault(LIMITS, "the process can have more memory than granted")
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (1, 1))
        raise LayerFault(LIMITS, "the process can raise its limits")
    if kernel.prctl(kernel.PR_GET_DUMPABLE):
        raise LayerFault(LIMITS, "the process can leave a core dump")
    how = "real memory" if setup["control_group"] else "address space"
    counted = setup["control_group"] or not setup["by_root"]
    threads = f"at most {setup['processes']} threads"
    if not counted:
        threads = "threads are not counted, since root started it"
    return f"at most {setup['memory_mib']:,} MiB of {how}; {threads}; no core dump"


class LandlockAttempts:
    """What Landlock must refuse, and what was possible before it was in force.

    Made before; `prove` is called after.

    Raises:
        LayerFault: if an attempt fails for another reason, so that it would prove nothing.
    """

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._name = _ABSTRACT + "before"
        self._listener = _made_socket(_socket.AF_UNIX)
        self._listener.bind(self._name)
        self._listener.listen(1)
        for what, attempt, _ in self._attempts():
            if error := _error_of(attempt):
                raise LayerFault(LANDLOCK, f"cannot be proved: {what}: {os.strerror(error)}")

    def prove(self) -> str:
        """Tries all again.

        Raises:
            LayerFault: for what is still possible.
        """
        for what, attempt, expected in self._attempts():
            if _error_of(attempt) != expected:
                raise LayerFault(LANDLOCK, f"the process can {what}")
        self._listener.close()
        return f"version {landlock.abi()}: files that were not granted, ports, sockets, signals"

    def _attempts(self) -> Iterator[tuple[str, Callable[[], None], int]]:
        yield "open a file that it was not granted", self._open_file, errno.EACCES
        yield "list a folder that it was not granted", self._list_root, errno.EACCES
        yield "listen on a port", self._bind, errno.EACCES
        yield "reach an abstract socket", self._connect, errno.EPERM
        yield "send signals to others", self._signal, errno.EPERM

    def _open_file(self) -> None:
        os.close(os.open(self._setup["not_granted"], os.O_RDONLY))

    def _list_root(self) -> None:
        os.listdir("/")  # noqa: PTH208 - pathlib is not imported

    def _bind(self) -> None:
        made = _made_socket(_socket.AF_INET)
        try:
            made.bind(("127.0.0.1", 0))
        finally:
            made.close()

    def _connect(self) -> None:
        made = _made_socket(_socket.AF_UNIX)
        try:
            made.connect(self._name)
        finally:
            made.close()

    def _signal(self) -> None:
        os.kill(1, 0)


class SeccompAttempts:
    """What seccomp must refuse, and what was possible before it was in force.

    Made before; `prove` is called after.

    Raises:
        LayerFault: if an attempt fails for another reason, so that it would prove nothing.
    """

    def __init__(self) -> None:
        for what, attempt, _ in self._attempts():
            if error := _error_of(attempt):
                raise LayerFault(SECCOMP, f"cannot be proved: {what}: {os.strerror(error)}")

    def prove(self) -> str:
        """Tries all again.

        Raises:
            LayerFault: for what is still possible.
        """
        for what, attempt, expected in self._attempts():
            if _error_of(attempt) != expected:
                raise LayerFault(SECCOMP, f"the process can {what}")
        if _error_of(lambda: kernel.call("clone3", None, 0)) != errno.ENOSYS:
            raise LayerFault(SECCOMP, "the process can ask for clone3")
        return "system calls that are not on the list"

    def _attempts(self) -> Iterator[tuple[str, Callable[[], None], int]]:
        yield "make a socket", self._socket, errno.EPERM
        yield "make a file in memory", self._file_in_memory, errno.EPERM
        yield "send signals", lambda: os.kill(os.getpid(), 0), errno.EPERM
        yield "change its group", lambda: os.setpgid(0, 0), errno.EPERM

    def _socket(self) -> None:
        _made_socket(_socket.AF_UNIX).close()

    def _file_in_memory(self) -> None:
        os.close(kernel.call("memfd_create", b"attempt", 0))


def of_clock(clock_pages: range) -> str:
    """Tries to read the date: by the C library, by system calls, from the kernel's pages.

    Raises:
        LayerFault: if it succeeds, or if waiting for a time no longer works.
    """
    for clock in (time.CLOCK_REALTIME, time.CLOCK_BOOTTIME, time.CLOCK_TAI, _REALTIME_COARSE):
        # the coarse monotonic clock in its place; the machine has not run since 1970
        if abs(time.clock_gettime(clock) - time.monotonic()) > _SECONDS_APART:
            raise LayerFault(CLOCK, f"the process can read clock {clock}")
        if _error_of(lambda clock=clock: _read_clock(clock)) != errno.EPERM:  # type: ignore[misc]
            raise LayerFault(CLOCK, f"the process can read clock {clock} by a system call")
    for page in clock_pages[:: mmap.PAGESIZE]:
        if vdso.is_mapped(page):
            raise LayerFault(CLOCK, "the process can read the kernel's clock pages")
    return "no date; the monotonic clock in ticks, for waiting"


def _read_clock(clock: int) -> None:
    kernel.call("clock_gettime", clock, ctypes.create_string_buffer(16))


def _made_socket(family: int) -> _socket.socket:
    return _socket.socket(family, _socket.SOCK_STREAM)


def _error_of(attempt: Callable[[], object]) -> int:
    """The number of the error that an attempt ends with; 0 if it succeeds."""
    try:
        attempt()
    except OSError as error:
        return error.errno or errno.EIO
    return 0
