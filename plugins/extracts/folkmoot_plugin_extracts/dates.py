"""How dates are written."""

from __future__ import annotations

import datetime


def check_date_format(pattern: str) -> None:
    """Checks that a date format determines a day.

    Raises:
        ValueError: If what it writes cannot be read back as the same day.
    """
    probe = datetime.date(2017, 11, 30)
    try:
        same = datetime.datetime.strptime(probe.strftime(pattern), pattern).date() == probe
    except ValueError:
        same = False
    if not same:
        raise ValueError(
            f"format {pattern!r} does not name a day; write it as in %d/%m/%Y or %Y-%m-%d"
        )
