"""Attempts of a factor to read the time, which comes from the context alone.

How long its own work takes it can always find out, by counting in a second thread. What it must
not have is the date and the time of day, and no exact clock.
"""

from __future__ import annotations

import ctypes
import os
import struct
import time
from collections.abc import Callable
from pathlib import Path

from folkmoot_kit.attacks.attempts import Collection, Group, Refused, Targets
from folkmoot_kit.attacks.system_calls import X86, call, machine_code
from folkmoot_kit.attacks.vdso import vdso_function

CLOCK = Collection(Group.CLOCK)
attempt = CLOCK.attempt

_TSC = b"\x0f\x31\x48\xc1\xe2\x20\x48\x09\xd0\xc3"
_TSCP = b"\x0f\x01\xf9\x48\xc1\xe2\x20\x48\x09\xd0\xc3"
_SET_TSC, _TSC_ENABLE = 26, 1
_DAY = 86_400.0
_BY_STATUS = "the status of files says when they changed, and Python cannot do without it"
_COARSE = 0.0005
"""Steps of a clock, in seconds, that are too long to see caches and other programs by."""


def _is_exact(read: Callable[[], float]) -> str:
    """Looks for the smallest step of a clock, in seconds."""
    steps, before = [], read()
    for _ in range(200_000):
        now = read()
        if now != before:
            steps.append(now - before)
        before = now
    if not steps:
        raise Refused("it stands still")
    if min(steps) > _COARSE:
        raise Refused(f"it goes in steps of {min(steps) * 1000:.0f} ms")
    return f"the clock goes in steps of {min(steps) * 1e6:.3f} microseconds"


def _is_now(moment: float, at: Targets) -> str:
    if abs(moment - at.now) > _DAY:
        raise Refused("it is not the date")
    return "read the date"


def _of_call(name: str, *before: int) -> float:
    held = ctypes.create_string_buffer(128)
    call(name, *before, held, 0)
    seconds, parts = struct.unpack_from("=qq", held.raw)
    return float(seconds + parts / 1e9)


@attempt("Read the time")
def read_time(at: Targets) -> str:
    """Calls time.time, as datetime does for today's date."""
    return _is_now(time.time(), at)


@attempt("Read an exact clock")
def read_exact_clock(at: Targets) -> str:
    """Calls time.perf_counter and time.monotonic, and looks how fine their steps are."""
    return _is_exact(time.perf_counter)


@attempt("Read the clock by a system call")
def clock_by_call(at: Targets) -> str:
    """Makes the system call `clock_gettime`."""
    return _is_now(_of_call("clock_gettime", 0), at)


@attempt("Read an exact clock by a system call")
def exact_clock_by_call(at: Targets) -> str:
    """Makes the system call `clock_gettime` for the clock of its own thread's work."""
    return _is_exact(lambda: _of_call("clock_gettime", 3))


@attempt("Read the clock by an older system call")
def clock_by_older_call(at: Targets) -> str:
    """Makes the system call `gettimeofday`."""
    return _is_now(_of_call("gettimeofday"), at)


@attempt("Read the clock by the oldest system call", machines=X86)
def clock_by_oldest_call(at: Targets) -> str:
    """Makes the system call `time`."""
    return _is_now(call("time", 0), at)


@attempt("Read the clock without the kernel")
def clock_of_vdso(at: Targets) -> str:
    """Finds the code that the kernel puts into each process, and calls its clock."""
    return _is_now(_of_vdso(0), at)


@attempt("Read an exact clock without the kernel")
def exact_clock_of_vdso(at: Targets) -> str:
    """Calls the same code for the clock that counts nanoseconds."""
    return _is_exact(lambda: _of_vdso(4))


def _of_vdso(clock: int) -> float:
    held = ctypes.create_string_buffer(16)
    if vdso_function("clock_gettime")(clock, held) != 0:
        raise Refused("the function fails")
    seconds, parts = struct.unpack("=qq", held.raw)
    return float(seconds + parts / 1e9)


@attempt("Read the processor's counter", machines=X86)
def read_counter(at: Targets) -> str:
    """Runs the instruction RDTSC."""
    return _is_exact(lambda: 1e-10 * machine_code(_TSC))


@attempt("Read the processor's counter by another instruction", machines=X86)
def read_counter_and_processor(at: Targets) -> str:
    """Runs the instruction RDTSCP."""
    return _is_exact(lambda: 1e-10 * machine_code(_TSCP))


@attempt("Allow itself the processor's counter", machines=X86)
def allow_counter(at: Targets) -> str:
    """Asks for RDTSC again, which was taken from it."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(_SET_TSC, ctypes.c_ulong(_TSC_ENABLE), 0, 0, 0) < 0:
        raise OSError(ctypes.get_errno(), "prctl")
    return _is_exact(lambda: 1e-10 * machine_code(_TSC))


@attempt("Ask how long the machine runs")
def read_uptime(at: Targets) -> str:
    """Makes the system call `sysinfo`."""
    held = ctypes.create_string_buffer(128)
    call("sysinfo", held)
    return f"{struct.unpack_from('=q', held.raw)[0]} seconds"


@attempt("Ask for the kernel's ticks")
def read_ticks(at: Targets) -> str:
    """Makes the system call `times`."""
    return f"{call('times', ctypes.create_string_buffer(64))} ticks"


@attempt("Set an alarm clock")
def timer(at: Targets) -> str:
    """Sets a timer to a time of day, and asks how long that is from now."""
    clock = call("timerfd_create", 0, 0)
    far = struct.pack("=qqqq", 0, 0, 1 << 33, 0)
    call("timerfd_settime", clock, 1, ctypes.create_string_buffer(far), 0)
    left = ctypes.create_string_buffer(32)
    call("timerfd_gettime", clock, left)
    return _is_now(float((1 << 33) - struct.unpack("=qqqq", left.raw)[2]), at)


@attempt("Read the time from a new pipe", known_limit=_BY_STATUS)
def time_of_pipe(at: Targets) -> str:
    """Asks for the age of a pipe that it makes."""
    return _is_now(os.fstat(os.pipe()[0]).st_mtime, at)


@attempt("Read the time from a file in memory")
def time_of_memory_file(at: Targets) -> str:
    """Asks for the age of a file in memory that it makes."""
    return _is_now(os.fstat(call("memfd_create", b"clock", 0)).st_mtime, at)


@attempt("Read the time from its own descriptors", known_limit=_BY_STATUS)
def time_of_descriptors(at: Targets) -> str:
    """Writes to the descriptor of errors and asks when that was written to."""
    os.write(2, b"\n")
    ages = [moment for number in (0, 1, 2) for moment in _times(os.fstat(number))]
    return _is_now(max(ages), at)


@attempt("Read the time from the sandbox's folders", known_limit=_BY_STATUS)
def time_of_folders(at: Targets) -> str:
    """Asks when the folders changed that were made when the sandbox was."""
    ages = [0.0]
    for folder in ("/", "/tmp", "/dev", "/usr", "/proc", os.path.dirname(__file__)):  # noqa: S108, PTH120
        if Path(folder).exists():
            found = Path(folder).stat()
            ages += [found.st_mtime, found.st_ctime]
    return _is_now(max(ages), at)


def _times(found: os.stat_result) -> tuple[float, float, float]:
    return found.st_atime, found.st_mtime, found.st_ctime
