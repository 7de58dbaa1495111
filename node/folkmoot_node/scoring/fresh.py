"""The factors of a run made once more, by processes that have seen no household."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from folkmoot_node.scoring.binding import BoundFactor


class FreshFactors:
    """Factors made again, with the same parameters.

    Attributes:
        factors: In the order of those they were made from. One that runs in the node's process,
            because the council has signed for that, is another object of the same class.
    """

    def __init__(self, factors: Sequence[BoundFactor]) -> None:
        self.factors = tuple(
            replace(bound, factor=type(bound.factor)(bound.factor.parameters)) for bound in factors
        )

    def close(self) -> None:
        """Ends the processes."""
