"""System calls for which Python has no function, by ctypes. Standard library only."""

from __future__ import annotations

import ctypes
import os
import platform
import re

ARCH = os.uname().machine
"""Such as `x86_64` or `aarch64`."""
LIBC = ctypes.CDLL(None, use_errno=True)
_NUMBERS = {
    # name: x86_64, aarch64
    "seccomp": (317, 277),
    "memfd_create": (319, 279),
    "clone3": (435, 435),
    "close_range": (436, 436),
    "landlock_create_ruleset": (444, 444),
    "landlock_add_rule": (445, 445),
    "landlock_restrict_self": (446, 446),
    "clock_gettime": (228, 113),
    "capget": (125, 90),
    "unshare": (272, 97),
}
ARCHITECTURES = ("x86_64", "aarch64")

PR_SET_DUMPABLE, PR_GET_DUMPABLE, PR_SET_NO_NEW_PRIVS = 4, 3, 38
_CLONE_THREAD = 0x10000

LIBC.syscall.restype = ctypes.c_long
LIBC.prctl.argtypes = [ctypes.c_int, *[ctypes.c_ulong] * 4]


def call(name: str, *arguments: int | bytes | ctypes.Array[ctypes.c_char] | None) -> int:
    """Makes a system call.

    Args:
        name: Its name.
        arguments: Numbers, buffers, or None for a null pointer.

    Raises:
        OSError: if the kernel refuses it.
    """
    number = _NUMBERS[name][ARCHITECTURES.index(ARCH)]
    wide = [ctypes.c_long(it) if isinstance(it, int) else it for it in arguments]
    answer: int = LIBC.syscall(ctypes.c_long(number), *wide)
    return checked(answer)


def checked(answer: int) -> int:
    """The answer of a function of the C library.

    Raises:
        OSError: if it is negative.
    """
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return answer


def prctl(option: int, argument: int = 0) -> int:
    """Changes or reads an attribute of this process.

    Raises:
        OSError: if the kernel refuses it.
    """
    return checked(LIBC.prctl(option, argument, 0, 0, 0))


def has_threads() -> bool:
    """Whether this process has threads beside the one that asks; needs no /proc."""
    try:
        call("unshare", _CLONE_THREAD)  # does nothing for one thread, and is refused for more
    except OSError:
        return True
    return False


def release() -> tuple[int, int]:
    """Version of the running kernel, such as (6, 12)."""
    found = re.match(r"([0-9]+)\.([0-9]+)", platform.release())
    return (int(found[1]), int(found[2])) if found else (0, 0)
