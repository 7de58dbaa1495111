"""Turns one column of a file into values of a field's type, and finds what is malformed.

Parsing is columnar: a value that cannot be read becomes null, and the cheap question
"are there more nulls than before?" comes first. Only if there are, the unreadable values
are looked at one by one.
"""

from __future__ import annotations

import datetime
import re
from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from folkmoot_sdk.geography import GSS_CODE, fault_of_code

MAXIMUM_UPRN = 999_999_999_999
"""UPRNs have 1 to 12 digits (GeoPlace)."""
EARLIEST = datetime.date(1850, 1, 1)
LATEST = datetime.date(2199, 12, 31)
"""Dates outside these are slips of the pen, such as a year of two digits read as 0026."""

_EPOCH = datetime.date(1970, 1, 1)
_GSS = re.compile(GSS_CODE)
_ZEROS = r"\.0+$"
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DATE_PARTS = {
    "%d": "DD", "%m": "MM", "%Y": "YYYY", "%y": "YY", "%b": "Mon", "%B": "Month",
    "%H": "hh", "%M": "mm", "%S": "ss", "%e": "D",
}  # fmt: skip


class Reader(ABC):
    """How the values of one column are read."""

    words: tuple[str, ...] = ()
    """Texts that are values here even if they are null values elsewhere."""
    quotable: bool = True
    """False if a malformed text must not be quoted, not even in quarantine."""

    @abstractmethod
    def parse(self, raw: pl.Series) -> pl.Series:
        """One value for each text, in the type of the field; null where missing or malformed."""

    @abstractmethod
    def fault(self, text: str) -> str:
        """Why a text that `parse` made null is malformed."""


@dataclass(frozen=True, slots=True)
class Uprn(Reader):
    """A unique property reference number: int64."""

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        return _within(_integers(raw), 1, MAXIMUM_UPRN)

    def fault(self, text: str) -> str:
        """See `Reader`."""
        return f"{text} is not a UPRN (1 to 12 digits)"


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
class Boolean(Reader):
    """True or false."""

    true: tuple[str, ...]
    false: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:  # type: ignore[override]
        """See `Reader`."""
        return (*self.true, *self.false)

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        if raw.dtype == pl.Boolean:
            return raw
        values = dict.fromkeys(self.true, True) | dict.fromkeys(self.false, False)
        return _replaced(raw, values, pl.Boolean())

    def fault(self, text: str) -> str:
        """See `Reader`."""
        return f"{text} is neither {_listed(self.true)} (true) nor {_listed(self.false)} (false)"


@dataclass(frozen=True, slots=True)
class CodeList(Reader):
    """A code: a Polars Enum of the codes.

    Attributes:
        texts: What the file holds, and the code it stands for.
        codes: All codes in order.
    """

    texts: tuple[tuple[str, str], ...]
    codes: tuple[str, ...]

    @property
    def words(self) -> tuple[str, ...]:  # type: ignore[override]
        """See `Reader`."""
        return tuple(text for text, _ in self.texts)

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        known = pl.Enum(self.codes)
        if raw.dtype == pl.String and all(text == code for text, code in self.texts):
            return raw.cast(known, strict=False)
        return _replaced(raw, dict(self.texts), known)

    def fault(self, text: str) -> str:
        """See `Reader`."""
        return f"{text} is not in the code list ({_listed(self.words)})"


@dataclass(frozen=True, slots=True)
class Number(Reader):
    """A number: float64, or int64 if it must be whole."""

    minimum: float | None
    maximum: float | None
    whole: bool

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        values = _whole(raw) if self.whole else _floats(raw)
        return _within(values, self.minimum, self.maximum)

    def fault(self, text: str) -> str:
        """See `Reader`."""
        try:
            value = float(text)
        except ValueError:
            return f"{text} is not a {'whole ' if self.whole else ''}number"
        if value != value or value in (float("inf"), float("-inf")):
            return f"{text} is not a finite number"
        if self.minimum is not None and value < self.minimum:
            return f"{text} is below the smallest valid value, {self.minimum:g}"
        if self.maximum is not None and value > self.maximum:
            return f"{text} is above the largest valid value, {self.maximum:g}"
        if _INTEGER.fullmatch(text):
            return f"{text} is too large for an integer of 64 bits"
        return f"{text} is not a whole number"


