"""Namespaces of a running process, as the machine's kernel shows them to who has started it."""

from __future__ import annotations

from pathlib import Path

NAMESPACES = ("cgroup", "ipc", "mnt", "net", "pid", "user", "uts")
_PROCESSES = Path("/proc")


def descendants(pid: int) -> list[int]:
    """Processes that a process has started, and theirs."""
    threads = _PROCESSES / str(pid) / "task"
    children = [
        int(child)
        for thread in threads.iterdir()
        for child in (thread / "children").read_text().split()
    ]
    return [*children, *(below for child in children for below in descendants(child))]


def shared_with_us(pid: int) -> set[str]:
    """Which namespaces a process shares with this one.

    Raises:
        OSError: if it has ended, or may not be looked at.
    """
    ours, theirs = _PROCESSES / "self" / "ns", _PROCESSES / str(pid) / "ns"
    return {name for name in NAMESPACES if (ours / name).readlink() == (theirs / name).readlink()}
