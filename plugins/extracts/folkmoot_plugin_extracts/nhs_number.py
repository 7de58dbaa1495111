"""NHS numbers, checked.

Source: NHS Data Dictionary, NHS Number. Ten digits; the last is 11 less the remainder by 11
of the sum of the first nine weighted 10 to 2, where 11 becomes 0, and numbers for which it is
10 are not issued.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import polars as pl

from folkmoot_plugin_extracts.columns import Text
from folkmoot_plugin_extracts.reader import Reader
from folkmoot_sdk import ReadContext, Rejection

_DIGITS = 10
_TEN_DIGITS = re.compile(r"[0-9]{10}")
_REPEATED = [int(digit * _DIGITS) for digit in "0123456789"]
PLACEHOLDERS = tuple(
    sign.join((digit * 3, digit * 3, digit * 4))
    for digit in "0123456789"
    for sign in ("", " ", "-")
)
"""Numbers of ten equal digits, as systems hold them for somebody whose number is not known."""
_SPACING = r"[ -]"
_SHAPE = re.compile(r"(?<![0-9])[0-9]{3}[ -]?[0-9]{3}[ -]?[0-9]{4}(?![0-9])")


@dataclass(frozen=True, slots=True)
class NhsNumber(Reader):
    """A number with a check digit: string of ten digits, without spaces or hyphens."""

    quotable = False

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        text = Text().parse(raw).str.replace_all(_SPACING, "")
        whole = text.str.contains(r"^[0-9]{10}$").fill_null(False)
        number = text.set(~whole, None).cast(pl.Int64)
        place = [number // 10**power % 10 for power in range(_DIGITS)]
        # place[k] is the digit with k digits after it; its weight is k + 1.
        total = sum((place[k] * (k + 1) for k in range(2, _DIGITS)), place[1] * 2)
        check = (11 - total % 11) % 11
        # Ten equal digits pass the check, and stand in systems for a number that is not known.
        sound = (check == place[0]) & ~number.is_in(_REPEATED)
        return text.set(~sound.fill_null(False), None)

    def fault(self, text: str) -> str:
        """See `Reader`; the number itself is not quoted."""
        digits = re.sub(_SPACING, "", text)
        if _TEN_DIGITS.fullmatch(digits) and len(set(digits)) == 1:
            return (
                "stands for an NHS number that is not known: leave the cell empty, or name it in "
                "null_values"
            )
        if _TEN_DIGITS.fullmatch(digits):
            return "is not an NHS number: the check digit is wrong"
        return "is not an NHS number of ten digits"


def hidden(text: str) -> str:
    """A text in which whatever has the shape of an NHS number is left out."""
    return _SHAPE.sub("(number)", text)


def hiding_numbers(context: ReadContext) -> ReadContext:
    """The context with NHS numbers left out of rejections.

    In a row whose fields have moved, the number stands where another value should.
    """

    def reject(rejections: Sequence[Rejection]) -> None:
        context.reject([
            replace(entry, reason=hidden(entry.reason), value=hidden(entry.value))
            for entry in rejections
        ])  # fmt: skip

    return replace(context, reject=reject)