@dataclass(frozen=True, slots=True)
class Valued(Reader):
    """A number that the file writes as a code, such as an age band.

    Attributes:
        texts: What the file holds, and the value it stands for.
        whole: True for int64, False for float64.
    """

    texts: tuple[tuple[str, float], ...]
    whole: bool

    @property
    def words(self) -> tuple[str, ...]:  # type: ignore[override]
        """See `Reader`."""
        return tuple(text for text, _ in self.texts)

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        values = {text: int(value) if self.whole else value for text, value in self.texts}
        return _replaced(raw, values, pl.Int64() if self.whole else pl.Float64())

    def fault(self, text: str) -> str:
        """See `Reader`."""
        return f"{text} is not in the table of values ({_listed(self.words)})"


@dataclass(frozen=True, slots=True)
class Date(Reader):
    """A date."""

    format: str

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        if not raw.dtype.is_temporal():
            # A number is a date as it is written, such as 20260401; not a count of days.
            text = Text().parse(raw)
            text = text.str.replace(_ZEROS, "") if raw.dtype.is_float() else text
            raw = text.str.to_date(self.format, strict=False)
        elif raw.dtype != pl.Date:
            raw = raw.cast(pl.Date)
        low, high = (EARLIEST - _EPOCH).days, (LATEST - _EPOCH).days
        return _within(raw.to_physical(), low, high).cast(pl.Date)

    def fault(self, text: str) -> str:
        """See `Reader`."""
        shape = self.format
        for part, shown in _DATE_PARTS.items():
            shape = shape.replace(part, shown)
        return f"{text} is not a date ({shape}, {EARLIEST.year} to {LATEST.year})"


@dataclass(frozen=True, slots=True)
class Elapsed(Reader):
    """Time from a date to the reference date: int64.

    Attributes:
        date: How the date is read.
        reference: The reference date.
        unit: `years` for whole years of age, or `days`.
        minimum: Smallest valid value.
        maximum: Largest valid value.
        whole: True for int64, False for float64.
    """

    date: Date
    reference: datetime.date
    unit: str
    minimum: float | None
    maximum: float | None
    whole: bool

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        dates = self.date.parse(raw)
        if self.unit == "days":
            values = (self.reference - _EPOCH).days - dates.to_physical()
        else:
            values = _years(dates, self.reference)
        values = values.cast(pl.Int64 if self.whole else pl.Float64)
        return _within(values.rename(raw.name), self.minimum, self.maximum)

    def fault(self, text: str) -> str:
        """See `Reader`."""
        dates = self.date.parse(pl.Series([text]))
        if dates.null_count():
            return self.date.fault(text)
        unbounded = Elapsed(self.date, self.reference, self.unit, None, None, self.whole)
        value = unbounded.parse(pl.Series([text])).item()
        bounds = Number(self.minimum, self.maximum, self.whole).fault(f"{value:.0f}")
        return f"{text} gives {bounds} ({self.unit})"


@dataclass(frozen=True, slots=True)
class Parsed:
    """One column, read.

    Attributes:
        values: The values, null where unknown or malformed.
        malformed: True where malformed; None if nothing is.
    """

    values: pl.Series
    malformed: pl.Series | None


def read_column(reader: Reader, raw: pl.Series, nulls: Iterable[str]) -> Parsed:
    """Reads a column.

    An empty cell and a null value are unknown, unless the reader counts them among its
    own words. Blanks around a value are ignored.
    """
    if "" in reader.words and raw.null_count():
        if raw.dtype == pl.Boolean and isinstance(reader, Boolean):
            return Parsed(raw.fill_null("" in reader.true), None)
        raw = Text().parse(raw).fill_null("")
    unknown = _unknown_values(raw.dtype, [t for t in ("", *nulls) if t not in reader.words])
    if len(unknown) and _pass_for_values(reader, unknown):
        raw = raw.set(_is_one_of(raw, unknown), None)
    values = reader.parse(raw)
    if values.null_count() == raw.null_count():
        return Parsed(values, None)
    if raw.dtype == pl.String:
        raw = raw.str.strip_chars()
        values = reader.parse(raw)
    malformed = values.is_null() & raw.is_not_null() & ~_is_one_of(raw, unknown)
    return Parsed(values, malformed if malformed.any() else None)


