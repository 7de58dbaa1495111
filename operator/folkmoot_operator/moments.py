"""Moments as people and programs read them; all in UTC.

A moment is a number of seconds since 1970-01-01T00:00:00Z.
"""

from __future__ import annotations

import calendar
import datetime


def to_datetime(seconds: float) -> datetime.datetime:
    """The moment as an aware datetime."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def to_text(seconds: float) -> str:
    """The moment as ISO 8601 in whole seconds: `2026-12-01T12:00:00Z`."""
    return to_datetime(seconds).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(seconds: float) -> datetime.date:
    """The date on which the moment falls."""
    return to_datetime(seconds).date()


def day_text(seconds: float) -> str:
    """The date on which the moment falls, for people: `1 December 2026`."""
    return f"{to_datetime(seconds):%-d %B %Y}"


def usual_sunset(today: datetime.date) -> datetime.date:
    """The last day of a new policy: 31 March of next year.

    That is the end of a financial year, and at least three months ahead.
    """
    return datetime.date(today.year + 1, 3, 31)


def months_later(date: datetime.date, months: int) -> datetime.date:
    """The same day so many months later, or the last day of that month if it has no such day.

    Args:
        date: The date.
        months: How many; below 0 for a day before it.
    """
    year, month = divmod(date.year * 12 + date.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return datetime.date(year, month + 1, min(date.day, last))
