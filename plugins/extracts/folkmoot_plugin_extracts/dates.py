"""How dates are written."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from itertools import permutations

import polars as pl

EXCEL = "excel"
"""Instead of a format: a number of days as spreadsheets count them, such as 46113."""
EARLIEST = datetime.date(1850, 1, 1)
LATEST = datetime.date(2199, 12, 31)
"""Dates outside these are slips of the pen, such as a year of two digits read as 0026."""

_EPOCH = datetime.date(1970, 1, 1)
_DAY_NUMBERS = (61, 109_573)
"""1 March 1900, before which spreadsheets count a day too many, to 31 December 2199."""
_NUMBERED_FROM = datetime.date(1899, 12, 30)
_SHORT_YEARS = frozenset("yDxcg")
_CENTURY = 100
_PROBES = tuple(
    datetime.date(year, month, day)
    for year, month, day in ((2001, 2, 3), (2003, 2, 1), (2012, 11, 10), (2010, 12, 11))
)
_DATE_PARTS = {
    "%d": "DD", "%m": "MM", "%Y": "YYYY", "%y": "YY", "%b": "Mon", "%B": "Month",
    "%H": "hh", "%M": "mm", "%S": "ss", "%e": "D",
}  # fmt: skip


def formats_of(given: str | Sequence[str]) -> tuple[str, ...]:
    """The formats that a mapping gives as one text or as a list."""
    return (given,) if isinstance(given, str) else tuple(given)


def has_short_year(pattern: str) -> bool:
    """True if a format writes the year with two digits."""
    return bool(_SHORT_YEARS.intersection(re.findall(r"%[-_0^#]?([A-Za-z])", pattern)))


def check_date_format(given: str | Sequence[str], latest_year: int | None = None) -> None:
    """Checks that a date format, or each of several, determines a day.

    Args:
        given: The format, or several that one column mixes.
        latest_year: The latest year that two digits may stand for.

    Raises:
        ValueError: If what it writes cannot be read back as the same day, it does not say the
            century, or two of several would read one text as two days.
    """
    formats = formats_of(given)
    if not formats:
        raise ValueError("the list of formats is empty")
    for pattern in formats:
        _check_one(pattern, latest_year)
    for first, second in permutations(formats, 2):
        _check_two(first, second, latest_year)


def shown(formats: Sequence[str]) -> str:
    """Formats in the words of an officer, such as DD/MM/YYYY."""
    found = []
    for pattern in formats:
        shape = "a day number of Excel" if pattern == EXCEL else pattern
        for part, words in _DATE_PARTS.items():
            shape = shape.replace(part, words)
        found.append(shape)
    return " or ".join(found)


def read_dates(
    texts: pl.Series,
    formats: Sequence[str],
    latest_year: int | None = None,
    not_after: datetime.date | None = None,
) -> pl.Series:
    """Reads dates.

    Args:
        texts: Dates as they are written.
        formats: Those that occur; no two read one text as two days.
        latest_year: The latest year that two digits may stand for.
        not_after: A day that no date is after, such as that of the run for dates of birth: a year
            of two digits that would be later is a century earlier.

    Returns:
        One Date for each text; null where it was, and where no format fits or the day is not
        between `EARLIEST` and `LATEST`.
    """
    found = pl.repeat(None, len(texts), dtype=pl.Date, eager=True)
    for pattern in formats:
        if pattern == EXCEL:
            read = _numbered(texts)
        else:
            read = texts.str.to_date(pattern, strict=False)
            if has_short_year(pattern) and latest_year is not None:
                read = _in_century(read, latest_year, not_after)
        found = found.fill_null(read.set(~read.is_between(EARLIEST, LATEST), None))
        if found.null_count() == texts.null_count():
            break
    return found.rename(texts.name)


def _check_one(pattern: str, latest_year: int | None) -> None:
    if pattern == EXCEL:
        return
    probe = datetime.date(2017, 11, 30)
    try:
        same = datetime.datetime.strptime(probe.strftime(pattern), pattern).date() == probe
    except ValueError:
        same = False
    if not same:
        raise ValueError(
            f"format {pattern!r} does not name a day; write it as in %d/%m/%Y or %Y-%m-%d"
        )
    if has_short_year(pattern) and latest_year is None:
        raise ValueError(
            f"format {pattern!r} writes the year with two digits and does not say the century; "
            "export four digits (%Y), or set latest_year to the latest year that can occur: with "
            "latest_year = 2026, 26 is 2026 and 27 is 1927; where nobody is younger than 18, "
            "latest_year = 2008 makes 26 the year 1926"
        )


def _check_two(first: str, second: str, latest_year: int | None) -> None:
    written = [_written(day, first) for day in _PROBES]
    read = read_dates(pl.Series(written), (second,), latest_year)
    meant = read_dates(pl.Series(written), (first,), latest_year)
    if ((read != meant) & read.is_not_null()).any():
        raise ValueError(
            f"the formats {first!r} and {second!r} read one text as two days; keep the one that "
            "the system writes"
        )


def _written(day: datetime.date, pattern: str) -> str:
    return str((day - _NUMBERED_FROM).days) if pattern == EXCEL else day.strftime(pattern)


def _numbered(texts: pl.Series) -> pl.Series:
    whole = texts.str.strip_chars().str.extract(r"^([0-9]{1,6})(?:\.[0-9]+)?$").cast(pl.Int32)
    whole = whole.set(~whole.is_between(*_DAY_NUMBERS), None)
    return (whole + (_NUMBERED_FROM - _EPOCH).days).cast(pl.Date)


def _in_century(dates: pl.Series, latest_year: int, not_after: datetime.date | None) -> pl.Series:
    """The dates of years with two digits, moved into the hundred years up to the latest."""
    years = dates.dt.year() % _CENTURY
    years = latest_year - (latest_year - years) % _CENTURY
    moved = _with_years(dates, years)
    if not_after is not None:
        late = (moved > not_after).fill_null(False)
        if late.any():
            moved = _with_years(dates, years - late.cast(pl.Int32) * _CENTURY)
    return moved


def _with_years(dates: pl.Series, years: pl.Series) -> pl.Series:
    """The dates in other years; null for 29 February where the year has none."""
    day, month = dates.dt.day(), dates.dt.month()
    leap = (years % 4 == 0) & ((years % 100 != 0) | (years % 400 == 0))
    years = years.set(((month == 2) & (day == 29) & ~leap).fill_null(False), None)
    parts = pl.DataFrame({"year": years, "month": month, "day": day})
    return parts.select(pl.date("year", "month", "day")).to_series()
