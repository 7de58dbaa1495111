"""Processes that a test looks at while they begin and end."""

from __future__ import annotations

import psutil


def command_line(process: psutil.Process) -> list[str]:
    """Of a process, its words; none if it has ended meanwhile."""
    try:
        return list(process.cmdline())
    except psutil.NoSuchProcess:  # a zombie too
        return []
