"""Of which households it is known whether the outcome happened to them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from folkmoot_node.evaluation.measures.orders import Ints
from folkmoot_node.evaluation.snapshot import Happened


@dataclass(frozen=True, slots=True)
class Observed:
    """One outcome: rows of the households that are not simply observed without the event.

    The three are disjoint. Those that stand in none of them were observed to the horizon, and had
    no event.

    Attributes:
        households: Of the snapshot.
        events: int64: rows that had the event.
        lost: int64: rows observed no more before the horizon, and without the event until then.
        excluded: int64: rows that are not judged, since they had left before the date, or had the
            event before it.
        gone: How many of the excluded had left.
    """

    households: int
    events: Ints
    lost: Ints
    excluded: Ints
    gone: int = 0

    @property
    def considered(self) -> int:
        """Households that could be visited."""
        return self.households - len(self.excluded)

    @property
    def observed(self) -> int:
        """Households of which it is known whether they had the event."""
        return self.considered - len(self.lost)


def observed(happened: Happened, *, repeated: bool) -> Observed:
    """Reads the outcome of each household.

    An event after the household was observed no more does not count: by then others may live
    there.

    Args:
        happened: Of the snapshot.
        repeated: Whether households that had the event before the date are judged too. Those that
            had left before it never are.
    """
    has_ended = ~np.isnat(happened.ended)
    has_event = ~np.isnat(happened.first)
    both = np.flatnonzero(has_event & has_ended)
    has_event[both[happened.first[both] > happened.ended[both]]] = False
    is_lost = has_ended & ~has_event
    excluded = happened.gone if repeated else happened.gone | happened.before
    return Observed(
        len(has_event),
        np.flatnonzero(has_event & ~excluded),
        np.flatnonzero(is_lost & ~excluded),
        np.flatnonzero(excluded),
        int(np.count_nonzero(happened.gone)),
    )
