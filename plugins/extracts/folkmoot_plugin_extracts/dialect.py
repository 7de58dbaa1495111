"""How CSV text is written: encoding, delimiter, quote."""

from __future__ import annotations

from dataclasses import dataclass

from folkmoot_sdk.parameters import nearest

ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16", "utf-16-le", "utf-16-be")


def usual_delimiter(name: str) -> str:
    """What separates the fields of a file that is named so: a tab in `.tsv` and `.tab`."""
    return "\t" if name.lower().endswith((".tsv", ".tab")) else ","


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written.

    Attributes:
        encoding: One of `ENCODINGS`.
        delimiter: One ASCII character.
        quote: What encloses a text: one ASCII character, or nothing.

    Raises:
        ValueError: If one of them is not what it should be.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'

    def __post_init__(self) -> None:
        if self.encoding not in ENCODINGS:
            raise ValueError(f"encoding {self.encoding!r}: {nearest(self.encoding, ENCODINGS)}")
        if len(self.delimiter) != 1 or not self.delimiter.isascii() or self.delimiter in "\r\n":
            raise ValueError("the delimiter is not one ASCII character")
        if len(self.quote) > 1 or not self.quote.isascii() or self.quote == self.delimiter:
            raise ValueError("the quote is not one ASCII character other than the delimiter")
