"""Time as whole seconds since 1970-01-01T00:00:00Z, from a clock that tests replace."""

from __future__ import annotations

import time
from collections.abc import Callable

Clock = Callable[[], int]
"""Returns the time in whole seconds since 1970-01-01T00:00:00Z."""
MINUTE = 60
"""Seconds."""
HOUR = 60 * MINUTE
"""Seconds."""
DAY = 24 * HOUR
"""Seconds."""


def system_clock() -> int:
    """The machine's time."""
    return int(time.time())
