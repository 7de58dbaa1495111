"""Cases that run at night: the proof of a test again, at another seed or in a case of one kind."""

from __future__ import annotations

from collections.abc import Iterable

import pytest


def by_night(values: Iterable[object], *, by_day: int = 1) -> list[object]:
    """Parameters of a test, all but the first few marked `night`.

    Args:
        values: The parameters, those that show most first; tuples for several arguments.
        by_day: How many of them every run tries.

    Raises:
        ValueError: If none is left to the day.
    """
    every = list(values)
    if not every[:by_day]:
        raise ValueError("a test needs a case by day")
    later = [one if isinstance(one, tuple) else (one,) for one in every[by_day:]]
    return every[:by_day] + [pytest.param(*one, marks=pytest.mark.night) for one in later]
