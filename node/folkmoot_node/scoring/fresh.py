"""The factors of a run made once more, by processes that have seen no household."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from folkmoot_node.plugins.loaded import LoadedPlugins
from folkmoot_node.scoring.binding import BoundFactor, made


class FreshFactors:
    """Factors made again, with the same parameters, in processes of their own.

    Attributes:
        factors: In the order of those they were made from. Those that run in the node's process,
            because the council has signed for that, are other objects.
    """

    def __init__(self, factors: Sequence[BoundFactor], plugins: LoadedPlugins) -> None:
        """Starts the processes.

        Args:
            factors: Of the run.
            plugins: From which they were made.

        Raises:
            Problem: If a process does not start, or a factor refuses what it took before.
        """
        self._plugins = plugins.fresh({bound.origin.distribution for bound in factors})
        try:
            self.factors = tuple(map(self._again, factors))
        except BaseException:
            self._plugins.close()
            raise

    def close(self) -> None:
        """Ends the processes."""
        self._plugins.close()

    def _again(self, bound: BoundFactor) -> BoundFactor:
        kind, where = self._plugins.factors[bound.name], f"factor {bound.name}"
        return replace(bound, kind=kind, factor=made(kind, bound.parameters, where, bound.origin))
