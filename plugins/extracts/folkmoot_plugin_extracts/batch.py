"""Rows of a file as they stand, before anything is read into values."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_sdk import PluginError
from folkmoot_sdk.parameters import nearest

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file.

    Attributes:
        frame: The wanted columns, named as in the file.
        first_row: Row number of the first row, as a person counts.
        rows: Row numbers, if they are not consecutive from `first_row`; else None.
    """

    frame: pl.DataFrame
    first_row: int
    rows: Rows | None = None

    def numbers(self) -> Rows:
        """The row numbers."""
        if self.rows is not None:
            return self.rows
        return np.arange(self.first_row, self.first_row + self.frame.height)

    def filter(self, kept: pl.Series) -> Batch:
        """The rows for which `kept` is true."""
        rows = self.numbers()[kept.to_numpy()]
        return Batch(self.frame.filter(kept), int(rows[0]) if len(rows) else 0, rows)


def check_columns(where: str, wanted: tuple[str, ...], found: list[str], hint: str = "") -> None:
    """Checks the columns of a file.

    Raises:
        PluginError: If a column stands there twice, or a wanted one does not.
    """
    twice = sorted({name for name in found if name and found.count(name) > 1})
    if twice:
        raise PluginError(
            where, f"names the column {twice[0]!r} more than once", "Name each column once"
        )
    for name in wanted:
        if name not in found:
            remedy = (
                hint or f"Correct the file or the mapping. {nearest(name, filter(None, found))}"
            )
            raise PluginError(where, f"has no column {name!r}", remedy)
