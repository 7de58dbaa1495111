"""Texts for residents in their language.

English stands in the code and is what a translator translates: `locale/<language>/LC_MESSAGES/
notice.po` holds the translations, a file that any translation tool opens. What is not translated
yet is shown in English, and counted.
"""

from __future__ import annotations

import datetime
from functools import cache
from pathlib import Path

from babel.dates import format_date
from babel.messages.pofile import read_po

LOCALE = Path(__file__).parent / "locale"
LANGUAGES = {"en": "English", "cy": "Cymraeg"}
"""By code, as their speakers call them."""


class Texts:
    """Texts in one language.

    Attributes:
        language: Code of the language.
        missing: English texts that were asked for and have no translation.
    """

    def __init__(self, language: str = "en") -> None:
        """Reads the translations.

        Args:
            language: Code of the language, one of `LANGUAGES`.
        """
        self.language = language if language in LANGUAGES else "en"
        self.missing: set[str] = set()
        self._known = {} if self.language == "en" else translations(self.language)

    def say(self, english: str, /, **values: object) -> str:
        """A text.

        Args:
            english: In English, with names of values in braces.
            values: What stands in their place.
        """
        text = self._known.get(english, "")
        if not text and self.language != "en":
            self.missing.add(english)
        return (text or english).format(**values)

    def day(self, date: datetime.date) -> str:
        """A date: `1 December 2026`."""
        return format_date(date, "d MMMM y", locale=self.language)


@cache
def translations(language: str) -> dict[str, str]:
    """Translations by their English text; an empty one is missing."""
    path = LOCALE / language / "LC_MESSAGES" / "notice.po"
    with path.open("rb") as file:
        catalog = read_po(file, locale=language)
    return {str(one.id): str(one.string or "") for one in catalog if one.id}


def untranslated(language: str) -> list[str]:
    """English texts that a language has no translation of."""
    return sorted(text for text, other in translations(language).items() if not other)
