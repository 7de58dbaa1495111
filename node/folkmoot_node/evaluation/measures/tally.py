"""Households and events at each value of an order, and where a capacity cuts it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from folkmoot_node.evaluation.measures.observed import Observed
from folkmoot_node.evaluation.measures.orders import Codes, Floats, Ints, Order


@dataclass(frozen=True, slots=True)
class Cut:
    """The households that come first, as many as can be visited.

    Attributes:
        capacity: Households that can be visited.
        visited: How many are: all, if there are fewer.
        code: The last that is visited; all above it are.
        tied: Households of that code.
        drawn: Of which so many are visited, each with the same chance.
    """

    capacity: int
    visited: int
    code: int
    tied: int
    drawn: int

    @property
    def chance(self) -> float:
        """That a household of the last code is visited."""
        return self.drawn / self.tied if self.tied else 0.0

    def weights(self, code: Codes) -> Floats:
        """Probability of each household to be visited: float64, shape of `code`, never null."""
        weights = (code > self.code).astype(np.float64)
        weights[code == self.code] = self.chance
        return weights

    def of(self, count: Ints) -> float:
        """Of households counted by code, how many are expected to be visited."""
        return float(count[self.code + 1 :].sum() + self.chance * count[self.code])


@dataclass(frozen=True, slots=True)
class Tally:
    """Households by code of an order: int64, each of shape (codes,).

    Attributes:
        considered: That could be visited.
        observed: Of which it is known whether they had the event.
        events: That had it.
    """

    considered: Ints
    observed: Ints
    events: Ints

    @property
    def others(self) -> Ints:
        """Households observed without the event: int64, shape (codes,), never null."""
        return self.observed - self.events

    @property
    def lost(self) -> Ints:
        """Households lost from sight: int64, shape (codes,), never null."""
        return self.considered - self.observed

    def cut(self, capacity: int) -> Cut:
        """Where a capacity cuts the order."""
        from_top = np.cumsum(self.considered[::-1])
        visited = min(capacity, int(from_top[-1]))
        at = int(np.searchsorted(from_top, visited))  # the first that reaches it
        code = len(from_top) - 1 - at
        tied = int(self.considered[code])
        return Cut(capacity, visited, code, tied, visited - (int(from_top[at]) - tied))

    def plus(self, other: Tally) -> Tally:
        """Both together, of the same order."""
        return Tally(
            self.considered + other.considered,
            self.observed + other.observed,
            self.events + other.events,
        )

    def minus(self, other: Tally) -> Tally:
        """The households of this tally that are not in the other, which is part of it."""
        return Tally(
            self.considered - other.considered,
            self.observed - other.observed,
            self.events - other.events,
        )


def tally(order: Order, seen: Observed) -> Tally:
    """Counts an outcome along an order.

    Args:
        order: Of the households.
        seen: Of the same households.
    """
    considered = order.count - _counted(order, seen.excluded)
    return Tally(considered, considered - _counted(order, seen.lost), _counted(order, seen.events))


def _counted(order: Order, rows: Ints) -> Ints:
    return np.bincount(order.code[rows], minlength=order.codes)
