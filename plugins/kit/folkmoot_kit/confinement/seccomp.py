"""Seccomp: a process may make the system calls of a list alone. Standard library only."""

from __future__ import annotations

import ctypes
from collections.abc import Set

from folkmoot_kit.confinement.filter_files import FOLDER, filter_name
from folkmoot_kit.confinement.kernel import ARCH, ARCHITECTURES, call

_SET_MODE_FILTER = 1
_INSTRUCTION_BYTES = 8


class _Program(ctypes.Structure):
    _fields_ = [("instructions", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def read_filter(grants: Set[str]) -> bytes:
    """The shipped filter for this machine.

    Args:
        grants: Of `clock` and `network` those that the process has.

    Raises:
        LookupError: if there is none for this architecture.
    """
    if ARCH not in ARCHITECTURES:
        raise LookupError(f"no filter of system calls for {ARCH}")
    return (FOLDER / filter_name(ARCH, frozenset(grants))).read_bytes()


def load(program: bytes) -> None:
    """Puts the calling thread, and all that it starts, under a filter until they end.

    Raises:
        OSError: if the kernel refuses it.
    """
    instructions = ctypes.create_string_buffer(program, len(program))
    whole = _Program(len(program) // _INSTRUCTION_BYTES, ctypes.addressof(instructions))
    call("seccomp", _SET_MODE_FILTER, 0, ctypes.addressof(whole))
