"""Shares and their confidence intervals."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

LEVEL = 0.95
"""Confidence of every interval."""


@dataclass(frozen=True, slots=True)
class Interval:
    """A confidence interval, at `LEVEL`."""

    low: float
    high: float

    def times(self, factor: float) -> Interval:
        """The interval in another unit."""
        return Interval(self.low * factor, self.high * factor)


def two_sided() -> float:
    """Standard errors on either side of an estimate that make its interval."""
    return NormalDist().inv_cdf((1 + LEVEL) / 2)


def wilson(hits: float, of: float) -> Interval:
    """The interval of a share (Wilson 1927).

    Args:
        hits: From 0 to `of`; an expected number need not be whole.
        of: How many there are, above 0.
    """
    z = two_sided()
    found, scale = hits / of, 1 + z * z / of
    middle = (found + z * z / (2 * of)) / scale
    half = z / scale * math.sqrt(max(0.0, found * (1 - found) / of) + z * z / (4 * of * of))
    low = 0.0 if hits <= 0 else max(0.0, middle - half)
    high = 1.0 if hits >= of else min(1.0, middle + half)
    return Interval(low, high)


def difference(
    one: float, of_one: Interval, other: float, of_other: Interval, correlation: float = 0.0
) -> Interval:
    """The interval of `one - other` (Newcombe 1998, methods 10 of both papers).

    Args:
        one: A share.
        of_one: Its interval.
        other: The share that is taken from it.
        of_other: Its interval.
        correlation: Between both, household by household, where both count the same households;
            0 where they count different ones.
    """
    below, above = one - of_one.low, of_other.high - other
    up, down = of_one.high - one, other - of_other.low
    low = below**2 - 2 * correlation * below * above + above**2
    high = up**2 - 2 * correlation * up * down + down**2
    apart = one - other
    return Interval(apart - math.sqrt(max(0.0, low)), apart + math.sqrt(max(0.0, high)))
