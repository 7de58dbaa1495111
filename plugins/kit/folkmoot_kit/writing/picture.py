"""How scores are spread, drawn with letters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

_BLOCKS = " ▏▎▍▌▋▊▉█"
"""Eighths of a letter."""


@dataclass(frozen=True, slots=True)
class Spread:
    """How many households have a score in each interval.

    Attributes:
        edges: Limits of the intervals: one more than there are intervals. The last interval
            holds its upper limit.
        counts: Households in each.
        unknown: Households whose score is unknown.
    """

    edges: tuple[float, ...]
    counts: tuple[int, ...]
    unknown: int


def spread(scores: npt.NDArray[np.float64], intervals: int = 10) -> Spread:
    """Counts scores by interval.

    Args:
        scores: Shape (households,), from 0 to 1, NaN where unknown.
        intervals: Of equal width.
    """
    known = scores[~np.isnan(scores)]
    counts, _ = np.histogram(known, bins=intervals, range=(0.0, 1.0))
    edges = tuple(round(at / intervals, 6) for at in range(intervals + 1))
    return Spread(edges, tuple(int(n) for n in counts), int(len(scores) - len(known)))


def bar(count: int, largest: int, width: int) -> str:
    """A bar of at most `width` letters, exact to an eighth of one; none is nothing at all."""
    eighths = round(8 * width * count / largest) if largest else 0
    if count and not eighths:
        eighths = 1
    return _BLOCKS[8] * (eighths // 8) + (_BLOCKS[eighths % 8] if eighths % 8 else "")


def lines(found: Spread, width: int = 40) -> Sequence[str]:
    """The spread as lines: interval, number of households, bar."""
    rows = [
        (f"{low:.1f} to {high:.1f}", count)
        for low, high, count in zip(found.edges, found.edges[1:], found.counts, strict=False)
    ]
    if found.unknown:
        rows.append(("unknown", found.unknown))
    largest = max((count for _, count in rows), default=0)
    figures = max((len(f"{count:,}") for _, count in rows), default=1)
    return [
        f"{name:>10}  {count:>{figures},}  {bar(count, largest, width)}".rstrip()
        for name, count in rows
    ]
