"""How far presentable tables are off: a parametric bootstrap.

Whole, non-negative and agreeing tables cannot be unbiased. To measure the price, the
presentable tables stand in for the truth: estimates are drawn around them with the noise
that the round had, made presentable in the same way, and compared. This uses nothing but
what is published, so it costs no privacy (Efron and Tibshirani, An Introduction to the
Bootstrap, 1993, chapter 10).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np

from folkmoot_coordinator.coarsening import Depths, Domain, Float64, Int64
from folkmoot_coordinator.fitting_order import FittingOrder
from folkmoot_coordinator.presentable import presentable

_BOUNDS = (0, 1, 10, 100)
_MOST_REPLICATES = 20
_FEWEST_REPLICATES = 2
_CELLS = 10_000_000  # in all replicates together; about half a minute


class Draw(Protocol):
    """Draws unbiased estimates."""

    def __call__(
        self, rng: np.random.Generator, truth: Mapping[Depths, Int64]
    ) -> Mapping[Depths, Float64]:
        """Estimates of the same tables with new noise, agreeing with each other."""


class Scope(StrEnum):
    """Which tables a row is about."""

    COUNCIL = "council"
    REGION = "region"


@dataclass(frozen=True, slots=True)
class Bias:
    """How far the cells of a marginal are off that hold so many households.

    Attributes:
        table: The marginal; for the region it is summed over all areas.
        scope: The tables of the councils, or the sum of them all.
        least: Fewest households of these cells.
        most: Most households of these cells; None if there is no bound.
        cells: Number of cells.
        bias: Mean of presentable value less truth, households.
        bias_error: Standard error of `bias`, from the replicates.
        rmse: Root mean squared error of the presentable values, households.
        unbiased_rmse: The same of the unbiased estimates.
    """

    table: Depths
    scope: Scope
    least: int
    most: int | None
    cells: int
    bias: float
    bias_error: float
    rmse: float
    unbiased_rmse: float


def replicates(cells: int) -> int:
    """Number of replicates for so many cells of all councils, so that time is bounded."""
    return max(_FEWEST_REPLICATES, min(_MOST_REPLICATES, _CELLS // max(1, cells)))


class BiasMeasurement:
    """Collects the errors of one council after the other.

    Args:
        order: How tables are made presentable.
        areas: The axes that are areas.
        count: Number of replicates; at least 2.
    """

    def __init__(self, order: FittingOrder, areas: Collection[int], count: int) -> None:
        self._order = order
        self._areas = areas
        self._count = count
        self._councils = {table: _Tally.empty(count) for table in order.presented}
        self._truth: dict[Depths, Int64] = {}
        self._shown: dict[tuple[Depths, int], Int64] = {}
        self._unbiased: dict[tuple[Depths, int], Float64] = {}

    def add(
        self,
        tables: Mapping[Depths, Int64],
        domain: Domain,
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
        for table, truth in tables.items():
            whole = domain.total(truth, table, self._whole(table))
            self._truth[table] = self._truth.get(table, np.zeros_like(whole)) + whole
        for at in range(self._count):
            estimates = draw(rng, tables)
            shown = presentable(estimates, domain, self._order)
            for table, truth in tables.items():
                self._councils[table].add(at, truth, shown[table], estimates[table])
                above = self._whole(table)
                key = table, at
                whole = domain.total(shown[table], table, above)
                self._shown[key] = self._shown.get(key, np.zeros_like(whole)) + whole
                unbiased = domain.total(estimates[table], table, above)
                self._unbiased[key] = self._unbiased.get(key, np.zeros_like(unbiased)) + unbiased

    def result(self) -> tuple[Bias, ...]:
        """A row for each marginal, scope and size of cells that there are."""
        found: list[Bias] = []
        for table in self._order.presented:
            found += self._councils[table].rows(table, Scope.COUNCIL)
            if table in self._truth:
                region = _Tally.empty(self._count)
                for at in range(self._count):
                    region.add(
                        at, self._truth[table], self._shown[table, at], self._unbiased[table, at]
                    )
                found += region.rows(self._whole(table), Scope.REGION)
        return tuple(found)

    def _whole(self, table: Depths) -> Depths:
        return tuple(0 if at in self._areas else depth for at, depth in enumerate(table))


@dataclass(frozen=True, slots=True, eq=False)
class _Tally:
    """Sums over cells by replicate and size, float64, shape (replicates, sizes)."""

    cells: Float64
    errors: Float64
    squares: Float64
    unbiased_squares: Float64

    @classmethod
    def empty(cls, count: int) -> _Tally:
        return cls(*(np.zeros((count, len(_BOUNDS))) for _ in range(4)))

    def add(self, at: int, truth: Int64, shown: Int64, unbiased: Float64) -> None:
        size = np.searchsorted(_BOUNDS, truth.ravel(), side="right") - 1
        error = (shown - truth).ravel().astype(np.float64)
        noise = (unbiased - truth).ravel()

        def summed(weights: Float64 | None = None) -> Float64:
            return np.bincount(size, weights=weights, minlength=len(_BOUNDS)).astype(np.float64)

        self.cells[at] += summed()
        self.errors[at] += summed(error)
        self.squares[at] += summed(error**2)
        self.unbiased_squares[at] += summed(noise**2)

    def rows(self, table: Depths, scope: Scope) -> list[Bias]:
        found = []
        count = len(self.cells)
        for at, least in enumerate(_BOUNDS):
            cells = self.cells[0, at]
            if not cells:
                continue
            means = self.errors[:, at] / cells
            found.append(
                Bias(
                    table=table,
                    scope=scope,
                    least=least,
                    most=_BOUNDS[at + 1] - 1 if at + 1 < len(_BOUNDS) else None,
                    cells=int(cells),
                    bias=float(means.mean()),
                    bias_error=float(means.std(ddof=1) / count**0.5),
                    rmse=float((self.squares[:, at].mean() / cells) ** 0.5),
                    unbiased_rmse=float((self.unbiased_squares[:, at].mean() / cells) ** 0.5),
                )
            )
        return found
