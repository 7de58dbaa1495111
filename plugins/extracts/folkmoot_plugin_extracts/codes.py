"""Columns of words that stand for values: true and false, codes, and numbers written as codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

from folkmoot_plugin_extracts.columns import Text
from folkmoot_plugin_extracts.numbers import INTEGER
from folkmoot_plugin_extracts.reader import Reader


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


class _OfWords(Reader):
    """Words that stand for values; `compared` says how they are compared."""

    compared: Words

    @property
    def lenient(self) -> bool:  # type: ignore[override]
        """See `Reader`."""
        return self.compared.lenient


class _OfCodes(_OfWords):
    """Codes that stand for values: `texts` has what the file holds, and what each stands for."""

    texts: tuple[tuple[str, Any], ...]

    @property
    def words(self) -> tuple[str, ...]:  # type: ignore[override]
        """See `Reader`."""
        return tuple(text for text, _ in self.texts)


@dataclass(frozen=True, slots=True)
class Boolean(_OfWords):
    """True or false."""

    true: tuple[str, ...]
    false: tuple[str, ...]
    compared: Words = USUAL

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
class CodeList(_OfCodes):
    """A code: a Polars Enum of the codes.

    Attributes:
        texts: What the file holds, and the code it stands for.
        codes: All codes in order.
        compared: How texts are compared.
    """

    texts: tuple[tuple[str, str], ...]
    codes: tuple[str, ...]
    compared: Words = USUAL

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
class Valued(_OfCodes):
    """A number that the file writes as a code, such as an age band.

    Attributes:
        texts: What the file holds, and the value it stands for.
        whole: True for int64, False for float64.
    """

    texts: tuple[tuple[str, float], ...]
    whole: bool
    compared: Words = USUAL

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


def _replaced(
    raw: pl.Series, values: dict[str, Any], dtype: pl.DataType, compared: Words
) -> pl.Series:
    other = compared.other
    if raw.dtype.is_integer():
        numbers = {int(text): value for text, value in values.items() if INTEGER.fullmatch(text)}
        found = raw.replace_strict(numbers, default=other, return_dtype=dtype)
    else:
        texts = Text().parse(raw)
        # A column of whole numbers that had a gap often comes as 1.0.
        gapped = {f"{text}.0": value for text, value in values.items() if INTEGER.fullmatch(text)}
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
