"""How old a reader must be to follow a text: Flesch and Kincaid's grade, as an age.

Kincaid et al. (1975), Derivation of New Readability Formulas, equation for the grade of US schools,
which begin at the age of five. Syllables are counted by where Pyphen's British dictionary would
break a word, and by its groups of vowels; the larger number counts, so that the age is rather too
high than too low.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

LIMIT = 11
"""Years. GOV.UK writes for a reading age of nine; the words of the law take two more."""
_FIRST_GRADE_AGE = 5
_SENTENCE_END = re.compile(r"[.!?]+(?=\s|$)")
_WORD = re.compile(r"[a-z]+(?:['\u2019][a-z]+)*", re.IGNORECASE)
_ADDRESS = re.compile(r"\S+@\S+|\b\S+\.(?:uk|org|com|net)\b\S*")
_VOWELS = re.compile(r"[aeiouy]+")


def reading_age(texts: Iterable[str]) -> float | None:
    """The age at which most can read some paragraphs, years with a decimal.

    Args:
        texts: Paragraphs of whole sentences. Addresses in them are one word of one syllable.

    Returns:
        None if there are no words.
    """
    sentences = words = syllables = 0
    for text in texts:
        plain = _ADDRESS.sub("us", text)
        found = _WORD.findall(plain)
        if not found:
            continue
        sentences += max(1, len(_SENTENCE_END.findall(plain)))
        words += len(found)
        syllables += sum(map(_syllables, found))
    if not words:
        return None
    grade = 0.39 * words / sentences + 11.8 * syllables / words - 15.59
    return round(grade + _FIRST_GRADE_AGE, 1)


@cache
def _syllables(word: str) -> int:
    lower = word.lower()
    # A silent e at the end is no syllable: "home", "score"; the "le" of "table" is.
    silent = lower.endswith("e") and not lower.endswith(("le", "ee")) and len(lower) > 2
    by_vowels = max(1, len(_VOWELS.findall(lower)) - silent)
    return max(by_vowels, len(_dictionary().positions(lower)) + 1)


@cache
def _dictionary() -> Any:
    from pyphen import Pyphen  # of the extra `dossier`

    return Pyphen(lang="en_GB", left=1, right=1)
