"""How the values of one column are read, in the type of a field."""

from __future__ import annotations

import datetime
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from folkmoot_plugin_extracts.amounts import PLAIN, Writing
from folkmoot_plugin_extracts.dates import EARLIEST, LATEST, formats_of, read_dates, shown
from folkmoot_sdk.geography import GSS_CODE, fault_of_code

MAXIMUM_UPRN = 999_999_999_999
"""UPRNs have 1 to 12 digits (GeoPlace)."""

_EPOCH = datetime.date(1970, 1, 1)
_GSS = re.compile(GSS_CODE)
_ZEROS = r"\.0+$"
_INTEGER = re.compile(r"[+-]?[0-9]+")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_HUGE = re.compile(r"[+-]?[0-9]*\.?[0-9]+[eE][+-]?[0-9]+")
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


class Reader(ABC):
    """How the values of one column are read."""

    words: tuple[str, ...] = ()
    """Texts that are values here even if they are null values elsewhere."""
    quotable: bool = True
    """False if a malformed text must not be quoted, not even in quarantine."""
    lenient: bool = False
    """True if a text that `parse` made null is unknown, and not malformed."""

    @abstractmethod
    def parse(self, raw: pl.Series) -> pl.Series:
        """One value for each text, in the type of the field; null where missing or malformed."""

    @abstractmethod
    def fault(self, text: str) -> str:
        """Why a text that `parse` made null is malformed."""

    def faults(self, texts: Sequence[str]) -> Sequence[str]:
        """Why each of some texts is malformed; a reader that parses them again does it at once."""
        return [self.fault(text) for text in texts]

    @property
    def part(self) -> Reader:
        """How one of several columns is read of which a value is made by `join`."""
        return self

    def join(self, parts: Sequence[pl.Series]) -> Joined:
        """Makes one value of the values of several columns.

        Args:
            parts: For each column what `part` reads.
        """
        raise AssertionError("is read from one column")


@dataclass(frozen=True, slots=True)
class Joined:
    """What is made of several columns.

    Attributes:
        values: One for each row; null if unknown, or contradictory.
        contradictory: Boolean, never null: True where the columns do not go together.
        reason: Why they do not.
    """

    values: pl.Series
    contradictory: pl.Series
    reason: str


@dataclass(frozen=True, slots=True)
class Words:
    """How the texts of codes and of true and false are compared.

    Attributes:
        ignore_case: True if capitals do not count.
        other: The value of a text that is not named; None if it is malformed.
        lenient: True if such a text means that the value is not known.
    """

    ignore_case: bool = False
    other: bool | float | str | None = None
    lenient: bool = False

    def advice(self, text: str, named: Sequence[str]) -> str:
        """What to set for a text that is not named."""
        if text.lower() in (word.lower() for word in named):
            return "; only capitals differ: set ignore_case = true for the field"
        return "; name it in the mapping, or set `other` for what is not named"


USUAL = Words()


@dataclass(frozen=True, slots=True)
class Uprn(Reader):
    """A unique property reference number: int64."""

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        values = within(_whole(raw), 1, MAXIMUM_UPRN)
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
class Boolean(Reader):
    """True or false."""

    true: tuple[str, ...]
    false: tuple[str, ...]
    compared: Words = USUAL

    @property
    def lenient(self) -> bool:  # type: ignore[override]
        """See `Reader`."""
        return self.compared.lenient

    @property
    def words(self) -> tuple[str, ...]:  # type: ignore[override]
        """See `Reader`."""
        return (*self.true, *self.false)

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        if raw.dtype == pl.Boolean:
            return raw
        values = dict.fromkeys(self.true, True) | dict.fromkeys(self.false, False)
        return _replaced(raw, values, pl.Boolean(), self.compared)

    def fault(self, text: str) -> str:
        """See `Reader`."""
        words = f"neither {_listed(self.true)} (true) nor {_listed(self.false)} (false)"
        return f"{text} is {words}{self.compared.advice(text, self.words)}"


@dataclass(frozen=True, slots=True)
class CodeList(Reader):
    """A code: a Polars Enum of the codes.

    Attributes:
        texts: What the file holds, and the code it stands for.
        codes: All codes in order.
        compared: How texts are compared.
    """

    texts: tuple[tuple[str, str], ...]
    codes: tuple[str, ...]
    compared: Words = USUAL

    @property
    def lenient(self) -> bool:  # type: ignore[override]
        """See `Reader`."""
        return self.compared.lenient

    @property
    def words(self) -> tuple[str, ...]:  # type: ignore[override]
        """See `Reader`."""
        return tuple(text for text, _ in self.texts)

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        known = pl.Enum(self.codes)
        plain = self.compared == USUAL and all(text == code for text, code in self.texts)
        if raw.dtype == pl.String and plain:
            values = raw.cast(known, strict=False)
            if values.null_count() == raw.null_count():
                return values
        return _replaced(raw, dict(self.texts), known, self.compared)

    def fault(self, text: str) -> str:
        """See `Reader`."""
        advice = self.compared.advice(text, self.words)
        return f"{text} is not in the code list ({_listed(self.words)}){advice}"


