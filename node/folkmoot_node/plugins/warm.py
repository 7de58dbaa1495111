"""Loaded plugins that a process keeps between looks, so that each need not start new ones."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from folkmoot_node.plugins.loaded import LoadedPlugins
from folkmoot_node.settings.node_toml import NodeConfig

Fingerprint = tuple[object, ...]


class WarmPlugins:
    """Plugins for one look after the other, in several threads.

    A process that has ended is replaced for the next look, never for the one in which it ended.
    So are all when what the council decides about plugins has changed since (a revocation has
    arrived, a policy was signed), and each day, since signatures expire.
    """

    def __init__(
        self,
        config: NodeConfig,
        load: Callable[[NodeConfig], LoadedPlugins],
        today: Callable[[], datetime.date],
    ) -> None:
        """Loads nothing yet.

        Args:
            config: The node's settings.
            load: Loads the plugins.
            today: The date in UTC.
        """
        self._config = config
        self._load = load
        self._today = today
        self._lock = threading.Lock()
        self._loaded: LoadedPlugins | None = None
        self._decided: Fingerprint = ()

    def __call__(self) -> LoadedPlugins:
        """The plugins, for one look."""
        with self._lock:
            decided = (self._today(), *_state_of(_decisive(self._config)))
            before = self._loaded
            if before is not None and (before.has_ended or decided != self._decided):
                # Another look may be using them: they go when the last one lets go of them.
                self._loaded = None
            if self._loaded is None:
                self._loaded, self._decided = self._load(self._config), decided
            return self._loaded

    def close(self) -> None:
        """Ends the processes."""
        with self._lock:
            if self._loaded is not None:
                self._loaded.close()
            self._loaded = None


def _decisive(config: NodeConfig) -> Iterable[Path]:
    """The files by which it is decided which plugins run."""
    policy = config.release_policy
    yield from (config.plugin_keys, policy, policy.with_name(policy.name + ".sig"))
    registry = config.plugin_registry
    if registry.is_dir():
        yield from sorted(registry.rglob("*"))


def _state_of(paths: Iterable[Path]) -> Iterable[tuple[str, int, int]]:
    for path in paths:
        try:
            found = path.stat()
        except OSError:
            continue
        yield str(path), found.st_mtime_ns, found.st_size
