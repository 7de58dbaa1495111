"""Amounts as systems and people write them: separators, currency signs, credits."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

_THOUSANDS = ("", ",", ".", " ", "'")
_SIGN = r"[+-]?"


class Negative(StrEnum):
    """A way to write a negative amount, besides a minus in front of it."""

    BRACKETS = "brackets"
    CR = "cr"
    TRAILING = "trailing"


@dataclass(frozen=True, slots=True)
class Writing:
    """How amounts are written.

    Attributes:
        thousands: What stands between groups of three digits; empty if nothing.
        decimal: What stands before the pence.
        currency: The sign that may stand before or after an amount; empty if none may.
        negative: Which ways to write a negative amount there are.

    Raises:
        ValueError: If the parts contradict each other.
    """

    thousands: str = ""
    decimal: str = "."
    currency: str = ""
    negative: tuple[Negative, ...] = ()

    def __post_init__(self) -> None:
        if self.thousands not in _THOUSANDS:
            raise ValueError(f"`thousands` is {self.thousands!r}; give one of , . ' or a blank")
        if self.decimal not in (".", ","):
            raise ValueError(f"`decimal` is {self.decimal!r}; give a point or a comma")
        if self.thousands == self.decimal:
            raise ValueError("`thousands` and `decimal` are the same sign")
        if any(sign.isdigit() or sign in "+-.,() " for sign in self.currency):
            raise ValueError(f"`currency` is {self.currency!r}; give a sign such as £")

    @property
    def is_plain(self) -> bool:
        """True if nothing is read but plain numbers."""
        return self == PLAIN

    @property
    def keeps_plain(self) -> bool:
        """True if a plain number, such as 1234.5, means here what it means everywhere."""
        return self.decimal == "." and self.thousands != "."

    def plain(self, texts: pl.Series) -> pl.Series:
        """Writes amounts as plain numbers.

        Args:
            texts: Amounts as they are written.

        Returns:
            One text for each, such as `-1234.50`; null where it was, and where it is not an
            amount of this writing.
        """
        texts = texts.str.strip_chars()
        negative = pl.repeat(False, len(texts), eager=True)
        sign = re.escape(self.currency)
        if Negative.BRACKETS in self.negative:
            shape = rf"^({sign})\s*\(\s*(.*?)\s*\)$|^\(\s*(.*?)\s*\)$"
            bracketed = texts.str.contains(shape).fill_null(False)
            negative |= bracketed
            texts = texts.str.replace(shape, "$1$2$3")
        if Negative.CR in self.negative:
            credit = texts.str.contains(r"(?i)\s*cr$").fill_null(False) & ~negative
            texts = texts.str.replace(r"(?i)\s*[cd]r$", "")
            negative |= credit
        if Negative.TRAILING in self.negative:
            trailing = texts.str.ends_with("-").fill_null(False) & ~negative
            texts = texts.str.strip_suffix("-").str.strip_chars()
            negative |= trailing
        if sign:
            in_front = texts.str.contains(rf"^{_SIGN}\s*{sign}").fill_null(False)
            first = texts.str.replace(rf"^({_SIGN})\s*{sign}\s*", "$1")
            texts = first.zip_with(in_front, texts.str.replace(rf"\s*{sign}$", ""))
        digits = r"[0-9]+"
        if self.thousands:
            digits = rf"(?:[0-9]{{1,3}}(?:{re.escape(self.thousands)}[0-9]{{3}})+|[0-9]+)"
        point = re.escape(self.decimal)
        shape = rf"^{_SIGN}(?:{digits}(?:{point}[0-9]*)?|{point}[0-9]+)$"
        sound = texts.str.contains(shape) & ~(negative & texts.str.contains(r"^[+-]"))
        if self.thousands:
            texts = texts.str.replace_all(self.thousands, "", literal=True)
        texts = texts.str.replace(self.decimal, ".", literal=True)
        texts = ("-" + texts).zip_with(negative, texts)
        return texts.set(~sound.fill_null(False), None)

    def advice(self, text: str) -> str:
        """What to set in the mapping for a text that could not be read; empty if nothing helps."""
        for shape, is_set, remedy in (
            (r"\(.*\)", Negative.BRACKETS in self.negative, 'negative = ["brackets"]'),
            (r".*[0-9]\s*[CcDd][Rr]", Negative.CR in self.negative, 'negative = ["cr"]'),
            (r".*[0-9]\s*-", Negative.TRAILING in self.negative, 'negative = ["trailing"]'),
            (
                r".*[0-9]{1,3}(,[0-9]{3})+(\.[0-9]*)?[^0-9]*",
                self.thousands == ",",
                'thousands = ","',
            ),
            (
                r".*[0-9]{1,3}( [0-9]{3})+(\.[0-9]*)?[^0-9]*",
                self.thousands == " ",
                'thousands = " "',
            ),
            (r"[^0-9]*[0-9]+,[0-9]{1,2}[^0-9]*", self.decimal == ",", 'decimal = ","'),
            (r"[£$€].*|.*[£$€]", self.currency != "", f'currency = "{_currency(text)}"'),
        ):
            if not is_set and re.fullmatch(shape, text):
                return f"; if it is an amount, set {remedy} for the field"
        return ""


PLAIN = Writing()
"""Plain numbers, and nothing else."""


def _currency(text: str) -> str:
    return next((sign for sign in text if sign in "£$€"), "")
