"""Columns of property references, texts, identities, areas and dates."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from folkmoot_plugin_extracts.dates import EARLIEST, LATEST, formats_of, read_dates, shown
from folkmoot_plugin_extracts.numbers import ZEROS, whole_numbers, within
from folkmoot_plugin_extracts.reader import Joined, Reader
from folkmoot_sdk.geography import GSS_CODE, fault_of_code

MAXIMUM_UPRN = 999_999_999_999
"""UPRNs have 1 to 12 digits (GeoPlace)."""

_EPOCH = datetime.date(1970, 1, 1)
_GSS = re.compile(GSS_CODE)
_ROUNDED = re.compile(r"[0-9][.,]?[0-9]*[eE]\+?[0-9]+")
_FILLED = range(9, 13)
"""Digits of a UPRN that stands for none: shorter ones are numbers of homes."""
_COUNTED = ("123456789012", "987654321098")
_PAIRS = (f"{pair}" * 6 for pair in range(10, 100) if pair not in (10, 20))
_PLACEHOLDERS = pl.Series(
    sorted(
        {
            *(int(digit * n) for digit in "123456789" for n in _FILLED),
            *(int(digits[:n]) for digits in _COUNTED for n in _FILLED),
            *map(int, _PAIRS),
            *(int(block * (12 // len(block))) for block in ("123", "1234", "123456")),
        }
    ),
    dtype=pl.Int64,
)
"""What systems hold for a UPRN that is not known: one digit nine times or more, digits counted up
or down, two digits or a count over and over. UPRNs of twelve digits begin with 10 or 20."""


@dataclass(frozen=True, slots=True)
class Uprn(Reader):
    """A unique property reference number: int64."""

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        values = within(whole_numbers(raw), 1, MAXIMUM_UPRN)
        placeholders = values.is_in(_PLACEHOLDERS.implode())
        return values.set(placeholders, None) if placeholders.any() else values

    def fault(self, text: str) -> str:
        """See `Reader`."""
        number = text.rstrip("0").rstrip(".") if "." in text else text
        is_whole = number.isascii() and number.isdecimal()
        if is_whole and (not int(number) or int(number) in _PLACEHOLDERS):
            remedy = "leave the cell empty, or name it in null_values"
            return f"{text} stands for a UPRN that is not known: {remedy}"
        rounded = ""
        if _ROUNDED.fullmatch(text):
            rounded = "; a spreadsheet has rounded it: export the column as text"
        return f"{text} is not a UPRN (1 to 12 digits){rounded}"

    def join(self, parts: Sequence[pl.Series]) -> Joined:
        """The first UPRN that is there; contradictory if two differ."""
        first = parts[0]
        differs = pl.repeat(False, len(first), eager=True)
        for part in parts[1:]:
            differs |= (part != first).fill_null(False)
            first = first.fill_null(part)
        return Joined(first.set(differs, None), differs, "name two UPRNs; correct one of them")


@dataclass(frozen=True, slots=True)
class Text(Reader):
    """A text as it stands, such as a postcode in an identifier."""

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        if raw.dtype == pl.String:
            return raw
        return (in_calendar(raw) if raw.dtype.is_temporal() else raw).cast(pl.String)

    def fault(self, text: str) -> str:
        """See `Reader`."""
        raise AssertionError("every text can be read")


@dataclass(frozen=True, slots=True)
class Identity(Reader):
    """Any value that is only compared for equality: int64, a 64-bit hash of its text."""

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        text = Text().parse(raw).str.strip_chars()
        # The seed is fixed, so that one reference is one number in every batch and file.
        hashed = text.hash(1).reinterpret(signed=True)
        return hashed.set(text.is_null(), None) if text.null_count() else hashed

    def fault(self, text: str) -> str:
        """See `Reader`."""
        raise AssertionError("every text can be read")


@dataclass(frozen=True, slots=True)
class Area(Reader):
    """A GSS code: string.

    Attributes:
        area_type: What the areas are, such as `lsoa21`; a code of another level is malformed.
    """

    area_type: str = ""

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        text = Text().parse(raw)
        # Areas are few and records many: look at each code once.
        wrong = [code for code in text.unique() if code is not None and self._fault(code)]
        return text.set(text.is_in(wrong), None) if wrong else text

    def fault(self, text: str) -> str:
        """See `Reader`."""
        return f"{text} {self._fault(text)}"

    def _fault(self, code: str) -> str:
        if not _GSS.fullmatch(code):
            return "is not a GSS code (a letter and eight digits)"
        return fault_of_code(code, self.area_type)


@dataclass(frozen=True, slots=True)
class Date(Reader):
    """A date.

    Attributes:
        format: How it is written, or each way that occurs.
        latest_year: The latest year that two digits may stand for.
        not_after: A day that no date is after; see `dates.read_dates`.
    """

    format: str | tuple[str, ...]
    latest_year: int | None = None
    not_after: datetime.date | None = None

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        if not raw.dtype.is_temporal():
            # A number is a date as it is written, such as 20260401; a count of days if so said.
            text = Text().parse(raw)
            text = text.str.replace(ZEROS, "") if raw.dtype.is_float() else text
            return read_dates(text, formats_of(self.format), self.latest_year, self.not_after)
        if raw.dtype != pl.Date:
            raw = raw.cast(pl.Date)
        low, high = (EARLIEST - _EPOCH).days, (LATEST - _EPOCH).days
        return within(raw.to_physical(), low, high).cast(pl.Date)

    def fault(self, text: str) -> str:
        """See `Reader`."""
        shape = shown(formats_of(self.format))
        return f"{text} is not a date ({shape}, {EARLIEST.year} to {LATEST.year})"


def in_calendar(days: pl.Series) -> pl.Series:
    """Moves dates or moments outside the years 1 to 9999 to the nearest within them.

    Files and databases can hold others, such as PostgreSQL's infinity, which Polars cannot
    write as text. They are malformed in any case.

    Returns:
        One value for each of `days`, in the same type; null where it was null.
    """
    first, last = pl.Series([datetime.date.min, datetime.date.max]).cast(days.dtype).to_physical()
    return days.to_physical().clip(first, last).cast(days.dtype)
