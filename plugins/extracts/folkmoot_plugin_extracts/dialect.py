"""How a delimited text file is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from folkmoot_sdk.parameters import nearest

ENCODINGS = ("utf-8", "utf-8-sig", "cp1252", "latin-1", "utf-16")


class Dialect(Protocol):
    """What a reader of delimited text must know; a mapping is one."""

    @property
    def encoding(self) -> str:
        """One of `ENCODINGS`."""
        ...

    @property
    def delimiter(self) -> str:
        """What stands between fields: one ASCII character."""
        ...

    @property
    def quote(self) -> str:
        """What stands around a text; empty if nothing."""
        ...


@dataclass(frozen=True, slots=True)
class CsvDialect:
    """A dialect by itself, for files that need no mapping; see `Dialect`."""

    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'

    def __post_init__(self) -> None:
        check_dialect(self)


def check_dialect(dialect: Dialect) -> None:
    """Checks that a file can be read so.

    Raises:
        ValueError: If the encoding is not known, or delimiter and quote are no two characters.
    """
    if dialect.encoding not in ENCODINGS:
        raise ValueError(f"encoding {dialect.encoding!r}: {nearest(dialect.encoding, ENCODINGS)}")
    delimiter, quote = dialect.delimiter, dialect.quote
    if len(delimiter) != 1 or not delimiter.isascii() or delimiter in "\r\n":
        raise ValueError("the delimiter is not one ASCII character")
    if len(quote) > 1 or not quote.isascii() or quote == delimiter:
        raise ValueError("the quote is not one ASCII character other than the delimiter")
