"""The layers of confinement, and what says that one of them does not hold.

A confined process imports this too: standard library only.
"""

from __future__ import annotations

from typing import TypedDict

BUBBLEWRAP, LANDLOCK, SECCOMP = "bubblewrap", "landlock", "seccomp"
CLOCK, LIMITS = "clock", "limits"
LAYERS = (BUBBLEWRAP, LANDLOCK, SECCOMP, CLOCK, LIMITS)
"""All are required. The order is that in which a process proves them."""

HOST_NAME = "plugin"
"""What a confined process believes its machine is called."""
NOBODY = 65534
"""Number of the account and group that a confined process sees as its own."""


class LayerFault(Exception):
    """A layer that does not hold. Nothing of a plugin has run yet.

    Attributes:
        layer: One of `LAYERS`.
        problem: What was possible, or what the kernel answered. It quotes no record.
    """

    def __init__(self, layer: str, problem: str) -> None:
        super().__init__(f"{layer}: {problem}")
        self.layer = layer
        self.problem = problem


class Setup(TypedDict):
    """What a process needs to know to lock itself down; it crosses to it as JSON.

    Attributes:
        readable: Files and folders that it may read.
        writable: Folders that it may write.
        network: Whether it may connect to others.
        clock: Whether it may read the time.
        memory_mib: Memory that it may have, in MiB.
        processes: How many threads it may have.
        control_group: Whether a control group limits both, too.
        by_root: Whether root has started it, whose threads no other limit counts.
        scratch_mib: Size of the largest file that it may write, in MiB.
        top: Names that the root folder holds, and no others.
        hidden: Paths that exist on the machine, and that it must not see.
        not_granted: A file that it sees, and that Landlock must refuse to it.
        outside: Name of an abstract socket of the machine's network, that it must not reach.
    """

    readable: list[str]
    writable: list[str]
    network: bool
    clock: bool
    memory_mib: int
    processes: int
    control_group: bool
    by_root: bool
    scratch_mib: int
    top: list[str]
    hidden: list[str]
    not_granted: str
    outside: str
