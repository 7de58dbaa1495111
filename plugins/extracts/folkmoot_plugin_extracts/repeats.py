"""Records that stand in a source twice: in a file, or in two.

What is kept of a row is a hash of 128 bits and the number of its file, 18 bytes: ten million rows
take 180 MB, and the chance that any two that differ have one hash is about 1e-25. Of a record
with a key, a hash of its values of 64 bits is kept beside that of the key.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_plugin_extracts.batch import Batch, Digests
from folkmoot_plugin_extracts.columns import Text
from folkmoot_plugin_extracts.csv_file import Reject
from folkmoot_sdk import PluginError, ReadContext, Rejection
from folkmoot_sdk.source import REPEATED

Mask = npt.NDArray[np.bool_]
Beside = npt.NDArray[np.unsignedinteger[Any]]
_SEEDS = (11, 13)
_FANOUT = 4


class Once:
    """Leaves out rows that are the same as an earlier one of the source, in every column."""

    def __init__(self) -> None:
        self._seen = Hashes()
        self._files: list[str] = []

    def first_of(self, file: str, batch: Batch, context: ReadContext) -> Batch:
        """The rows that are the first of their kind; the others are counted as left out.

        Args:
            file: What they are from.
            batch: The rows; all stay if their digests are not known.
            context: Of the read.
        """
        if batch.digest is None:
            return batch
        if file not in self._files:
            self._files.append(file)
        here = np.full(len(batch.digest), self._files.index(file), dtype=np.uint16)
        again, origin = self._seen.add(batch.digest, here)
        if not again.any():
            return batch
        for at, number in zip(*np.unique(origin[again], return_counts=True), strict=True):
            where = "" if self._files[at] == file else f" of {self._files[at]}"
            context.leave_out(f"{REPEATED}{where}", int(number))
        return batch.filter(pl.Series(~again))


class Keys:
    """Finds records whose key another record of the source has.

    Args:
        columns: The columns of the key.
        household: The columns that say whose record it is. Records of two households are not
            compared, so that none makes another's unknown.
        wanted: The columns whose values are compared.
        stops: True if a record with a known key and other values stops the run.
    """

    def __init__(
        self,
        columns: Sequence[str],
        household: Sequence[str],
        wanted: Sequence[str],
        *,
        stops: bool,
    ) -> None:
        self._columns = tuple(columns)
        self._household = tuple(household)
        self._wanted = tuple(wanted)
        self._stops = stops
        self._keys = Hashes()

    def first_of(
        self, file: str, batch: Batch, context: ReadContext
    ) -> tuple[Batch, pl.Series | None]:
        """The records without those that repeat an earlier one.

        Returns:
            The records of which key or values are new; and for each row of these, Boolean without
            nulls, whether its key is known with other values, so that neither is to be relied on.
            None if there are none.

        Raises:
            PluginError: If there are such records, and they are to stop the run.
        """
        key = batch.frame.select(
            Text().parse(batch.frame[name]).str.strip_chars().fill_null("").alias(name)
            for name in dict.fromkeys((*self._columns, *self._household))
        )
        named = key.select(pl.any_horizontal(pl.col(*self._columns) != "")).to_series()
        keyed = named.to_numpy()
        digest = np.column_stack([key.hash_rows(seed).to_numpy() for seed in _SEEDS])
        values = batch.frame.select(self._wanted).hash_rows(_SEEDS[0]).to_numpy()
        known, before = self._keys.add(digest[keyed], values[keyed])
        same, differs = np.zeros(len(keyed), bool), np.zeros(len(keyed), bool)
        same[keyed] = known & (before == values[keyed])
        differs[keyed] = known & (before != values[keyed])
        if differs.any():
            self._tell(file, batch, differs, context.reject)
        if same.any():
            context.leave_out(f"a record of this {self._shown} was read before", int(same.sum()))
            batch, differs = batch.filter(pl.Series(~same)), differs[~same]
        return batch, pl.Series(differs) if differs.any() else None

    def _tell(self, file: str, batch: Batch, differs: Mask, reject: Reject) -> None:
        rows = batch.numbers()[differs].tolist()
        if self._stops:
            raise PluginError(
                f"{file}: row {rows[0]}",
                f"repeats the {self._shown} of an earlier record, with other values",
                'Correct the extract, or set repeated = "once" in the mapping: what such records '
                "say is unknown then",
            )
        reason = f"repeats the {self._shown} of an earlier record, with other values"
        reject([Rejection(file, row, self._shown, reason) for row in rows])

    @property
    def _shown(self) -> str:
        return " + ".join(self._columns)


class Hashes:
    """A set of hashes, and a number beside each, from where it was first added.

    Hashes are kept in sorted runs that are merged when several have one size, so that adding
    a batch costs about the logarithm of what is there. The order is that of the first half; the
    second decides where first halves are equal.
    """

    def __init__(self) -> None:
        self._runs: list[_Run] = []

    @property
    def nbytes(self) -> int:
        """Bytes that the hashes take."""
        return sum(run.low.nbytes + run.high.nbytes + run.beside.nbytes for run in self._runs)

    def add(self, digests: Digests, beside: Beside) -> tuple[Mask, Beside]:
        """Adds hashes.

        Args:
            digests: uint64, shape (rows, 2).
            beside: Shape (rows,): the number beside each; always of one dtype.

        Returns:
            Two arrays of shape (rows,), without missing values: bool, whether each hash was there
            before, or stands earlier in `digests`; and the number beside it where it was first
            added, in the dtype of `beside`.
        """
        low, high = digests[:, 0], digests[:, 1]
        # Polars sorts in half the time of NumPy, but equals in no order: they are put in order of
        # their second halves, and then as they came. Few are equal.
        order = pl.Series(low).arg_sort().to_numpy(writable=True)
        ordered = low[order]
        equal = ordered[1:] == ordered[:-1]
        if equal.any():
            tied = np.zeros(len(low), dtype=np.bool_)
            tied[1:] = equal
            tied[:-1] |= equal
            some = order[tied]
            order[tied] = some[np.lexsort((some, high[some], low[some]))]
        run = _Run(ordered, high[order], beside[order])
        seen = np.zeros(len(low), dtype=np.bool_)
        seen[1:] = equal & (run.high[1:] == run.high[:-1])
        first = run.beside[np.maximum.accumulate(np.where(seen, 0, np.arange(len(low))))]
        for known in self._runs:
            at, numbers = known.look_up(run)
            seen[at] = True
            first[at] = numbers
        new = _Run(run.low[~seen], run.high[~seen], run.beside[~seen])
        if len(new.low):
            self._keep(new)
        again, origin = np.empty_like(seen), np.empty_like(first)
        again[order], origin[order] = seen, first
        return again, origin

    def _keep(self, run: _Run) -> None:
        self._runs.append(run)
        while len(self._runs) > 1 and len(self._runs[-2].low) < _FANOUT * len(self._runs[-1].low):
            self._runs.append(self._runs.pop().merged(self._runs.pop()))


@dataclass(frozen=True, slots=True)
class _Run:
    """Some hashes, in order of their first halves."""

    low: npt.NDArray[np.uint64]
    high: npt.NDArray[np.uint64]
    beside: Beside

    def merged(self, other: _Run) -> _Run:
        low = np.concatenate((self.low, other.low))
        order = np.argsort(low, kind="stable")
        high = np.concatenate((self.high, other.high))
        return _Run(low[order], high[order], np.concatenate((self.beside, other.beside))[order])

    def look_up(self, wanted: _Run) -> tuple[npt.NDArray[np.int64], Beside]:
        """Places in `wanted` of hashes that are here, and the numbers beside them here."""
        at = np.searchsorted(self.low, wanted.low)
        waiting = np.flatnonzero(at < len(self.low))
        places, numbers = [waiting[:0]], [self.beside[:0]]
        # One first half may be that of several: look on as long as it is.
        while len(waiting):
            waiting = waiting[self.low[at[waiting]] == wanted.low[waiting]]
            equal = self.high[at[waiting]] == wanted.high[waiting]
            places.append(waiting[equal])
            numbers.append(self.beside[at[waiting[equal]]])
            waiting = waiting[~equal]
            at[waiting] += 1
            waiting = waiting[at[waiting] < len(self.low)]
        return np.concatenate(places), np.concatenate(numbers)
