"""Shares with their intervals, and how long people waited when some are waiting still."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from folkmoot_node.intervals import wilson


@dataclass(frozen=True, slots=True)
class Share:
    """A share of cases, with the interval of Wilson (1927) at `LEVEL`.

    Attributes:
        hits: How many of them.
        of: How many there are, at least 1.
        share: From 0 to 1.
        low: Where the interval begins.
        high: Where it ends.
    """

    hits: int
    of: int
    share: float
    low: float
    high: float


def share(hits: int, of: int) -> Share | None:
    """A share with its interval; None of none."""
    if not of:
        return None
    interval = wilson(hits, of)
    return Share(hits, of, hits / of, interval.low, interval.high)


def waiting_quantiles(
    waits: Iterable[tuple[float, bool]], shares: Iterable[float]
) -> list[float | None]:
    """After how long so many had been reached, if those who still wait count as well.

    The estimator of Kaplan and Meier (1958). Leaving out those who still wait would show waits
    that are too short.

    Args:
        waits: How long each waited, in any unit, and whether it ended with what they waited for;
            else they wait still, or will not be waited for any longer.
        shares: Such as 0.5 for the median.

    Returns:
        For each share the shortest time after which at least that share had it; None if fewer had
        it by the end of what is known.
    """
    ordered = sorted(waits)
    left, still = len(ordered), 1.0
    curve: list[tuple[float, float]] = []
    at = 0
    while at < len(ordered):
        time = ordered[at][0]
        together = [ended for waited, ended in ordered[at:] if waited == time]
        still *= 1 - sum(together) / left
        curve.append((time, 1 - still))
        left -= len(together)
        at += len(together)
    # The product of fractions may miss a share by a rounding error.
    return [next((time for time, had in curve if had >= one - 1e-12), None) for one in shares]
