"""Small domains, workloads and agreeing estimates for tests of presentable tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st

from folkmoot.hierarchy import Axis, AxisLevel
from folkmoot.strategy import Depths
from folkmoot_coordinator.aggregation.consistent_tables.nested_axes import CellGrid

Table = np.ndarray[Any, np.dtype[Any]]


def axis(*parents: Sequence[int]) -> Axis:
    """An axis by the parents of its cells at each depth."""
    return Axis(
        tuple(
            AxisLevel(f"a{depth}", tuple(map(str, range(len(one)))), tuple(one))
            for depth, one in enumerate(parents, start=1)
        )
    )


def plain(size: int) -> Axis:
    """An axis of one attribute."""
    return axis([0] * size)


def sizes(axes: Sequence[Axis]) -> list[list[int]]:
    """Cells of each axis at each depth."""
    return [[one.size(depth) for depth in range(len(one.levels) + 1)] for one in axes]


def sums(axes: Sequence[Axis], joint: Table, tables: Sequence[Depths]) -> dict[Depths, Table]:
    """Tables of one joint table over the finest cells: they agree with each other."""
    finest = tuple(len(one.levels) for one in axes)
    domain = CellGrid(axes)
    return {table: domain.total(joint, finest, table) for table in tables}


@dataclass(frozen=True)
class Case:
    axes: tuple[Axis, ...]
    areas: dict[int, int]
    asked: tuple[Depths, ...]
    seed: int

    @property
    def shape(self) -> tuple[int, ...]:
        return tuple(one.size(len(one.levels)) for one in self.axes)

    def households(self, mean: float) -> Table:
        """A joint table of whole households."""
        return np.random.default_rng(self.seed).poisson(mean, self.shape)

    def estimates(self, mean: float, noise: float) -> dict[Depths, Table]:
        rng = np.random.default_rng(self.seed + 1)
        joint = self.households(mean) + noise * rng.normal(size=self.shape)
        return sums(self.axes, joint, self.asked)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Up to four axes, some nested, some with cells above that have none below."""
    axes = []
    for _ in range(draw(st.integers(1, 4))):
        size = draw(st.integers(1, 4))
        levels = [[0] * size]
        if draw(st.booleans()):
            levels.append(draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=6)))
        axes.append(axis(*levels))
    tables = st.tuples(*(st.integers(0, len(one.levels)) for one in axes))
    asked = draw(st.lists(tables, min_size=1, max_size=6, unique=True))
    areas = {0: 1} if draw(st.booleans()) else {}
    return Case(tuple(axes), areas, tuple(asked), draw(st.integers(0, 2**32)))
