"""Columns of numbers: whole or not, within bounds."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from folkmoot_plugin_extracts.amounts import PLAIN, Writing
from folkmoot_plugin_extracts.reader import Joined, Reader

ZEROS = r"\.0+$"
"""What may follow a whole number that was kept as a float."""
INTEGER = re.compile(r"[+-]?[0-9]+")

_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)
_HUGE = re.compile(r"[+-]?[0-9]*\.?[0-9]+[eE][+-]?[0-9]+")


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
        convert = whole_numbers if self.whole else _floats
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
        if INTEGER.fullmatch(text):
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


def _integers(raw: pl.Series) -> pl.Series:
    if raw.dtype == pl.Int64:
        return raw
    if raw.dtype.is_float() or raw.dtype.is_decimal():
        whole = raw.cast(pl.Int64, strict=False)
        # A file that had a gap in a column of integers often comes with floats.
        return whole.set((whole.cast(raw.dtype) != raw).fill_null(False), None)
    return raw.cast(pl.Int64, strict=False)


def whole_numbers(raw: pl.Series) -> pl.Series:
    """Whole numbers of a column.

    Returns:
        One for each value: int64; null where it was, and where there is no whole number.
    """
    values = _integers(raw)
    if raw.dtype == pl.String and values.null_count() > raw.null_count():
        # The same gap in a text file: 8.0 is a whole number.
        values = values.fill_null(_integers(raw.str.replace(ZEROS, "")))
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
