"""Records that stand in a source twice: in a file, or in two.

What is kept of a record is a hash of 128 bits and the number of its file, 18 bytes: ten million
records take 180 MB, and the chance that any two that differ have one hash is about 1e-25.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_plugin_extracts.batch import Batch, Digests
from folkmoot_plugin_extracts.columns import Text
from folkmoot_plugin_extracts.csv_file import Reject
from folkmoot_sdk import PluginError, ReadContext, Rejection
from folkmoot_sdk.source import REPEATED

Mask = npt.NDArray[np.bool_]
_SEEDS = (11, 13)
_FANOUT = 4


class Once:
    """Leaves out rows that are the same as an earlier one of the source, in every column."""

    def __init__(self) -> None:
        self._seen = Hashes()

    def first_of(self, file: str, batch: Batch, context: ReadContext) -> Batch:
        """The rows that are the first of their kind; the others are counted as left out.

        Args:
            file: What they are from.
            batch: The rows; all stay if their digests are not known.
            context: Of the read.
        """
        if batch.digest is None:
            return batch
        again, earlier_file = self._seen.add(batch.digest, file)
        if not again.any():
            return batch
        for other in sorted(set(earlier_file[again].tolist())):
            where = "" if other == file else f" of {other}"
            number = int((earlier_file[again] == other).sum())
            context.leave_out(f"{REPEATED}{where}", number)
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
        self._records = Hashes()

    def first_of(
        self, file: str, batch: Batch, context: ReadContext
    ) -> tuple[Batch, pl.Series | None]:
        """The records without those that repeat an earlier one.

        Returns:
            The records of which key or values are new; and of these, Boolean without nulls, those
            whose key is known with other values, so that neither is to be relied on. None if there
            are none.

        Raises:
            PluginError: If there are such records, and they are to stop the run.
        """
        texts = batch.frame.select(
            Text().parse(batch.frame[name]).str.strip_chars().fill_null("").alias(name)
            for name in dict.fromkeys((*self._columns, *self._household, *self._wanted))
        )
        named = texts.select(pl.any_horizontal(pl.col(*self._columns) != "")).to_series()
        keyed = named.to_numpy()
        key = self._hashes(texts, (*self._columns, *self._household))
        record = self._hashes(texts, texts.columns)
        same, differs = np.zeros(batch.frame.height, bool), np.zeros(batch.frame.height, bool)
        known, _ = self._keys.add(key[keyed], file)
        alike, _ = self._records.add(record[keyed], file)
        same[keyed] = known & alike
        differs[keyed] = known & ~alike
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

    @staticmethod
    def _hashes(texts: pl.DataFrame, columns: Sequence[str]) -> Digests:
        chosen = texts.select(columns)
        return np.column_stack([chosen.hash_rows(seed).to_numpy() for seed in _SEEDS])


class Hashes:
    """A set of hashes, and which file each came from first.

    Hashes are kept in sorted runs that are merged when several are of one size, so that adding
    a batch costs about the logarithm of what is there.
    """

    def __init__(self) -> None:
        self._runs: list[npt.NDArray[np.void]] = []
        self._files: list[str] = []

    def add(self, digests: Digests, file: str) -> tuple[Mask, npt.NDArray[np.str_]]:
        """Adds hashes.

        Args:
            digests: uint64, shape (rows, 2).
            file: What they are from.

        Returns:
            Two arrays of shape (rows,): bool, whether each hash was there before, or stands
            earlier in `digests`; and the name of the file in which it was first seen.
        """
        if file not in self._files:
            self._files.append(file)
        here = self._files.index(file)
        run = np.empty(len(digests), dtype=[("low", "u8"), ("high", "u8"), ("file", "u2")])
        run["low"], run["high"], run["file"] = digests[:, 0], digests[:, 1], here
        order = np.lexsort((run["high"], run["low"]))
        ordered = run[order]
        repeated = np.zeros(len(run), dtype=np.bool_)
        repeated[1:] = _equal(ordered[1:], ordered[:-1])
        again = np.zeros(len(run), dtype=np.bool_)
        origin = np.full(len(run), here)
        # The sort is stable: of equal hashes the first row comes first, and is none of them.
        again[order] = repeated
        for known in self._runs:
            found, files = _looked_up(known, ordered)
            again[order[found]] = True
            origin[order[found]] = files
        new = ordered[~again[order]]
        if len(new):
            self._keep(new)
        return again, np.array(self._files)[origin] if len(run) else np.array([], dtype=np.str_)

    def _keep(self, run: npt.NDArray[np.void]) -> None:
        self._runs.append(run)
        while len(self._runs) > 1 and len(self._runs[-2]) < _FANOUT * len(self._runs[-1]):
            merged = np.concatenate((self._runs.pop(), self._runs.pop()))
            self._runs.append(merged[np.lexsort((merged["high"], merged["low"]))])


def _looked_up(
    known: npt.NDArray[np.void], wanted: npt.NDArray[np.void]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Places in `wanted` of hashes that are known, int64, and their files, int64."""
    at = np.searchsorted(known["low"], wanted["low"])
    found, files = [], []
    waiting = np.arange(len(wanted))
    # One half of a hash may be that of several: look on as long as it is.
    while len(waiting):
        inside = at[waiting] < len(known)
        waiting = waiting[inside]
        candidates = known[at[waiting]]
        close = candidates["low"] == wanted["low"][waiting]
        waiting, candidates = waiting[close], candidates[close]
        equal = candidates["high"] == wanted["high"][waiting]
        found.append(waiting[equal])
        files.append(candidates["file"][equal].astype(np.int64))
        waiting = waiting[~equal]
        at[waiting] += 1
    return np.concatenate(found or [np.array([], np.int64)]), np.concatenate(
        files or [np.array([], np.int64)]
    )


def _equal(a: npt.NDArray[np.void], b: npt.NDArray[np.void]) -> Mask:
    equal: Mask = (a["low"] == b["low"]) & (a["high"] == b["high"])
    return equal
