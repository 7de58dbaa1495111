"""Which areas are neighbours: pairs in compressed rows, without weights."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Neighbours:
    """The neighbours of each area, itself not among them.

    Attributes:
        starts: Where the neighbours of each area begin in `others`, and where the last one's end,
            int64, shape (areas + 1,).
        others: Numbers of the neighbours, from 0, int64, shape (pairs,).
    """

    starts: Int64
    others: Int64

    def __post_init__(self) -> None:
        if self.starts[0] != 0 or self.starts[-1] != len(self.others):
            raise ValueError("rows begin at 0 and end with the neighbours")
        if np.any(np.diff(self.starts) < 0):
            raise ValueError("rows are in the order of areas")
        if len(self.others) and not (0 <= self.others.min() and self.others.max() < len(self)):
            raise ValueError("a neighbour is no area")
        if np.any(self.owners == self.others):
            raise ValueError("an area is not its own neighbour")

    def __len__(self) -> int:
        return len(self.starts) - 1

    @classmethod
    def of_pairs(cls, pairs: Int64 | Sequence[tuple[int, int]], areas: int) -> Neighbours:
        """Neighbours from pairs of numbers, each in either order and any number of times.

        Args:
            pairs: Numbers of areas, from 0, int64, shape (pairs, 2).
            areas: How many areas there are.
        """
        given = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
        both = np.unique(np.concatenate([given, given[:, ::-1]]), axis=0)
        starts = np.searchsorted(both[:, 0], np.arange(areas + 1)).astype(np.int64)
        return cls(starts, both[:, 1].copy())

    def among(self, areas: int) -> Neighbours:
        """Neighbours among the first areas alone, as many as `areas` says."""
        owners = self.owners
        inside = (owners < areas) & (self.others < areas)
        pairs = np.column_stack([owners[inside], self.others[inside]])
        return Neighbours.of_pairs(pairs, areas)

    @property
    def owners(self) -> Int64:
        """Whose neighbour each is: int64, shape (pairs,), never missing."""
        return np.repeat(np.arange(len(self), dtype=np.int64), self.counts)

    @property
    def counts(self) -> Int64:
        """How many neighbours each area has: int64, shape (areas,), never missing."""
        return np.diff(self.starts)

    def sums(self, value: Float64) -> Float64:
        """Sums over the neighbours of each area, without itself.

        Args:
            value: float64, shape (areas,).

        Returns:
            float64, shape (areas,); 0 for an area without neighbours, never missing.
        """
        found = np.bincount(self.owners, weights=value[self.others], minlength=len(self))
        return found.astype(np.float64)

    def quadratic(self, matrix: Float64, *, itself: bool) -> Float64:
        """Sums of a matrix over all pairs of areas of each neighbourhood.

        Args:
            matrix: float64, shape (areas, areas), symmetric.
            itself: Whether an area is in its own neighbourhood.

        Returns:
            float64, shape (areas,), never missing.
        """
        owners, members = self.owners, self.others
        if itself:
            everyone = np.arange(len(self), dtype=np.int64)
            owners, members = np.append(owners, everyone), np.append(members, everyone)
            order = np.argsort(owners, kind="stable")
            owners, members = owners[order], members[order]
        sizes = np.bincount(owners, minlength=len(self))
        # Each member of a neighbourhood with each of its members, without a loop over areas.
        times = sizes[owners]
        left = np.repeat(np.arange(len(owners)), times)
        within = np.arange(len(left)) - np.repeat(np.cumsum(times) - times, times)
        right = (np.cumsum(sizes) - sizes)[owners[left]] + within
        weights = matrix[members[left], members[right]]
        return np.bincount(owners[left], weights=weights, minlength=len(self)).astype(np.float64)