def in_calendar(days: pl.Series) -> pl.Series:
    """Moves dates or moments outside the years 1 to 9999 to the nearest within them.

    Files and databases can hold others, such as PostgreSQL's infinity, which Polars cannot
    write as text. They are malformed in any case.

    Returns:
        One value for each of `days`, in the same type; null where it was null.
    """
    first, last = pl.Series([datetime.date.min, datetime.date.max]).cast(days.dtype).to_physical()
    return days.to_physical().clip(first, last).cast(days.dtype)


def _unknown_values(dtype: pl.DataType, texts: list[str]) -> pl.Series:
    """The null values that a column of a type can hold, in that type or float64."""
    if dtype == pl.String:
        return pl.Series(texts, dtype=pl.String)
    if dtype.is_numeric():
        return pl.Series([float(text) for text in texts if _is_number(text)], dtype=pl.Float64)
    dates = pl.Series(texts, dtype=pl.String).str.to_date("%Y-%m-%d", strict=False).drop_nulls()
    return dates.cast(dtype) if dtype.is_temporal() else pl.Series([], dtype=dtype)


def _pass_for_values(reader: Reader, unknown: pl.Series) -> bool:
    """Whether a null value, such as -9 or 01/01/1900, would be read as a value."""
    return unknown.dtype != pl.String or reader.parse(unknown).null_count() < len(unknown)


def _is_one_of(raw: pl.Series, unknown: pl.Series) -> pl.Series:
    """True where a value is one of the null values; False where it is null already."""
    if raw.dtype == pl.String:
        raw = raw.str.strip_chars()
    elif raw.dtype.is_numeric():
        raw = raw.cast(pl.Float64)
    return raw.is_in(unknown.implode()).fill_null(False)


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _integers(raw: pl.Series) -> pl.Series:
    if raw.dtype == pl.Int64:
        return raw
    if raw.dtype.is_float() or raw.dtype.is_decimal():
        whole = raw.cast(pl.Int64, strict=False)
        # A file that had a gap in a column of integers often comes with floats.
        return whole.set((whole.cast(raw.dtype) != raw).fill_null(False), None)
    return raw.cast(pl.Int64, strict=False)


def _whole(raw: pl.Series) -> pl.Series:
    values = _integers(raw)
    if raw.dtype == pl.String and values.null_count() > raw.null_count():
        # The same gap in a text file: 8.0 is a whole number.
        values = values.fill_null(_integers(raw.str.replace(_ZEROS, "")))
    return values


def _floats(raw: pl.Series) -> pl.Series:
    values = raw if raw.dtype == pl.Float64 else raw.cast(pl.Float64, strict=False)
    finite = values.is_finite()
    return values if finite.all() else values.set(~finite, None)


def _within(values: pl.Series, low: float | None, high: float | None) -> pl.Series:
    smallest, largest = values.min(), values.max()
    outside: pl.Series | None = None
    if low is not None and smallest is not None and smallest < low:  # type: ignore[operator]
        outside = values < low
    if high is not None and largest is not None and largest > high:  # type: ignore[operator]
        above = values > high
        outside = above if outside is None else outside | above
    return values if outside is None else values.set(outside, None)


def _replaced(raw: pl.Series, values: dict[str, Any], dtype: pl.DataType) -> pl.Series:
    if raw.dtype.is_integer():
        numbers = {int(text): value for text, value in values.items() if _INTEGER.fullmatch(text)}
        return raw.replace_strict(numbers, default=None, return_dtype=dtype)
    return Text().parse(raw).replace_strict(values, default=None, return_dtype=dtype)


def _years(dates: pl.Series, reference: datetime.date) -> pl.Series:
    """Whole years completed; somebody born on 29 February completes one on 1 March."""
    days = dates.to_physical()
    first, last = days.min(), days.max()
    if not isinstance(first, int) or not isinstance(last, int):
        return days
    # People are many and days of birth few: look the age of each day up.
    day = pl.int_range(first, last + 1, dtype=pl.Int32, eager=True).cast(pl.Date)
    # Polars counts months in 8 bits, too few for the product.
    in_year = day.dt.month().cast(pl.Int32) * 32 + day.dt.day()
    before = in_year > reference.month * 32 + reference.day
    years = reference.year - day.dt.year() - before.cast(pl.Int32)
    return years.gather(days - first)


def _listed(texts: tuple[str, ...]) -> str:
    shown = ", ".join(repr(text) for text in texts[:8])
    return f"{shown}, ..." if len(texts) > 8 else shown
