"""What the columns of an unknown file seem to hold, from their names and some of their values."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum

import polars as pl

from folkmoot_sdk.geography import GSS_CODE

MOST_CODES = 12
"""A column with more different texts than this is no code list."""
FEWEST_EACH = 5
"""A text that fewer rows hold may say something of one household, and is not written down."""
_MOST_LETTERS = 24
_NEARLY_ALL = 0.95
_NULLS = (
    "NULL", "N/A", "NA", "NONE", "NIL", "TBC", "TBA", "UNKNOWN", "NOT KNOWN", "NOT RECORDED", "?",
    "*", "-", "--", ".", "..", "X", "#N/A", "01/01/1900", "1900-01-01", "31/12/9999", "9999-12-31",
    "0001-01-01", "01/01/0001",
)  # fmt: skip
_DATES = (
    "%d/%m/%Y", "%Y-%m-%d", "%d-%m-%Y", "%d.%m.%Y", "%d %b %Y", "%d-%b-%Y", "%d %B %Y", "%Y%m%d",
    "%Y/%m/%d", "%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S",
    "%d/%m/%y", "%d-%b-%y", "%m/%d/%Y",
)  # fmt: skip
_TRUE = ({"Y"}, {"YES"}, {"TRUE"}, {"T"}, {"1"})
_FALSE = ({"N"}, {"NO"}, {"FALSE"}, {"F"}, {"0"})
_AMOUNT = (
    r"^\(?[-+]?\s*(?:£|GBP)?\s*[-+]?(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)(?:\.[0-9]+)?\s*(?:£|GBP)?\s*-?\)?"
    r"\s*(?:CR|DR)?$"
)
_POSTCODE = r"^[A-Za-z]{1,2}[0-9][A-Za-z0-9]?\s*[0-9][A-Za-z]{2}$"
_GSS = f"^{GSS_CODE}$"
_NAMED = {
    "uprn": r"uprn",
    "postcode": r"post\s*_?code|^pcds?$",
    "nhs_number": r"nhs",
    "forename": r"fore\s*_?names?|first\s*_?names?|given",
    "surname": r"sur\s*_?name|last\s*_?name|family\s*_?name",
    "date_of_birth": r"birth|^dob$|[_ ]dob$",
    "address": r"addr|^line\s*_?[0-9]$|street|town|house\s*_?name",
    "private": r"name|phone|mobile|e-?mail|nino|national\s*ins|\bni\b|note|comment|title|bank",
    "reference": r"ref|account|\bid$|_id$|number|\bno\.?$|key",
}


class Holds(Enum):
    """What a column seems to hold."""

    UPRN = "a UPRN"
    AREA = "codes of areas"
    DATE = "dates"
    BOOLEAN = "yes or no"
    NUMBER = "numbers"
    CODES = "a code list"
    IDENTIFIER = "what identifies a person or an address"
    REFERENCE = "a reference"
    TEXT = "text"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Guess:
    """One column.

    Attributes:
        column: Its name.
        holds: What it seems to hold.
        identifier: Key of the table `identifiers`; empty if it is none.
        formats: Date formats, the most frequent first.
        ambiguous: True if month and day could stand the other way round.
        true: Words for true.
        false: Words for false.
        codes: Codes that are frequent enough to be written down.
        seldom: Number of different texts that are not.
        thousands: True if some amounts have thousands separators.
        currency: True if some have a currency sign.
        negative: How negative amounts are written, other than by a sign in front.
        whole: True if all numbers are whole, and none is written with two decimals.
        negatives: True if some are below zero.
        nulls: Texts that seem to stand for an unknown value.
        unique: True if no value stands there twice, and none is missing.
        filled: Share of the rows that hold something, from 0 to 1.
        unread: Number of values in the sample that do not fit the rest.
    """

    column: str
    holds: Holds
    identifier: str = ""
    formats: tuple[str, ...] = ()
    ambiguous: bool = False
    true: tuple[str, ...] = ()
    false: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    seldom: int = 0
    thousands: bool = False
    currency: bool = False
    negative: tuple[str, ...] = ()
    whole: bool = False
    negatives: bool = False
    nulls: tuple[str, ...] = ()
    unique: bool = False
    filled: float = 1.0
    unread: int = field(default=0)


def guess(raw: pl.Series) -> Guess:
    """What one column seems to hold.

    Args:
        raw: Its values in the sample: texts, or as a typed file holds them; null where blank.
    """
    texts = _as_texts(raw)
    known = texts.drop_nulls()
    nulls = _nulls(known)
    known = known.filter(~known.is_in(list(nulls)))
    filled = len(known) / max(1, len(texts))
    unique = len(known) == len(texts) > 1 and known.n_unique() == len(known)
    name = raw.name
    if not len(known):
        return Guess(name, Holds.NOTHING, nulls=nulls, filled=filled)

    def found(holds: Holds, unread: int = 0, **more: object) -> Guess:
        return Guess(name, holds, nulls=nulls, filled=filled, unique=unique, unread=unread, **more)  # type: ignore[arg-type]

    numbers = known.str.contains(r"^[0-9]{1,12}(?:\.0+)?$")
    if _is_named("uprn", name) or _looks_like_uprns(known, numbers):
        return found(Holds.UPRN, int((~numbers).sum()))
    if _share(areas := known.str.contains(_GSS)) >= _NEARLY_ALL:
        return found(Holds.AREA, int((~areas).sum()))
    dates = _dates(known)
    for key in ("nhs_number", "postcode", "forename", "surname", "date_of_birth", "address"):
        if _is_named(key, name) and (key != "date_of_birth" or dates is not None):
            formats, ambiguous, unread = dates or ((), False, 0)
            return found(
                Holds.IDENTIFIER, unread, identifier=key, formats=formats, ambiguous=ambiguous
            )
    if _share(known.str.contains(_POSTCODE)) >= _NEARLY_ALL:
        return found(Holds.IDENTIFIER, identifier="postcode")
    if dates is not None:
        formats, ambiguous, unread = dates
        return found(Holds.DATE, unread, formats=formats, ambiguous=ambiguous)
    words = _boolean(known)
    if words is not None:
        return found(Holds.BOOLEAN, true=words[0], false=words[1])
    amounts = known.str.contains(_AMOUNT)
    if _is_named("reference", name) and (unique or _share(amounts) < _NEARLY_ALL):
        return found(Holds.REFERENCE)
    if _share(amounts) >= _NEARLY_ALL:
        return found(Holds.NUMBER, int((~amounts).sum()), **_amounts(known.filter(amounts)))
    codes = None if _is_named("private", name) else _codes(known)
    if codes is not None:
        return found(Holds.CODES, codes=codes[0], seldom=codes[1])
    return found(Holds.TEXT)


def _as_texts(raw: pl.Series) -> pl.Series:
    if raw.dtype == pl.Boolean:
        return raw.replace_strict({True: "true", False: "false"}, return_dtype=pl.String)
    if raw.dtype.is_float():
        return raw.cast(pl.String).str.replace(r"\.0$", "")
    if raw.dtype == pl.Datetime:
        raw = raw.cast(pl.Date)
    if raw.dtype.is_nested() or raw.dtype in (pl.Binary, pl.Object, pl.Null):
        return pl.Series(raw.name, [None] * len(raw), dtype=pl.String)
    texts = raw.cast(pl.String).str.strip_chars()
    return texts.set(texts == "", None)


def _share(mask: pl.Series) -> float:
    return float(mask.sum()) / max(1, len(mask))


def _is_named(key: str, name: str) -> bool:
    return re.search(_NAMED[key], name.strip(), re.IGNORECASE) is not None


def _looks_like_uprns(known: pl.Series, numbers: pl.Series) -> bool:
    """Most councils' UPRNs are twelve digits that begin with 100 or 200."""
    long = known.str.contains(r"^(?:10|20)0[0-9]{9}(?:\.0+)?$")
    return _share(numbers) >= _NEARLY_ALL and _share(long) >= 0.8


