"""Scores of a run that are kept in memory, for who looks at them once, and never stored."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_node.store.run_summary import RunSummary
from folkmoot_sdk.schema import UPRN_COLUMN


class ScoresWriter(Protocol):
    """Where a run puts its scores: `store.writer.StoreWriter`, or `KeptScores`."""

    def create(self, columns: Mapping[str, str]) -> None:
        """Begins, with the DuckDB type of each column of `households`."""

    def append(
        self, part: int, counted: Mapping[str, npt.NDArray[np.generic]], details: pl.DataFrame
    ) -> None:
        """Adds a part of the households; may be called from several threads."""

    def finish(self, run: RunSummary) -> None:
        """Adds what the run did."""

    @property
    def finished(self) -> bool:
        """Whether the scores are in place, so that the files read count as used."""
        ...


class KeptScores:
    """Scores in memory.

    Attributes:
        finished: False: nothing is stored, and no extract was used as a run of today uses it.
    """

    finished = False

    def __init__(self) -> None:
        self._parts: dict[int, pl.DataFrame] = {}
        self._lock = Lock()

    def create(self, columns: Mapping[str, str]) -> None:
        """Forgets what a run before this one had added."""
        del columns
        self._parts.clear()

    def append(
        self, part: int, counted: Mapping[str, npt.NDArray[np.generic]], details: pl.DataFrame
    ) -> None:
        """Adds a part of the households; may be called from several threads."""
        both = pl.DataFrame(dict(counted)).hstack(details.drop(UPRN_COLUMN))
        with self._lock:
            self._parts[part] = both

    def finish(self, run: RunSummary) -> None:
        """Does nothing: the summary is what `score` returns."""

    def taken(self) -> pl.DataFrame:
        """All households, which are forgotten here.

        Returns:
            One row for each household, partition after partition, so that each run has the order
            of every other: the columns of `households` and of the details, as `store.schema` names
            them; null where an input is not known.
        """
        parts = [self._parts[part] for part in sorted(self._parts)]
        self._parts.clear()
        return pl.concat(parts, how="diagonal_relaxed")
