"""How far presentable tables are off: a parametric bootstrap.

Whole, non-negative and agreeing tables cannot be unbiased. To measure the price, the
presentable tables stand in for the truth: estimates are drawn around them with the noise
that the round had, made presentable in the same way, and compared. This uses nothing but
what is published, so it costs no privacy (Efron and Tibshirani, An Introduction to the
Bootstrap, 1993, chapter 10). Each draw of noise is used twice, with both signs: noise is
symmetric, and so its own mean does not enter the mean error.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from folkmoot.strategy import Depths
from folkmoot_coordinator.aggregation.consistent_tables.fit import presentable
from folkmoot_coordinator.aggregation.consistent_tables.fitting_order import FittingOrder
from folkmoot_coordinator.aggregation.consistent_tables.nested_axes import (
    CellGrid,
    Float64,
    Int64,
    Number,
)

_BOUNDS = (0, 1, 10, 100)
_MAX_PAIRS = 10
_MIN_PAIRS = 2
_CELLS = 1_000_000  # in all replicates together; some seconds
MAX_COUNCILS = 20
"""Most councils that are simulated; of more, so many are drawn at random."""
_SIGNS = (1, -1)


class Draw(Protocol):
    """Draws unbiased estimates."""

    def __call__(
        self, rng: np.random.Generator, truth: Mapping[Depths, Int64]
    ) -> Mapping[Depths, Float64]:
        """Estimates of the same tables with new noise, agreeing with each other."""


class Scope(StrEnum):
    """Which cells a row is about, by the level at which they are published.

    The region's areas are cells of one council each, so `COUNCIL` is about them too. `REGION`
    is about cells that councils share: all of a marginal without areas, and of a marginal over
    areas those that lie outside every area.
    """

    COUNCIL = "council"
    REGION = "region"
    ALL_AREAS = "all_areas"


@dataclass(frozen=True, slots=True)
class Bias:
    """How far off the cells of a marginal are that hold a given number of households.

    Attributes:
        scope: The councils' cells, those that they share, or sums over all areas.
        least: Fewest households of these cells.
        most: Most households of these cells; None if there is no bound.
        cells: Number of cells; of councils, of those that were simulated.
        bias: Mean of presentable value less truth, households.
        bias_error: Standard error of `bias`, from the spread between draws.
        rmse: Root mean squared error of the presentable values, households.
        unbiased_rmse: The same of the unbiased estimates.
    """

    scope: Scope
    least: int
    most: int | None
    cells: int
    bias: float
    bias_error: float
    rmse: float
    unbiased_rmse: float


def draws(cells: int) -> int:
    """Number of draws of noise, fewer the more cells there are, so that time is bounded."""
    return max(_MIN_PAIRS, min(_MAX_PAIRS, _CELLS // max(1, 2 * cells)))


class BiasMeasurement:
    """Collects the errors of one council after the other.

    Args:
        order: How tables are made presentable.
        areas: The axes that are areas, each with the depth from which it is.
        count: Number of draws of noise; at least 2.
        share: Councils that are simulated, as a share of all.
        outside: For axes that are areas the depths whose last cell lies outside every area.
    """

    def __init__(
        self,
        order: FittingOrder,
        areas: Mapping[int, int],
        count: int,
        share: float = 1.0,
        outside: Mapping[int, Collection[int]] | None = None,
    ) -> None:
        self._order = order
        self._areas = areas
        self._count = count
        self._share = share
        self._outside = outside or {}
        self._councils = {table: _Tally.empty(count) for table in order.presented}
        self._truth: dict[_Shared, Int64] = {}
        self._errors: dict[tuple[_Shared, int, int], Int64] = {}
        self._noise: dict[tuple[_Shared, int, int], Float64] = {}

    def add_without_simulation(self, tables: Mapping[Depths, Int64], grid: CellGrid) -> None:
        """Counts one council among those that make up the region, and no more.

        Args:
            tables: Its presentable tables.
            grid: Its cells.
        """
        for table, truth in tables.items():
            for shared, cells in self._of_region(truth, table, grid).items():
                _add_to(self._truth, shared, cells)

    def add(
        self,
        tables: Mapping[Depths, Int64],
        domain: CellGrid,
        draw: Draw,
        rng: np.random.Generator,
    ) -> None:
        """Replicates one council.

        Args:
            tables: Its presentable tables.
            domain: Its cells.
            draw: Draws estimates around them.
            rng: Where the noise comes from; it need not be secret.
        """
        self.add_without_simulation(tables, domain)
        for at in range(self._count):
            drawn = draw(rng, tables)
            for sign in _SIGNS:
                estimates = {
                    table: truth + sign * (drawn[table] - truth) for table, truth in tables.items()
                }
                shown = presentable(estimates, domain, self._order)
                self._add(at, sign, tables, shown, estimates, domain)

    def _add(
        self,
        at: int,
        sign: int,
        tables: Mapping[Depths, Int64],
        shown: Mapping[Depths, Int64],
        unbiased: Mapping[Depths, Float64],
        domain: CellGrid,
    ) -> None:
        for table, truth in tables.items():
            error, noise = shown[table] - truth, unbiased[table] - truth
            self._councils[table].add(at, truth, error, noise)
            for shared, errors in self._of_region(error, table, domain).items():
                _add_to(self._errors, (shared, at, sign), errors)
            for shared, noises in self._of_region(noise, table, domain).items():
                _add_to(self._noise, (shared, at, sign), noises)

    def result(self) -> dict[Depths, tuple[Bias, ...]]:
        """For each table a row for each scope and size of cells that there are."""
        found = {table: tally.rows(Scope.COUNCIL) for table, tally in self._councils.items()}
        for shared, truth in self._truth.items():
            table, scope = shared
            region = _Tally.empty(self._count)
            for at in range(self._count):
                for sign in _SIGNS:
                    key = shared, at, sign
                    region.add(at, truth, self._errors[key], self._noise[key])
            found[table] += region.rows(scope, 1 / self._share)
        return {table: tuple(rows) for table, rows in found.items() if rows}

    def _of_region(
        self, cells: NDArray[Number], table: Depths, grid: CellGrid
    ) -> dict[_Shared, NDArray[Number]]:
        """What one council adds to the cells of a table that councils share, by scope."""
        areas = [at for at, depth in enumerate(table) if depth >= self._areas.get(at, depth + 1)]
        if not areas:
            return {(table, Scope.REGION): cells}
        found = {}
        if all(table[at] in self._outside.get(at, ()) for at in areas):
            last = [slice(-1, None) if at in areas else slice(None) for at in range(len(table))]
            found[table, Scope.REGION] = cells[tuple(last)]
        whole = tuple(0 if at in areas else depth for at, depth in enumerate(table))
        return found | {(table, Scope.ALL_AREAS): grid.total(cells, table, whole)}


_Shared = tuple[Depths, Scope]
_Key = TypeVar("_Key")


def _add_to(sums: dict[_Key, NDArray[Number]], key: _Key, cells: NDArray[Number]) -> None:
    sums[key] = sums[key] + cells if key in sums else cells


@dataclass(frozen=True, slots=True, eq=False)
class _Tally:
    """Sums over cells and signs by draw and size, float64, shape (draws, sizes)."""

    cells: Float64
    errors: Float64
    squares: Float64
    unbiased_squares: Float64

    @classmethod
    def empty(cls, count: int) -> _Tally:
        return cls(*(np.zeros((count, len(_BOUNDS))) for _ in range(4)))

    def add(self, at: int, truth: Int64, error: Int64, noise: Float64) -> None:
        size = np.searchsorted(_BOUNDS, truth.ravel(), side="right") - 1
        off, noisy = error.ravel().astype(np.float64), noise.ravel()

        def summed(weights: Float64 | None = None) -> Float64:
            return np.bincount(size, weights=weights, minlength=len(_BOUNDS)).astype(np.float64)

        self.cells[at] += summed()
        self.errors[at] += summed(off)
        self.squares[at] += summed(off**2)
        self.unbiased_squares[at] += summed(noisy**2)

    def rows(self, scope: Scope, scale: float = 1.0) -> list[Bias]:
        """A row for each size of cells that there is.

        Args:
            scope: What the rows are about.
            scale: How many times as many councils as were added up make up the whole. Biases
                add up over councils; noise of different councils is independent, so that its
                variances do.
        """
        found = []
        count = len(self.cells)
        for at, least in enumerate(_BOUNDS):
            cells = self.cells[0, at]
            if not cells:
                continue
            means = self.errors[:, at] / cells
            bias, square = means.mean(), self.squares[:, at].mean() / cells
            spread = max(0.0, square - bias**2)
            found.append(
                Bias(
                    scope=scope,
                    least=least,
                    most=_BOUNDS[at + 1] - 1 if at + 1 < len(_BOUNDS) else None,
                    cells=int(cells) // len(_SIGNS),
                    bias=float(scale * bias),
                    bias_error=float(scale * means.std(ddof=1) / count**0.5),
                    rmse=float((scale * spread + (scale * bias) ** 2) ** 0.5),
                    unbiased_rmse=float(
                        (scale * self.unbiased_squares[:, at].mean() / cells) ** 0.5
                    ),
                )
            )
        return found
