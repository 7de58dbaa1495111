"""How a delimited text file is written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


class Dialect(Protocol):
    """What a reader of delimited text must know; a mapping is one."""

    @property
    def encoding(self) -> str:
        """One of `mapping.ENCODINGS`."""
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
