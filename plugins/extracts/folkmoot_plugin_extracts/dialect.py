"""How CSV text is written: encoding, delimiter, quote."""

from __future__ import annotations

from dataclasses import dataclass, replace

from folkmoot_sdk.parameters import nearest

ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16", "utf-16-le", "utf-16-be")


_USUAL = (",", "\t")


def usual_delimiter(name: str) -> str:
    """What separates the fields of a file that is named so: a tab in `.tsv` and `.tab`."""
    return "\t" if name.lower().endswith((".tsv", ".tab")) else ","


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a CSV file is written.

    Attributes:
        encoding: One of `ENCODINGS`.
        delimiter: One ASCII character; empty for what is usual for the name of the file.
        quote: What encloses a text: one ASCII character, or nothing.

    Raises:
        ValueError: If one of them is not what it should be.
    """

    encoding: str = "utf-8"
    delimiter: str = ""
    quote: str = '"'

    def __post_init__(self) -> None:
        if self.encoding not in ENCODINGS:
            raise ValueError(f"encoding {self.encoding!r}: {nearest(self.encoding, ENCODINGS)}")
        one = len(self.delimiter) == 1 and self.delimiter.isascii()
        if self.delimiter and (not one or self.delimiter in "\r\n"):
            raise ValueError("the delimiter is not one ASCII character")
        delimiters = (self.delimiter,) if self.delimiter else _USUAL
        if len(self.quote) > 1 or not self.quote.isascii() or self.quote in delimiters:
            raise ValueError("the quote is not one ASCII character other than the delimiter")

    def of(self, name: str) -> Dialect:
        """The same for a file of this name, with its delimiter."""
        return self if self.delimiter else replace(self, delimiter=usual_delimiter(name))
