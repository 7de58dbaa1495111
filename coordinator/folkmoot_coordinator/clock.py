"""Time as whole seconds since 1970-01-01T00:00:00Z, from a clock that tests replace."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], int]
"""Returns the time in whole seconds since 1970-01-01T00:00:00Z."""

HOUR = 3600
"""Seconds."""
DAY = 24 * HOUR
"""Seconds."""


def system_clock() -> int:
    """The machine's time."""
    return int(time.time())


def to_datetime(seconds: int) -> datetime:
    """The instant as an aware datetime in UTC."""
    return datetime.fromtimestamp(seconds, UTC)


def to_text(seconds: int) -> str:
    """The instant as ISO 8601 text in UTC, for example `2026-12-01T12:00:00Z`."""
    return to_datetime(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")