def _nulls(known: pl.Series) -> tuple[str, ...]:
    present = known.unique().to_list()
    found = sorted(text for text in present if text.upper() in _NULLS)
    # One letter or sign may be a code of its own among others.
    return tuple(found) if len(found) < len(present) else ()


def _dates(known: pl.Series) -> tuple[tuple[str, ...], bool, int] | None:
    """Formats that the values are written in, whether day and month are clear, and the rest.

    Returns:
        Formats with the most frequent first, whether another order of day and month fits as
        well, and the number of values that are no date; None if they are no dates.
    """
    left = known
    found: dict[str, int] = {}
    for pattern in _DATES:
        fits = _fits(left, pattern)
        if fits.sum() >= max(1, len(known) // 100):
            found[pattern] = int(fits.sum())
            left = left.filter(~fits)
    if not found or len(left) > (1 - _NEARLY_ALL) * len(known):
        return None
    formats = tuple(sorted(found, key=lambda pattern: -found[pattern]))
    turned = re.sub(r"^%d([/.-])%m", r"%m\1%d", formats[0])
    ambiguous = turned != formats[0] and bool(_fits(known, turned).all())
    return formats, ambiguous, len(left)


def _fits(texts: pl.Series, pattern: str) -> pl.Series:
    years = texts.str.to_date(pattern, strict=False).dt.year()
    return years.is_between(1850, 2199).fill_null(False)


def _boolean(known: pl.Series) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    present = sorted(known.unique().to_list())
    for yes, no in zip(_TRUE, _FALSE, strict=True):
        true = tuple(text for text in present if text.upper() in yes)
        false = tuple(text for text in present if text.upper() in no)
        whole = len(true) + len(false) == len(present)
        if true and whole and (false or yes != {"1"}):
            return true, false or tuple(word.title() for word in sorted(no))
    return None


def _amounts(known: pl.Series) -> dict[str, object]:
    bare = known.str.replace_all(r"[£,\s()]|GBP|CR|DR", "")
    negative = []
    if known.str.contains(r"^\(").any():
        negative.append("brackets")
    if known.str.contains(r"(?:CR|DR)$").any():
        negative.append("cr")
    if known.str.contains(r"[0-9]\s*-$").any():
        negative.append("trailing")
    return {
        "thousands": bool(known.str.contains(r"[0-9],[0-9]{3}").any()),
        "currency": bool(known.str.contains(r"£|GBP").any()),
        "negative": tuple(negative),
        "whole": not bare.str.contains(r"\.(?:[0-9]{2}|[1-9])").any(),
        "negatives": bool(negative) or bool(bare.str.starts_with("-").any()),
    }


def _codes(known: pl.Series) -> tuple[tuple[str, ...], int] | None:
    """The texts of a short code list that are not seldom, and how many are."""
    counts = known.value_counts(sort=True)
    texts: Sequence[str] = counts[known.name].to_list()
    if len(texts) > MOST_CODES or max(map(len, texts)) > _MOST_LETTERS:
        return None
    frequent = [
        text for text, rows in zip(texts, counts["count"].to_list(), strict=True)
        if rows >= FEWEST_EACH
    ]  # fmt: skip
    if not frequent:
        return None
    return tuple(sorted(frequent)), len(texts) - len(frequent)
