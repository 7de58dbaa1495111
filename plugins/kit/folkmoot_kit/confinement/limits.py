"""Limits on one process: memory, threads, files, no core dump. Standard library only."""

from __future__ import annotations

import resource

from folkmoot_kit.confinement.layers import Setup

_MIB = 1 << 20
_DESCRIPTORS = 256
_RESERVED_MIB = 8192
_OTHERS = 1
"""What the kernel counts beside the threads of the process itself: bubblewrap's own."""


def address_space(setup: Setup) -> int:
    """Address space of the process, in bytes.

    Where a control group counts the memory that is used, libraries may reserve more.
    """
    reserved = _RESERVED_MIB if setup["control_group"] else 0
    return (setup["memory_mib"] + reserved) * _MIB


def limits_of(setup: Setup) -> dict[int, int]:
    """The limits, by what they limit; no process can raise them again."""
    return {
        resource.RLIMIT_AS: address_space(setup),
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: setup["scratch_mib"] * _MIB,
        resource.RLIMIT_MEMLOCK: 0,
        resource.RLIMIT_MSGQUEUE: 0,
        resource.RLIMIT_NOFILE: _DESCRIPTORS,
        resource.RLIMIT_NPROC: setup["processes"] + _OTHERS,
    }


def impose(setup: Setup) -> None:
    """Sets all limits of this process.

    Raises:
        OSError: if the kernel refuses one.
        ValueError: if a lower one is in force.
    """
    for kind, most in limits_of(setup).items():
        _, hard = resource.getrlimit(kind)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (allowed, allowed))
