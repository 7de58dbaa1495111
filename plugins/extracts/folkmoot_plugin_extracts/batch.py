"""Rows of a file as written, before they are read into values."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_sdk import PluginError, Records
from folkmoot_sdk.parameters import nearest

Rows = npt.NDArray[np.int64]
Digests = npt.NDArray[np.uint64]
Unread = Mapping[str, pl.Series]
"""Per column of values, Boolean without nulls: True for each row whose value could not be read.
Columns of which everything was read are not there."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a file.

    Attributes:
        frame: The wanted columns, named as in the file.
        first_row: Row number of the first row, as a person counts.
        rows: Row numbers, if they are not consecutive from `first_row`; else None.
        digest: Hash of 128 bits of each whole row as it stands in the file, with the columns that
            are not wanted: uint64, shape (rows, 2); None if it is not known.
        broken: True if the rows have too many or too few fields and were rejected. Their fields
            are counted from the left: all that may be taken from them is whose record it was.
    """

    frame: pl.DataFrame
    first_row: int
    rows: Rows | None = None
    digest: Digests | None = field(default=None, compare=False)
    broken: bool = False

    def numbers(self) -> Rows:
        """Number of each row in its file: int64, shape (rows,), never missing."""
        if self.rows is not None:
            return self.rows
        return np.arange(self.first_row, self.first_row + self.frame.height)

    def filter(self, kept: pl.Series) -> Batch:
        """The rows for which `kept` is true."""
        mask = kept.to_numpy()
        rows = self.numbers()[mask]
        digest = None if self.digest is None else self.digest[mask]
        first = int(rows[0]) if len(rows) else 0
        return Batch(self.frame.filter(kept), first, rows, digest, self.broken)


def handed_on(values: pl.DataFrame, file: str, rows: Batch, unread: Unread) -> Records:
    """Values as the node receives them, with the row numbers that they were read from.

    Args:
        values: One row for each record.
        file: What they are from.
        rows: The rows that they were read from, in the same order.
        unread: What could not be read; names that `values` does not have are left out.
    """
    numbers = None if rows.rows is None else array("q", rows.rows.tobytes())
    places = {
        name: array("q", mask.arg_true().cast(pl.Int64).to_numpy().tobytes())
        for name, mask in unread.items()
        if name in values.columns
    }
    return Records(values, file, rows.first_row, numbers, places)


def named_alike(wanted: Iterable[str], found: Iterable[str]) -> dict[str, str]:
    """The wanted columns that a file names, but for case, blanks and signs.

    Returns:
        From each wanted name that has a counterpart to the name in the file.
    """
    by_letters = {_letters(name): name for name in found if _letters(name)}
    return {name: by_letters[key] for name in wanted if (key := _letters(name)) in by_letters}


def _letters(name: str) -> str:
    return "".join(sign for sign in name.casefold() if sign.isalnum())


_NO_HEADER = "None of the wanted columns is there: does it begin with their names?"


def check_columns(
    where: str, wanted: tuple[str, ...], found: list[str], hint: str = "", *, are_names: bool
) -> None:
    """Checks the columns of a file.

    Args:
        where: The file, and the line.
        wanted: Columns that must be there.
        found: Columns of the file.
        hint: What to do about a missing column, instead of what is nearest to it.
        are_names: True if the format itself names its columns. Otherwise the file may have no
            line of names, and its first record stands in `found`: what was found is quoted
            only if some of it is wanted.

    Raises:
        PluginError: If a column stands there twice, or a wanted one does not.
    """
    twice = sorted({name for name in found if name and found.count(name) > 1})
    alike = named_alike(wanted, found)
    is_header = are_names or bool(alike)
    if twice:
        column = f"the column {twice[0]!r}" if is_header else "a column"
        raise PluginError(where, f"names {column} more than once", "Name each column once")
    for name in wanted:
        if name not in found:
            others = nearest(name, filter(None, found)) if is_header else _NO_HEADER
            if name in alike:
                others = f"Did you mean {alike[name]!r}?"
            remedy = (
                hint or f"Correct the file, or the name that the mapping or options give. {others}"
            )
            raise PluginError(where, f"has no column {name!r}", remedy)
