"""Exact counts: the last thing before noise, and the thing that must never leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

from folkmoot.strategy import Depths

MAX_COUNT = 2**36
"""Far above any number of households. A contrast multiplies a count by less than the number
of cells of its marginal, at most 50 million or 2**26, and stays within 64 bits."""


class ExactCounts:
    """Exact counts of households: one int64 table for each largest component of a plan.

    Has no representation that shows a value, and refuses to be copied out of the
    process. Only `folkmoot_node.release.mechanism` reads the values.
    """

    __slots__ = ("_tables", "depths")

    def __init__(self, depths: Sequence[Depths], tables: Sequence[npt.NDArray[np.int64]]) -> None:
        """Takes the tables.

        Args:
            depths: Depth of each axis of the plan, for each table.
            tables: The tables, flat, the last axis fastest.
        """
        for table in tables:
            if table.dtype != np.int64 or table.ndim != 1:
                raise TypeError("exact counts are one-dimensional int64 arrays")
            if table.size and not (0 <= table.min() and table.max() <= MAX_COUNT):
                raise OverflowError("an exact count is negative or implausibly large")
        self.depths = tuple(depths)
        self._tables = tuple(tables)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of cells of each table; a function of the round, not of the data."""
        return tuple(table.size for table in self._tables)

    def __repr__(self) -> str:
        return "ExactCounts(<redacted>)"

    __str__ = __repr__

    def __format__(self, specification: str) -> str:
        return repr(self)

    def _refuse(self, *arguments: Any, **named: Any) -> NoReturn:
        raise TypeError("exact counts do not leave the process in which they were made")

    __reduce__ = _refuse
    __reduce_ex__ = _refuse
    __getstate__ = _refuse
    __copy__ = _refuse
    __deepcopy__ = _refuse
    __iter__ = _refuse
    __getitem__ = _refuse
    __bytes__ = _refuse
    __array__ = _refuse
    __eq__ = _refuse
    __hash__ = None  # type: ignore[assignment]
