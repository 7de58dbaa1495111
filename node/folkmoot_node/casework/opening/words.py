"""Times and values of an opened household as people read them."""

from __future__ import annotations

import datetime
from zoneinfo import ZoneInfo

from folkmoot_node.scoring.known_inputs import InputValue
from folkmoot_operator.moments import to_datetime

UK = ZoneInfo("Europe/London")


def uk_time(seconds: int) -> str:
    """The time of day in the UK: `14:05`."""
    return f"{to_datetime(seconds).astimezone(UK):%H:%M}"


def uk_midnight(date: datetime.date) -> int:
    """When a date begins in the UK, seconds since 1970-01-01T00:00:00Z."""
    return int(datetime.datetime.combine(date, datetime.time(), UK).timestamp())


def value_text(known: InputValue) -> str:
    """The value of an input with its unit."""
    value = known.value
    if value is None:
        return "not known"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime.date):
        return f"{value:%-d %B %Y}"
    text = f"{value:,.2f}".removesuffix(".00") if isinstance(value, float) else str(value)
    return f"£{text}" if known.unit == "GBP" else f"{text} {known.unit}".strip()
