"""Gives every distribution the version in the file VERSION, and pins the others to it.

Each distribution links to this file. A source distribution holds a copy of it, and its
PKG-INFO the version and requirements, so that it can be built without this repository.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

OURS = "folkmoot"  # the name of the contract, and how the names of all others begin


class OneVersion(MetadataHookInterface):
    """Fills in what a distribution's `pyproject.toml` lists as `dynamic`."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Set `version`, `dependencies`, and extras that name ours, from the hook's own table.

        Args:
            metadata: the `project` table, changed in place.
        """
        version = (Path(__file__).resolve().parent / "VERSION").read_text().strip()
        metadata["version"] = version
        metadata["dependencies"] = _pinned(self.config["dependencies"], version)
        extras = self.config.get("optional-dependencies", {})
        if extras:
            metadata["optional-dependencies"] = {
                extra: _pinned(names, version) for extra, names in extras.items()
            }


def _pinned(names: list[str], version: str) -> list[str]:
    return [f"{name}=={version}" if name.startswith(OURS) else name for name in names]
