"""What a bundle of each role holds."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path

_FILE = Path(__file__).with_name("roles.toml")


@dataclass(frozen=True, slots=True)
class Role:
    """A role, and what it needs.

    Attributes:
        name: `node`, `coordinator` or `vendor`.
        distributions: Requirements of ours that are always installed; the first has the extras.
        commands: Commands that must start once it is installed; the first gives the version.
    """

    name: str
    distributions: tuple[str, ...]
    commands: tuple[str, ...]


def roles() -> dict[str, Role]:
    """Every role, by name."""
    return {
        name: Role(name, tuple(table["distributions"]), tuple(table["commands"]))
        for name, table in tomllib.loads(_FILE.read_text("utf-8")).items()
    }
