"""Postcodes, however they are spaced."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from folkmoot_plugin_extracts.columns import Text
from folkmoot_plugin_extracts.reader import Reader
from folkmoot_sdk.geography import POSTCODE


@dataclass(frozen=True, slots=True)
class Postcode(Reader):
    """A postcode in capitals without blanks: string, such as `M320TH`."""

    def parse(self, raw: pl.Series) -> pl.Series:
        """See `Reader`."""
        text = Text().parse(raw).str.replace_all(" ", "", literal=True).str.to_uppercase()
        return text.set(~text.str.contains(f"^{POSTCODE}$"), None)

    def fault(self, text: str) -> str:
        """See `Reader`."""
        return f"{text} is not a postcode"
