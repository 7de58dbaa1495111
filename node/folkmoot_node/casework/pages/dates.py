"""Dates and times as people type them: day, month and year, each in a field of its own."""

from __future__ import annotations

import datetime
from typing import TypeVar

from folkmoot_node.casework.uk_time import UK
from folkmoot_web.forms import Form, FormModel

PARTS = ("day", "month", "year")
M = TypeVar("M", bound=FormModel)


def read_date(
    form: Form[M],
    field: str,
    title: str,
    *,
    earliest: datetime.date | None = None,
    latest: datetime.date | None = None,
    is_required: bool = True,
) -> datetime.date | None:
    """The date that a form has in `FIELD_day`, `FIELD_month` and `FIELD_year`.

    What is wrong becomes an error of the form at the first of the three.

    Args:
        form: As it was sent.
        field: What the names of the three begin with.
        title: What messages call the date: "the review date".
        earliest: The first day that is accepted.
        latest: The last one.
        is_required: Whether it may be left out.

    Returns:
        None if it was left out, or is wrong.
    """
    at = f"{field}_day"
    parts = [form.typed(f"{field}_{part}").strip() for part in PARTS]
    if not any(parts):
        if is_required:
            form.add_error(at, f"Enter {title}")
        return None
    whole = title[:1].upper() + title[1:]
    try:
        day, month, year = (int(part) for part in parts)
        found = datetime.date(year, month, day)
    except ValueError:
        form.add_error(at, f"{whole} must be a real date, such as 27 3 2027")
        return None
    if earliest is not None and found < earliest:
        form.add_error(at, f"{whole} must be {earliest:%-d %B %Y} or later")
    elif latest is not None and found > latest:
        form.add_error(at, f"{whole} must be {latest:%-d %B %Y} or earlier")
    return found if at not in form.errors else None


def date_parts(field: str, date: datetime.date) -> dict[str, str]:
    """What the three fields of a date hold before somebody types."""
    values = (date.day, date.month, date.year)
    return {f"{field}_{part}": str(value) for part, value in zip(PARTS, values, strict=True)}


def read_moment(form: Form[M], date: datetime.date, field: str, title: str) -> int | None:
    """The moment of a date at the time in `field`, as `14:30` on clocks in the UK.

    Returns:
        Seconds since 1970-01-01T00:00:00Z; None if the time is wrong, which becomes an error.
    """
    typed = form.typed(field).strip().replace(".", ":")
    try:
        time = datetime.datetime.strptime(typed, "%H:%M").time()
    except ValueError:
        form.add_error(field, f"{title} must be a time, such as 14:30")
        return None
    return int(datetime.datetime.combine(date, time, UK).timestamp())
