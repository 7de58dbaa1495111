"""Forename and surname out of a column that holds both.

A comma separates the surname from what follows it; without one the last word is the surname,
with the particles before it, as in `Maria de Souza`. A text that names two people, as
`Mr J & Mrs A Smith`, says of neither who lives there.
"""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from folkmoot_plugin_extracts.columns import Text
from folkmoot_plugin_extracts.reader import Reader

_PARTICLES = "al|bin|da|de|del|della|den|der|di|dos|du|el|ibn|la|le|mac|mc|o|st|ten|ter|van|von"
_LAST = rf"(?i)((?:\b(?:{_PARTICLES})\.?\s+)*\S+)$"
_TWO_PEOPLE = r"(?i)&|\+|\band\b"


@dataclass(frozen=True, slots=True)
class Forename(Reader):
    """Titles and forenames: string, null where there are none."""

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        return _part(raw, "forename")

    def fault(self, text: str) -> str:
        """See `Reader`."""
        return _fault(text)


@dataclass(frozen=True, slots=True)
class Surname(Reader):
    """The surname: string."""

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        return _part(raw, "surname")

    def fault(self, text: str) -> str:
        """See `Reader`."""
        return _fault(text)


def _part(raw: pl.Series, part: str) -> pl.Series:
    """One part of each name; an empty text where the name lacks it, null for two people."""
    text = pl.col("name")
    comma = text.str.contains(",", literal=True)
    last = text.str.extract(_LAST)
    parts = {
        "surname": pl.when(comma).then(text.str.extract(r"^([^,]*)")).otherwise(last),
        "forename": pl.when(comma)
        .then(text.str.extract(r",(.*)$"))
        .otherwise(text.str.replace(_LAST, "")),
    }
    found = pl.when(~text.str.contains(_TWO_PEOPLE)).then(parts[part].str.strip_chars())
    frame = pl.DataFrame({"name": Text().parse(raw).str.strip_chars()})
    return frame.select(found.alias(raw.name)).to_series()


def _fault(text: str) -> str:
    return f"{text} names more than one person; give each a column, or leave `name` out"
