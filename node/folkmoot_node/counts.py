"""Exact counts: the last thing before noise, and the thing that must never leave."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

import numpy as np
import numpy.typing as npt

_LARGEST = 2**40
"""Far above any number of households, far below where int64 noise could overflow."""


class ExactCounts:
    """Exact counts of households, one int64 array for each marginal of a workload.

    Has no representation that shows a value, and refuses to be copied out of the
    process. Only `folkmoot_node.release` reads the values.
    """

    __slots__ = ("_marginals",)

    def __init__(self, marginals: Sequence[npt.NDArray[np.int64]]) -> None:
        for marginal in marginals:
            if marginal.dtype != np.int64 or marginal.ndim != 1:
                raise TypeError("exact counts are one-dimensional int64 arrays")
            if marginal.size and not (0 <= marginal.min() and marginal.max() <= _LARGEST):
                raise OverflowError("an exact count is negative or implausibly large")
        self._marginals = tuple(marginals)

    @property
    def sizes(self) -> tuple[int, ...]:
        """Number of cells of each marginal; a function of the round, not of the data."""
        return tuple(marginal.size for marginal in self._marginals)

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
