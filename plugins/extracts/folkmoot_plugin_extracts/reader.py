"""What a reader of a column does: texts in, values of a field's type out, and why not."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl


class Reader(ABC):
    """How the values of one column are read."""

    words: tuple[str, ...] = ()
    """Texts that are values here even if they are null values elsewhere."""
    quotable: bool = True
    """False if a malformed text must not be quoted, not even in quarantine."""
    lenient: bool = False
    """True if a text that `parse` made null is unknown, and not malformed."""

    @abstractmethod
    def parse(self, raw: pl.Series) -> pl.Series:
        """One value for each text, in the type of the field; null where missing or malformed."""

    @abstractmethod
    def fault(self, text: str) -> str:
        """Why a text that `parse` made null is malformed."""

    def faults(self, texts: Sequence[str]) -> Sequence[str]:
        """Why each of some texts is malformed; a reader that parses them again does it at once."""
        return [self.fault(text) for text in texts]

    @property
    def part(self) -> Reader:
        """How one of several columns is read of which a value is made by `join`."""
        return self

    def join(self, parts: Sequence[pl.Series]) -> Joined:
        """Makes one value of the values of several columns.

        Args:
            parts: For each column what `part` reads.
        """
        raise AssertionError("is read from one column")


@dataclass(frozen=True, slots=True)
class Joined:
    """What is made of several columns.

    Attributes:
        values: One for each row; null if unknown, or contradictory.
        contradictory: Boolean, never null: True where the columns do not go together.
        reason: Why they do not.
    """

    values: pl.Series
    contradictory: pl.Series
    reason: str
