"""Where the compiled filters of system calls are, by architecture and grants."""

from __future__ import annotations

from pathlib import Path

FOLDER = Path(__file__).with_name("filters")
GRANTS = ("clock", "network")
"""The grants that change which system calls are allowed."""


def filter_name(arch: str, grants: frozenset[str]) -> str:
    """The file of a filter, such as `x86_64+network.bpf`."""
    return "+".join([arch, *(grant for grant in GRANTS if grant in grants)]) + ".bpf"
