"""How a node shows itself to people and receivers: its lines, and its version."""

from __future__ import annotations

from importlib.metadata import version

from folkmoot_operator.events import Level
from folkmoot_operator.log_output import Lines


def lines_of_node() -> Lines:
    """Lines as `2026-12-01T06:00:00Z problem round 5f0c2a91b7de: waits ...`."""
    words = {Level.INFO: "info", Level.WARNING: "problem", Level.ERROR: "problem"}
    return Lines(words=words, subject="round")


def version_here() -> str:
    """The version of this node."""
    return version("folkmoot-node")
