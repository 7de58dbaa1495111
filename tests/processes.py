"""Processes that a test looks at while they begin and end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil


def command_line(process: psutil.Process) -> list[str]:
    """Of a process, its words; none if it has ended meanwhile."""
    try:
        return list(process.cmdline())
    except psutil.NoSuchProcess:  # a zombie too
        return []


def connections(process: psutil.Process) -> list[Any]:
    """Of a process, its connections of the internet as psutil has them; none if it has ended."""
    try:
        return list(process.net_connections("inet"))
    except psutil.NoSuchProcess:
        return []


def has_ended(process: psutil.Process) -> bool:
    """Whether a process runs no more, though nobody may have asked yet how it ended."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def is_stopped(pid: int) -> bool:
    """Whether each thread of a process has come to a halt, some time after SIGSTOP."""
    states = [
        (one / "stat").read_text().rpartition(")")[2].split()[0]
        for one in Path(f"/proc/{pid}/task").iterdir()
    ]
    return set(states) == {"T"}
