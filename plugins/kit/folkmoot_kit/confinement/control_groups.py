"""Control groups, where the service that runs the node was given some: they limit real memory.

Address space, of which every process has a limit, counts what is reserved. A control group counts
what is used, and says whether a process was ended for it. systemd delegates one with
`Delegate=memory pids` and `DelegateSubgroup=node`: the node then runs in `node`, and groups for
plugins are made beside it.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from folkmoot_kit.confinement.grants import Limits

HIERARCHY = Path("/sys/fs/cgroup")
_MEMBERSHIP = Path("/proc/self/cgroup")
_CONTROLLERS = ("memory", "pids")
_MIB = 1 << 20
_OTHERS = 2
"""Processes of bubblewrap itself in the group."""


@dataclass(frozen=True, slots=True)
class ControlGroup:
    """A control group that holds one confined process.

    Attributes:
        folder: Where the kernel shows it.
    """

    folder: Path

    def ran_out_of_memory(self) -> bool:
        """Whether the kernel has ended a process of it for its memory."""
        try:
            events = (self.folder / "memory.events").read_text().split()
        except OSError:
            return False
        counts = dict(zip(events[::2], events[1::2], strict=False))
        return counts.get("oom_kill", "0") != "0"

    def holds_a_process(self) -> bool:
        """Whether a process is in it."""
        try:
            return bool((self.folder / "cgroup.procs").read_text().strip())
        except OSError:
            return False

    def remove(self) -> None:
        """Removes it, when its processes have ended."""
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def delegated() -> Path | None:
    """The folder in which this process may make control groups; None without.

    That is the one above its own, if its account may write there and controllers are handed down.
    """
    try:
        lines = _MEMBERSHIP.read_text().splitlines()
    except OSError:
        return None
    own = next((line.removeprefix("0::/") for line in lines if line.startswith("0::/")), "")
    if not own:
        return None  # the whole machine's, which belongs to nobody
    above = (HIERARCHY / own).parent
    try:
        offered = (above / "cgroup.controllers").read_text().split()
    except OSError:
        return None
    writable = (above / name for name in ("", "cgroup.procs", "cgroup.subtree_control"))
    if above == HIERARCHY or not set(_CONTROLLERS) <= set(offered):
        return None
    return above if all(os.access(path, os.W_OK) for path in writable) else None


def make(limits: Limits) -> ControlGroup | None:
    """Makes a control group with limits; None where none is delegated.

    Args:
        limits: What the process in it may use.

    Raises:
        OSError: if one is delegated, and the kernel refuses to make another below it.
    """
    above = delegated()
    if above is None:
        return None
    (above / "cgroup.subtree_control").write_text(" ".join(f"+{it}" for it in _CONTROLLERS))
    folder = above / f"plugin-{secrets.token_hex(8)}"
    folder.mkdir()
    group = ControlGroup(folder)
    try:
        for name, value in (
            ("memory.max", str(limits.memory_mib * _MIB)),
            ("memory.swap.max", "0"),
            ("memory.oom.group", "1"),
            ("pids.max", str(limits.processes + _OTHERS)),
        ):
            if (folder / name).exists():  # one is missing where swap is not accounted for
                (folder / name).write_text(value)
    except OSError:
        group.remove()
        raise
    return group


def enter(group: ControlGroup, line: list[str]) -> list[str]:
    """A command line that enters a group first, so that all which it starts is in it."""
    script = 'echo $$ >"$0" && exec "$@"'
    return ["/bin/sh", "-c", script, str(group.folder / "cgroup.procs"), *line]
