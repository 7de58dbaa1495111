"""How long to wait before something that failed is tried again."""

from __future__ import annotations

import random
from dataclasses import dataclass

_MAX_DOUBLINGS = 64


@dataclass(frozen=True, slots=True)
class Backoff:
    """Waits that double from one failure to the next, up to a longest.

    Attributes:
        first: The first wait, in seconds; above zero.
        longest: The longest, in seconds; one that is shorter than `first` counts as `first`.
    """

    first: float
    longest: float

    def __post_init__(self) -> None:
        if not self.first > 0:
            raise ValueError(f"the first wait is {self.first} s; it must be above zero")

    def seconds(self, doublings: int) -> float:
        """The wait after some doublings, in seconds.

        Args:
            doublings: From zero, for the first wait.
        """
        if doublings < 0:
            raise ValueError(f"{doublings} doublings; there are none before the first wait")
        wait = self.first * 2.0 ** min(doublings, _MAX_DOUBLINGS)
        return max(self.first, min(self.longest, wait))

    def spread(self, doublings: int) -> float:
        """A random wait, in seconds, from half the first to the one after some doublings.

        For many that wait for one server: spread, they do not all come back at once.

        Args:
            doublings: As for `seconds`.
        """
        longest = self.seconds(doublings)
        return random.uniform(self.first / 2, longest)  # noqa: S311 - spreads waits, no secret
