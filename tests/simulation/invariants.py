"""What must hold after each step of a sequence, whatever went wrong in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from enum import Enum


class Invariant(Enum):
    """The properties that the simulation defends; each can be watched by itself."""

    BUDGET = "the loss of what left stays within the signed policy"
    PERMISSION = "what left was permitted by the policy, and by a person where one is asked"
    ONE_ANSWER = "a round has one answer, the same bytes each time"
    NOISE = "every cell that left has noise of the planned distribution, drawn for it alone"
    RECORDS = "ledger, egress log and outbox verify, and list what left"
    LIVENESS = "rounds end with a reason, and a node answers again when the faults are over"


class Broken(AssertionError):
    """An invariant does not hold.

    Attributes:
        invariant: Which.
    """

    def __init__(self, invariant: Invariant, text: str) -> None:
        super().__init__(f"{invariant.name}: {text}")
        self.invariant = invariant


class Caught(BaseException):
    """Carries what is broken past Hypothesis, which would go through it again to print it.

    Attributes:
        broken: What is broken.
    """

    def __init__(self, broken: Broken) -> None:
        super().__init__(str(broken))
        self.broken = broken


class Watch:
    """Which invariants are watched, so that each can be shown to catch what it is for.

    Attributes:
        happened: How often something happened, so that a run can be seen to have tried.
        first: What was found broken first, or None.
        at_once: Raise Caught in place of Broken: nobody wants the sequence again.
    """

    def __init__(self, watched: Collection[Invariant] = tuple(Invariant)) -> None:
        self._watched = frozenset(watched)
        self.happened: Counter[str] = Counter()
        self.first: Broken | None = None
        self.at_once = False

    def broken(self, invariant: Invariant, text: str) -> None:
        """Raises Broken, or Caught with it, if that invariant is watched."""
        if invariant in self._watched:
            broken = Broken(invariant, text)
            self.first = self.first or broken
            raise Caught(broken) if self.at_once else broken