@dataclass(frozen=True, slots=True)
class Number(Reader):
    """A number: float64, or int64 if it must be whole.

    Attributes:
        minimum: Smallest valid value; None for any.
        maximum: Largest valid value; None for any.
        whole: True if it must be whole.
        writing: How it is written.
        scale: What it is multiplied by, such as 0.01 for pence, or -1 to turn the sign.
        credit_is_zero: True if a value below 0 counts as 0.
    """

    minimum: float | None
    maximum: float | None
    whole: bool
    writing: Writing = PLAIN
    scale: float = 1
    credit_is_zero: bool = False

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        return self._bounded(self._scaled(self.as_written(raw)))

    def as_written(self, raw: pl.Series) -> pl.Series:
        """One number for each text, neither scaled nor bounded: int64 or float64; null if
        malformed.
        """
        convert = _whole if self.whole else _floats
        if raw.dtype != pl.String:
            return convert(raw)
        if not self.writing.keeps_plain:
            return convert(self.writing.plain(raw))
        values = convert(raw)
        if self.writing.is_plain or values.null_count() == raw.null_count():
            return values
        return values.fill_null(convert(self.writing.plain(raw.set(values.is_not_null(), None))))

    def fault(self, text: str) -> str:
        """See `Reader`."""
        kind = "whole number" if self.whole else "number"
        value = replace(self, whole=False).unbounded.parse(pl.Series([text])).item()
        if value is None:
            if _NOT_FINITE.fullmatch(text) or _HUGE.fullmatch(text):
                return f"{text} is not a finite number"
            return f"{text} is not a {kind}{self.writing.advice(text)}"
        if outside := self.outside(value):
            return f"{text} {outside}{self._credit(value)}"
        if _INTEGER.fullmatch(text):
            return f"{text} is too large for an integer of 64 bits"
        return f"{text} is not a whole number"

    def outside(self, value: float) -> str:
        """In which way a value is out of range; empty if it is not."""
        shown = "is" if self.scale == 1 else f"gives {value:g}, which is"
        if self.minimum is not None and value < self.minimum:
            return f"{shown} below the smallest valid value, {self.minimum:g}"
        if self.maximum is not None and value > self.maximum:
            return f"{shown} above the largest valid value, {self.maximum:g}"
        return ""

    def _credit(self, value: float) -> str:
        return '; if it is a credit, set credits = "zero"' if value < 0 == self.minimum else ""

    @property
    def unbounded(self) -> Number:
        """The same without bounds, and with credits as they are."""
        return replace(self, minimum=None, maximum=None, credit_is_zero=False)

    @property
    def part(self) -> Reader:
        """See `Reader`."""
        return self.unbounded

    def join(self, parts: Sequence[pl.Series]) -> Joined:
        """The sum; unknown if a part is."""
        total = sum(parts[1:], parts[0])
        values = self._bounded(total)
        outside = values.is_null() & total.is_not_null()
        low = "" if self.minimum is None else f" from {self.minimum:g}"
        high = "" if self.maximum is None else f" to {self.maximum:g}"
        return Joined(values, outside, f"add up to no valid value{low}{high}")

    def _scaled(self, values: pl.Series) -> pl.Series:
        if self.scale == 1:
            return values
        if self.whole:
            return values * int(self.scale)
        # 1.1 pounds are 110 pence divided by 100, and not quite 110 times 0.01.
        inverse = round(1 / self.scale)
        return values / inverse if inverse and 1 / inverse == self.scale else values * self.scale

    def _bounded(self, values: pl.Series) -> pl.Series:
        values = values.clip(lower_bound=0) if self.credit_is_zero else values
        return within(values, self.minimum, self.maximum)


@dataclass(frozen=True, slots=True)
class Valued(Reader):
    """A number that the file writes as a code, such as an age band.

    Attributes:
        texts: What the file holds, and the value it stands for.
        whole: True for int64, False for float64.
    """

    texts: tuple[tuple[str, float], ...]
    whole: bool
    compared: Words = USUAL

    @property
    def lenient(self) -> bool:  # type: ignore[override]
        """See `Reader`."""
        return self.compared.lenient

    @property
    def words(self) -> tuple[str, ...]:  # type: ignore[override]
        """See `Reader`."""
        return tuple(text for text, _ in self.texts)

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        values = {text: int(value) if self.whole else value for text, value in self.texts}
        dtype = pl.Int64() if self.whole else pl.Float64()
        return _replaced(raw, values, dtype, self.compared)

    def fault(self, text: str) -> str:
        """See `Reader`."""
        words = _listed(self.words)
        advice = self.compared.advice(text, self.words)
        return f"{text} is not in the table of values ({words}){advice}"


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
            text = text.str.replace(_ZEROS, "") if raw.dtype.is_float() else text
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


def within(values: pl.Series, low: float | None, high: float | None) -> pl.Series:
    """Clears values out of range.

    Returns:
        One value for each, in the same type; null where it was, and outside the bounds.
    """
    smallest, largest = values.min(), values.max()
    outside: pl.Series | None = None
    if low is not None and smallest is not None and smallest < low:  # type: ignore[operator]
        outside = values < low
    if high is not None and largest is not None and largest > high:  # type: ignore[operator]
        above = values > high
        outside = above if outside is None else outside | above
    return values if outside is None else values.set(outside, None)


def _replaced(
    raw: pl.Series, values: dict[str, Any], dtype: pl.DataType, compared: Words
) -> pl.Series:
    other = compared.other
    if raw.dtype.is_integer():
        numbers = {int(text): value for text, value in values.items() if _INTEGER.fullmatch(text)}
        found = raw.replace_strict(numbers, default=other, return_dtype=dtype)
    else:
        texts = Text().parse(raw)
        # A column of whole numbers that had a gap often comes as 1.0.
        gapped = {f"{text}.0": value for text, value in values.items() if _INTEGER.fullmatch(text)}
        values = gapped | values
        if compared.ignore_case:
            texts = texts.str.to_lowercase()
            values = {text.lower(): value for text, value in values.items()}
        if other is not None:
            texts = texts.str.strip_chars()
        found = texts.replace_strict(values, default=other, return_dtype=dtype)
    return found if other is None else found.set(raw.is_null(), None)


def _listed(texts: tuple[str, ...]) -> str:
    shown = ", ".join(repr(text) for text in texts[:8])
    return f"{shown}, ..." if len(texts) > 8 else shown
