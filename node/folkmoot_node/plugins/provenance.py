"""What pins, signatures, reviews and revocations say of a plugin that `node.toml` allows."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from folkmoot_node.plugins.installed import InstalledPlugin
from folkmoot_node.settings.node_toml import FILE_NAME, NodeConfig
from folkmoot_node.settings.plugins import AllowedPlugin
from folkmoot_operator.problems import ExitCode, Problem


@dataclass(frozen=True, slots=True)
class Provenance:
    """What is known of where a plugin comes from.

    Attributes:
        problem: Why it must not run; None if nothing speaks against it.
        is_reviewed: Whether two people of two organisations have signed reviews of this wheel.
        words: What is known, for people, each a few words.
    """

    problem: Problem | None
    is_reviewed: bool
    words: tuple[str, ...] = ()


def examine(
    config: NodeConfig, plugin: InstalledPlugin, allowed: AllowedPlugin, today: datetime.date
) -> Provenance:
    """Compares an installed plugin with what was pinned.

    Args:
        config: The node's settings.
        plugin: The plugin.
        allowed: Its table in `node.toml`.
        today: Compared with the ends of signatures.
    """
    if plugin.version != allowed.version:
        problem = Problem(
            f"version {plugin.version} is installed, and {allowed.version} is allowed",
            where=f"{config.home / FILE_NAME}: plugins.allowed.{plugin.distribution}.version",
            remedy=f"Install version {allowed.version}, or allow this one by `folkmoot-node "
            f"plugins allow {plugin.distribution}`",
            exit_code=ExitCode.VERIFICATION,
        )
        return Provenance(problem, is_reviewed=False)
    return Provenance(None, is_reviewed=False)
