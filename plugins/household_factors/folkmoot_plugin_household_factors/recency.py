"""How much an event still counts, by the time since it happened."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import numpy.typing as npt

from folkmoot_plugin_household_factors.ramp import ramp


def recency(
    dates: npt.NDArray[Any], today: np.datetime64, full_days: float, none_days: float
) -> npt.NDArray[np.float64]:
    """1 up to `full_days` ago, then falling in a straight line to 0 at `none_days` ago.

    Args:
        dates: datetime64[D] of shape (households,), NaT where unknown.
        today: The reference date. A date after it counts as today.
        full_days: Days.
        none_days: Days, more than `full_days`.

    Returns:
        float64 in [0, 1], NaN where the date is not known.
    """
    days = (today - dates).astype(np.float64)
    result = ramp(days, none_days, full_days, out=days)
    # NaT becomes the smallest integer, not NaN, when it is cast.
    result[np.isnat(dates)] = np.nan
    return result


def check_window(full_days: float, none_days: float) -> None:
    """Checks that a window ends after it begins to close.

    Raises:
        ValueError: If it does not.
    """
    if none_days <= full_days:
        raise ValueError(f"none_days ({none_days:g}) is not more than full_days ({full_days:g})")


def ago(date: datetime.date, today: datetime.date) -> str:
    """A date and how long ago it was, in words."""
    days = (today - date).days
    shown = f"{date.day} {date:%B %Y}"
    if days == 0:
        return f"{shown} (today)"
    if days < 0:
        return f"{shown} (after the date of the run)"
    if days < 61:
        return f"{shown} ({days} day{'s' if days > 1 else ''} ago)"
    return f"{shown} ({round(days / 30.44)} months ago)"
