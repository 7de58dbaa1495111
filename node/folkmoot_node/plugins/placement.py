"""How each installed plugin runs at this node, or why it does not. Nothing of it is imported.

What comes with the node runs apart, and in the node's process where the kernel cannot confine.
What comes from others runs apart if `node.toml` names it and it is what was pinned, signed where
that is wanted, and not revoked; in the node's process only by the signed release policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from folkmoot_node.plugins.installed import InstalledPlugin, is_there_twice, node_version
from folkmoot_node.plugins.provenance import Provenance
from folkmoot_node.plugins.shipped import is_shipped
from folkmoot_node.settings.node_toml import FILE_NAME, NodeConfig
from folkmoot_node.settings.plugins import AllowedPlugin, normal
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.loading import BrokenPlugin

if TYPE_CHECKING:
    from folkmoot_node.plugins.decisions import Decisions


class Way(StrEnum):
    """How a plugin runs."""

    APART = "in a confined process"
    IN_PROCESS = "in the node's process"
    NOT_ALLOWED = "not allowed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Placement:
    """How one installed plugin runs.

    Attributes:
        plugin: The plugin.
        way: How it runs.
        is_shipped: Whether it comes with the node.
        allowed: Its table in `node.toml`; None without one.
        reason: Why it runs in the node's process; else empty.
        problem: Why it does not run; None if it does.
        is_reviewed: Whether two people of two organisations have signed that they read this
            wheel. Always so for what comes with the node.
        provenance: What signatures and reviews say; None for what comes with the node.
    """

    plugin: InstalledPlugin
    way: Way
    is_shipped: bool
    allowed: AllowedPlugin | None = None
    reason: str = ""
    problem: Problem | None = None
    is_reviewed: bool = True
    provenance: Provenance | None = None

    @property
    def runs(self) -> bool:
        """Whether it runs at all."""
        return self.way in (Way.APART, Way.IN_PROCESS)

    @property
    def broken(self) -> BrokenPlugin | None:
        """The same as other broken plugins; None of one that runs, or that nobody has allowed."""
        if self.problem is None or self.way is Way.NOT_ALLOWED:
            return None
        text = str(self.problem)
        return BrokenPlugin(self.plugin.origin, "", text, self.problem.remedy)


Decide = Callable[[], "Decisions"]
"""Reads what the signed release policy says of plugins in the node's process."""
Examine = Callable[[InstalledPlugin, AllowedPlugin], Provenance]
"""What signatures, pins and revocations say of a plugin that `node.toml` names."""


def placements(
    config: NodeConfig | None,
    installed: Iterable[InstalledPlugin],
    *,
    unmet: Problem | None,
    examine: Examine | None,
    decide: Decide | None,
) -> tuple[Placement, ...]:
    """How each installed plugin runs.

    Args:
        config: The node's settings; None where there is no node: then only shipped ones run.
        installed: The installed plugins.
        unmet: Why the kernel cannot confine; None if it can.
        examine: Compares a plugin of others with what was pinned and signed; None where there is
            no node.
        decide: Asked once, if `node.toml` asks for the node's process for one.
    """
    own = node_version()
    found: list[Placement] = []
    decisions: Decisions | None = None
    for plugin in installed:
        allowed = config.plugins.of(plugin.distribution) if config else None
        if is_shipped(plugin.distribution):
            found.append(_shipped(plugin, own, unmet))
        elif config is None or allowed is None or examine is None or decide is None:
            problem = _not_allowed(plugin, config)
            found.append(Placement(plugin, Way.NOT_ALLOWED, is_shipped=False, problem=problem))
        else:
            if decisions is None and allowed.trust == "in_process":
                decisions = decide()
            found.append(
                _of_others(config, plugin, allowed, decisions, unmet, examine(plugin, allowed))
            )
    return tuple(found)


def missing(config: NodeConfig, installed: Sequence[InstalledPlugin]) -> tuple[Problem, ...]:
    """What `node.toml` allows and nobody has installed."""
    there = {plugin.distribution for plugin in installed}
    return tuple(
        Problem(
            "is allowed, and not installed",
            where=_key(config, name),
            remedy=f"Install it, or run `folkmoot-node plugins forget {name}`",
            exit_code=ExitCode.SETTINGS,
        )
        for name in config.plugins.allowed
        if normal(name) not in there
    )


def _shipped(plugin: InstalledPlugin, own: str, unmet: Problem | None) -> Placement:
    if plugin.version != own:
        problem = Problem(
            f"comes with the node, whose version is {own}",
            where=str(plugin),
            remedy=f"Install {plugin.distribution} {own}",
            exit_code=ExitCode.SETTINGS,
        )
        return Placement(plugin, Way.REFUSED, is_shipped=True, problem=problem)
    if is_there_twice(plugin.distribution):
        problem = Problem(
            "is installed twice, and Python would take either",
            where=str(plugin),
            remedy=f"Find out which wheel brought the other, uninstall both, and install "
            f"{plugin.distribution} {own}",
            exit_code=ExitCode.VERIFICATION,
        )
        return Placement(plugin, Way.REFUSED, is_shipped=True, problem=problem)
    if unmet is not None:
        reason = f"the kernel cannot confine them: {unmet.problem}"
        return Placement(plugin, Way.IN_PROCESS, is_shipped=True, reason=reason)
    return Placement(plugin, Way.APART, is_shipped=True)


def _of_others(
    config: NodeConfig,
    plugin: InstalledPlugin,
    allowed: AllowedPlugin,
    decisions: Decisions | None,
    unmet: Problem | None,
    provenance: Provenance,
) -> Placement:
    where = _key(config, plugin.distribution)
    reason, problem = "", provenance.problem
    way = Way.APART
    if allowed.trust == "in_process":
        way = Way.IN_PROCESS
        assert decisions is not None
        try:
            decision = decisions.require(plugin.distribution, allowed, f"{where}.trust")
            reason = f"the signed release policy allows it: {decision.reason}"
        except Problem as refusal:
            problem = problem or refusal
    elif unmet is not None:
        problem = problem or Problem(
            f"a plugin of others runs in a confined process only, and here {unmet.problem}",
            where=str(plugin),
            remedy=unmet.remedy,
            exit_code=ExitCode.SETTINGS,
        )
    return Placement(
        plugin,
        Way.REFUSED if problem else way,
        is_shipped=False,
        allowed=allowed,
        reason="" if problem else reason,
        problem=problem,
        is_reviewed=provenance.is_reviewed,
        provenance=provenance,
    )


def _not_allowed(plugin: InstalledPlugin, config: NodeConfig | None) -> Problem:
    place = str(config.home / FILE_NAME) if config else ""
    return Problem(
        "is installed, and not allowed: nothing of it is imported",
        where=f"{place}: plugins.allowed" if place else str(plugin),
        remedy="To let it run: `folkmoot-node plugins allow WHEEL`, with the file of its wheel",
        exit_code=ExitCode.REFUSED,
    )


def _key(config: NodeConfig, distribution: str) -> str:
    return f"{config.home / FILE_NAME}: plugins.allowed.{distribution}"
