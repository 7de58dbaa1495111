"""Attempts to use up what the machine has."""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import mmap
import os
import resource
import socket
import sys
import threading

import numpy as np

from folkmoot_kit.attacks.attempts import BEGUN, MARK, Collection, Group, Refused, Targets
from folkmoot_kit.attacks.system_calls import call

EXHAUSTING = Collection(Group.EXHAUSTING)
attempt = EXHAUSTING.attempt

_MIB = 1 << 20
_FLOOD_MIB = 128
_FILES = 8192
"""More open files than any plugin needs."""


def _more_than_granted(held: int, at: Targets) -> str:
    return f"holds {held} MiB, where {at.memory_mib} are granted"


@attempt("Take memory without end")
def take_memory(at: Targets) -> str:
    """Makes objects of Python until more than its memory is used."""
    held = [b"\xff" * _MIB for _ in range(at.memory_mib + 64)]
    return _more_than_granted(len(held), at)


@attempt("Take memory by NumPy")
def take_memory_by_numpy(at: Targets) -> str:
    """Makes arrays until more than its memory is used."""
    held = [np.ones(_MIB // 8) for _ in range(at.memory_mib + 64)]
    return _more_than_granted(len(held), at)


@attempt("Take memory from the kernel")
def take_memory_by_map(at: Targets) -> str:
    """Maps memory until more than its memory is used."""
    held = []
    for _ in range(at.memory_mib // 16 + 4):
        held.append(mmap.mmap(-1, 16 * _MIB))
        held[-1].write(b"\xff" * 16 * _MIB)
    return _more_than_granted(16 * len(held), at)


@attempt("Take shared memory")
def take_shared_memory(at: Targets) -> str:
    """Fills segments of System V memory one after the other, and lets go of each."""
    library = ctypes.CDLL(None, use_errno=True)
    library.shmat.restype = ctypes.c_void_p
    made: list[int] = []
    try:
        for _ in range(at.memory_mib // 16 + 4):
            made.append(call("shmget", 0, 16 * _MIB, 0o1600))
            address = library.shmat(made[-1], None, 0)
            if address in (None, ctypes.c_void_p(-1).value):
                raise OSError(ctypes.get_errno(), "shmat")
            ctypes.memset(address, 255, 16 * _MIB)
            library.shmdt(ctypes.c_void_p(address))
        return _more_than_granted(16 * len(made), at)
    finally:
        for segment in made:
            library.shmctl(segment, 0, None)


@attempt("Take memory by pipes")
def take_memory_by_pipes(at: Targets) -> str:
    """Fills pipes, whose contents belong to the kernel."""
    return _more_than_granted(_fill(at, os.pipe), at)


def _fill(at: Targets, make: object) -> int:
    """Fills pairs of descriptors until nothing more fits; gives what they hold, in MiB."""
    assert callable(make)
    kept, held = [], 0
    try:
        while held < (at.memory_mib + 64) * _MIB:
            reading, writing = make()
            kept += [reading, writing]
            os.set_blocking(writing, False)
            with contextlib.suppress(OSError):
                fcntl.fcntl(writing, fcntl.F_SETPIPE_SZ, _MIB)
            with contextlib.suppress(BlockingIOError):
                while True:
                    held += os.write(writing, b"\xff" * 65536)
    except OSError:
        if held < at.memory_mib * _MIB:
            raise
    finally:
        for descriptor in kept:
            os.close(descriptor)
    if held < at.memory_mib * _MIB:
        raise Refused(f"{held // _MIB} MiB at most")
    return held // _MIB


@attempt("Take memory by sockets")
def take_memory_by_sockets(at: Targets) -> str:
    """Fills pairs of sockets, whose contents belong to the kernel."""

    def pair() -> tuple[int, int]:
        reading, writing = socket.socketpair()
        return reading.detach(), writing.detach()

    return _more_than_granted(_fill(at, pair), at)


@attempt("Start threads without end")
def start_threads(at: Targets) -> str:
    """Starts four times as many threads as it is granted."""
    end, started = threading.Event(), []
    try:
        for _ in range(4 * at.threads):
            thread = threading.Thread(target=end.wait, daemon=True)
            thread.start()
            started.append(thread)
    except RuntimeError:
        raise Refused(f"{len(started)} threads at most") from None
    finally:
        end.set()
    return f"{len(started)} threads, where {at.threads} are granted"


@attempt("Start processes without end")
def start_processes(at: Targets) -> str:
    """Forks until there are more processes than it is granted threads."""
    made = []
    reading, writing = os.pipe()
    try:
        for _ in range(2 * at.threads):
            child = os.fork()
            if child == 0:
                os.close(writing)
                os.read(reading, 1)
                os._exit(0)
            made.append(child)
    finally:
        os.close(writing)
        for child in made:
            os.waitpid(child, 0)
    return f"{len(made)} processes"


@attempt("Take stacks for threads")
def take_stacks(at: Targets) -> str:
    """Starts threads whose stacks are together more than its memory."""
    threading.stack_size(64 * _MIB)
    end, started = threading.Event(), 0
    try:
        while started * 64 < 2 * at.memory_mib:
            thread = threading.Thread(target=end.wait, daemon=True)
            thread.start()
            started += 1
    except RuntimeError:
        raise Refused(f"{started} stacks at most") from None
    finally:
        end.set()
        threading.stack_size(0)
    return _more_than_granted(64 * started, at)


@attempt("Open files without end")
def open_files(at: Targets) -> str:
    """Opens a file until it has more descriptors than any plugin needs."""
    held: list[int] = []
    try:
        while len(held) < _FILES:
            held.append(os.open(sys.executable, os.O_RDONLY))
    finally:
        for descriptor in held:
            os.close(descriptor)
    return f"{len(held)} descriptors"


@attempt("Copy descriptors without end")
def copy_descriptors(at: Targets) -> str:
    """Copies one until it has more than any plugin needs."""
    held: list[int] = []
    try:
        while len(held) < _FILES:
            held.append(os.dup(2))
    finally:
        for descriptor in held:
            os.close(descriptor)
    return f"{len(held)} descriptors"


def _flood(descriptor: int) -> str:
    block = f"{MARK} {BEGUN} flood\n".encode() * 2_000  # the host keeps the end alone
    for _ in range(_FLOOD_MIB * _MIB // len(block)):
        os.write(descriptor, block)
    raise Refused(f"wrote {_FLOOD_MIB} MiB; what the host keeps of it shows there")


@attempt("Flood the descriptor of errors")
def flood_errors(at: Targets) -> str:
    """Writes a large text, which the host has to read and may not keep."""
    return _flood(2)


@attempt("Flood the descriptor of output")
def flood_output(at: Targets) -> str:
    """Writes a large text where programs print."""
    return _flood(1)


@attempt("Leave its memory on the disk", must_fail=True)
def write_core(at: Targets) -> None:
    """Asks for a core without limit, and dies of a fault."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    with contextlib.suppress(OSError, ValueError):
        resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))
    os.chdir("/")
    ctypes.memset(0, 0, 1)
