"""The plugins of a node, loaded: what runs, in which process, and what does not.

Callers use a set of loaded plugins as they would the SDK's, and close it when a command or a run
ends: no process is left behind. One that is forgotten is closed when it is collected or this
process ends, and the kernel ends its processes with this one, however that ends.
"""

from __future__ import annotations

import os
import weakref
from collections.abc import Collection
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from folkmoot_node.plugins.placement import Placement, Way
from folkmoot_node.settings.plugins import normal
from folkmoot_sdk.loading import Origin, Plugins


class Process(Protocol):
    """A confined process behind loaded plugins."""

    @property
    def has_ended(self) -> bool:
        """Whether it answers no more."""

    def close(self) -> None:
        """Ends it. Safe to call again."""


@dataclass(frozen=True, eq=False)
class LoadedPlugins(Plugins):
    """The plugins of a node; a context manager that ends their processes.

    Attributes:
        placements: How each installed plugin runs, or why it does not.
        processes: The confined processes.
    """

    placements: tuple[Placement, ...] = ()
    processes: tuple[Process, ...] = ()

    def __post_init__(self) -> None:
        weakref.finalize(self, _end, os.getpid(), self.processes)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends the processes. What is loaded cannot be used any more."""
        _end(os.getpid(), self.processes)

    @property
    def has_ended(self) -> bool:
        """Whether a process has ended, so that the next look needs new ones."""
        return any(one.has_ended for one in self.processes)

    @property
    def in_process(self) -> tuple[Placement, ...]:
        """Those that run in the node's own process."""
        return tuple(one for one in self.placements if one.way is Way.IN_PROCESS)

    def placement_of(self, distribution: str) -> Placement | None:
        """How a distribution runs; None of one that is not installed."""
        name = normal(distribution)
        return next((one for one in self.placements if one.plugin.distribution == name), None)


@dataclass(frozen=True, slots=True)
class Trust:
    """How far the node trusts a plugin.

    Attributes:
        is_shipped: Whether it comes with the node.
        is_reviewed: Whether it comes with the node, or two people of two organisations have
            signed reviews of the wheel that is installed.
    """

    is_shipped: bool = True
    is_reviewed: bool = True


def placements_of(plugins: Plugins) -> tuple[Placement, ...]:
    """How each installed plugin runs; nothing for classes given directly."""
    return plugins.placements if isinstance(plugins, LoadedPlugins) else ()


def placement_in(plugins: Plugins, origin: Origin) -> Placement | None:
    """How a plugin runs; None for classes given directly."""
    if not isinstance(plugins, LoadedPlugins):
        return None
    return plugins.placement_of(origin.distribution)


def trust_of(plugins: Plugins, origin: Origin) -> Trust:
    """How far the node trusts a plugin; that of shipped ones for classes given directly."""
    if not isinstance(plugins, LoadedPlugins):
        return Trust()
    found = placement_in(plugins, origin)
    return Trust(found.is_shipped, found.is_reviewed) if found else Trust(False, False)


def _end(owner: int, processes: Collection[Process]) -> None:
    if owner == os.getpid():  # a fork of this process has its memory, and not its children
        for one in processes:
            one.close()
