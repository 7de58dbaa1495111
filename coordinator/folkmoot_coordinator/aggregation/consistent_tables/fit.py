"""Tables that can be shown as they are: whole households, none negative, all sums agreeing.

Unbiased estimates of small counts are often negative and never whole. For each council, this
module finds tables close to them that are whole and not negative, and of which any two agree on
what they share, along the geography, and with the total. It works on estimates only, so it costs
no privacy. The price is bias: estimates below 0 are moved up to it, and other cells down in turn.

Tables are fitted in a `FittingOrder`. Each is the closest to its estimate by least squares
among those that are not negative and have the sums fixed before it; then it is rounded
keeping these sums. Squares are not weighted: noise treats all codes of an
attribute in one group alike, so the cells that share a sum have the same variance.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from folkmoot.strategy import Depths
from folkmoot_coordinator.aggregation.consistent_tables.controlled_rounding import (
    round_one_way,
    round_two_way,
)
from folkmoot_coordinator.aggregation.consistent_tables.fitting_order import Fit, FittingOrder
from folkmoot_coordinator.aggregation.consistent_tables.nested_axes import (
    CellGrid,
    Float64,
    Int64,
    Number,
    is_within,
)
from folkmoot_coordinator.aggregation.consistent_tables.projection import (
    OneWay,
    TwoWay,
    TwoWayProjection,
    project_one_way,
)

_CORRECTIONS = 3
_STEP = 1.5  # corrections fall short, since cells at 0 do not follow


def presentable(
    estimates: Mapping[Depths, Float64], domain: CellGrid, order: FittingOrder
) -> dict[Depths, Int64]:
    """Presentable tables of one council.

    Estimates that are such tables already are returned unchanged.

    Args:
        estimates: Unbiased and agreeing with each other, by depths, shape
            `domain.shape(depths)`; at least those that are presented.
        domain: The council's cells.
        order: What is presented, and how.

    Returns:
        The presented tables: households, int64, in the shapes of their estimates, never missing.
    """
    council = _Council(estimates, domain, order)
    for fit in order.fits:
        council.fit(fit)
    return {depths: council.fixed(depths) for depths in order.presented}


class _Council:
    """The tables of one council, as they are fixed one by one."""

    def __init__(
        self, estimates: Mapping[Depths, Float64], domain: CellGrid, order: FittingOrder
    ) -> None:
        self._domain = domain
        self._estimates = {depths: estimates[depths] for depths in order.presented}
        self._finest = tuple(map(max, zip(*order.presented, strict=True)))
        self._fixed: dict[Depths, Int64] = {}
        if order.presented:
            whole = (0,) * len(self._finest)
            total = np.maximum(np.rint(self._estimate(whole)), 0).astype(np.int64)
            # Without codes of an attribute there is no cell that a household may have.
            self._fixed[whole] = total * min(1, domain.size(self._finest))

    def fixed(self, depths: Depths) -> Int64:
        """Sums of the smallest table fixed so far that has them."""
        return self._total(self._fixed, depths)

    def fit(self, fit: Fit) -> None:
        """Fixes one table."""
        shape = self._domain.shape(fit.table)
        cells = np.flatnonzero(self._domain.inhabited(fit.table, self._finest))
        found = np.zeros(math.prod(shape), dtype=np.int64)
        if len(fit.fixed) == 1:
            sums = self._sums(fit.fixed[0], fit.table, cells)
            values = self._nearest(fit, cells, lambda target: project_one_way(target, sums))
            found[cells] = round_one_way(values, sums)
        else:
            both = self._two_way(fit, cells)
            values = self._nearest(fit, cells, TwoWayProjection(both))
            found[cells] = round_two_way(values, both)
        self._fixed[fit.table] = found.reshape(shape)

    def _nearest(self, fit: Fit, cells: Int64, project: Callable[[Float64], Float64]) -> Float64:
        """Projects the estimate of a table, and keeps the published sums of it.

        The bias of many small cells would add up in sums that are not fixed. So what
        they lack is spread evenly over the target, and that projected again: steps of
        dual ascent for the closest table that has these sums.
        """
        shape = self._domain.shape(fit.table)
        target = self._estimate(fit.table)
        values = project(target.ravel()[cells])
        wanted = {part: self._estimate(part) for part in fit.kept}
        for _ in range(_CORRECTIONS if wanted else 0):
            table = np.zeros(math.prod(shape))
            table[cells] = values
            table = table.reshape(shape)
            missing = {
                part: sums - self._domain.total(table, fit.table, part)
                for part, sums in wanted.items()
            }
            target = target + _STEP * self._domain.fill(missing, fit.table)
            values = project(target.ravel()[cells])
        return values

    def _two_way(self, fit: Fit, cells: Int64) -> TwoWay:
        rows, columns = fit.fixed
        shared = tuple(map(min, rows, columns))
        return TwoWay(
            self._sums(rows, fit.table, cells),
            self._sums(columns, fit.table, cells),
            self._domain.places(shared, rows).ravel(),
            self._domain.places(shared, columns).ravel(),
        )

    def _sums(self, above: Depths, table: Depths, cells: Int64) -> OneWay:
        group = self._domain.places(above, table).ravel()[cells]
        return OneWay(group, self.fixed(above).ravel())

    def _estimate(self, depths: Depths) -> Float64:
        return self._total(self._estimates, depths)

    def _total(self, tables: Mapping[Depths, NDArray[Number]], depths: Depths) -> NDArray[Number]:
        source = min((one for one in tables if is_within(depths, one)), key=self._domain.size)
        return np.asarray(self._domain.total(tables[source], source, depths))
