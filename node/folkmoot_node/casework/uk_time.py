"""What clocks and calendars in the UK show, where councils work.

In summer they are an hour ahead of UTC, so that a day there begins while it is still the day
before in UTC.
"""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

from folkmoot_operator.moments import to_datetime

UK = ZoneInfo("Europe/London")


def uk_moment(seconds: float) -> datetime.datetime:
    """A moment on clocks in the UK."""
    return to_datetime(seconds).astimezone(UK)


def uk_time(seconds: int) -> str:
    """The time of day in the UK: `14:05`."""
    return f"{uk_moment(seconds):%H:%M}"


def uk_day(seconds: float) -> datetime.date:
    """The date in the UK: today for whoever types or reads a date there."""
    return uk_moment(seconds).date()


def uk_day_text(seconds: float) -> str:
    """The date of a moment for people: `1 December 2026`."""
    return f"{uk_day(seconds):%-d %B %Y}"


def uk_midnight(date: datetime.date) -> int:
    """When a date begins in the UK, seconds since 1970-01-01T00:00:00Z."""
    return int(datetime.datetime.combine(date, datetime.time(), UK).timestamp())
