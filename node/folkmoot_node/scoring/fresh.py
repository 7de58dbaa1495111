"""The factors of a run made once more, by processes that have seen no household."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from folkmoot_kit.hosting import ConfinedFactor, fresh_copies
from folkmoot_node.scoring.binding import BoundFactor


@contextmanager
def fresh(factors: Sequence[BoundFactor]) -> Iterator[tuple[BoundFactor, ...]]:
    """Factors made again, with the same parameters, in processes that end with the block.

    Those that run in the node's process, because the council has signed for that, are made again
    there: other objects of the same class.

    Args:
        factors: Of a run.

    Raises:
        PluginFailure: If a process does not start, or a factor refuses what it took before.
    """
    with fresh_copies([bound.factor for bound in factors]) as copies:
        yield tuple(
            replace(
                bound,
                factor=copy
                if isinstance(copy, ConfinedFactor)
                else type(copy)(bound.factor.parameters),
            )
            for bound, copy in zip(factors, copies, strict=True)
        )
