"""How often the event happened, by band and by tenth of the score."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from folkmoot_node.evaluation.measures.judgement import Row, Share
from folkmoot_node.evaluation.measures.orders import Floats, Ints
from folkmoot_node.evaluation.measures.tally import Tally


def parts_of(counted: Tally, parts: int) -> Ints:
    """Which quantile part of the households each code belongs to.

    A code belongs where the middle of its households lies, so that equal scores stay together.

    Args:
        counted: Along the score.
        parts: 10 for tenths.

    Returns:
        int64, shape (codes,), from 0 to `parts - 1`, ascending; never null.
    """
    until = np.cumsum(counted.observed)
    middle = 2 * until - counted.observed
    part = middle * parts // max(1, 2 * int(until[-1]))
    return np.asarray(np.minimum(part, parts - 1))


def bands_of_codes(code: npt.NDArray[np.int32], band: npt.NDArray[np.uint8], codes: int) -> Ints:
    """Band of each score.

    Args:
        code: Of households, along the score.
        band: Of the same households.
        codes: How many there are.

    Returns:
        int64, shape (codes,); 0 of codes without households, never null.
    """
    found = np.zeros(codes, dtype=np.int64)
    found[code] = band
    return found


def rows(
    counted: Tally, values: Floats, part: Ints, names: Sequence[str], smallest: int
) -> tuple[Row, ...]:
    """One row for each part, or for several where one has few households.

    Args:
        counted: Along the score.
        values: Points of each code.
        part: Of each code, an index into `names`.
        names: Of the parts.
        smallest: Parts of fewer observed households are taken together.
    """
    observed = np.bincount(part, counted.observed, minlength=len(names)).astype(np.float64)
    events = np.bincount(part, counted.events, minlength=len(names)).astype(np.float64)
    some = counted.observed > 0
    found = []
    for which in _together(observed, smallest):
        points = values[some & np.isin(part, which)]
        of = int(observed[which].sum())
        share = Share.counted(int(events[which].sum()), of)
        named = tuple(names[at] for at in which)
        found.append(Row(named, float(points[0]), float(points[-1]), of, share))
    return tuple(found)


def _together(observed: Floats, smallest: int) -> list[list[int]]:
    """Parts that have households, ascending, so that none is too small if that can be."""
    found: list[list[int]] = []
    for at in reversed(np.flatnonzero(observed).tolist()):
        if found and observed[found[0]].sum() < smallest:
            found[0].insert(0, at)
        else:
            found.insert(0, [at])
    if len(found) > 1 and observed[found[0]].sum() < smallest:
        found[:2] = [found[0] + found[1]]
    return found


def is_ascending(shown: Sequence[Row]) -> bool:
    """Whether the share with the event never falls from a row to the next."""
    return all(one.events.share <= other.events.share for one, other in pairwise(shown))
