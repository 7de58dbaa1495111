"""From the councils' releases to statistics of the region, with their errors.

Everything here is post-processing of what councils released, and costs no privacy. Values
are best linear unbiased estimates: nothing is rounded or clipped at zero. Beside them stand
presentable values, whole and not negative, whose sums agree as well.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from folkmoot.attributes import Attribute
from folkmoot.geography import GssCode
from folkmoot.rounds import Round
from folkmoot.workload import Marginal
from folkmoot_coordinator.aggregation.consistent_tables.round_tables import Presentation
from folkmoot_coordinator.aggregation.reconstruct import (
    Estimates,
    Number,
    Reconstruction,
    VarianceTables,
)
from folkmoot_coordinator.aggregation.statistic import (
    CellTable,
    GeographicLevel,
    Int64,
    RegionalStatistic,
)
from folkmoot_operator.problems import ExitCode, Problem

ALL_AREAS = "(all)"
"""Stands for every area together; no code may contain brackets, so none is like it."""

_LARGEST = 2**60
"""Whole numbers of a release beyond this cannot come from counts of households."""


def aggregate(
    round_: Round, region: str, releases: Mapping[GssCode, Int64], *, presentable: bool = True
) -> tuple[RegionalStatistic, ...]:
    """Statistics of each council that released, and of the region.

    At region level, cells of a marginal whose attributes all councils share are summed;
    their variances add, because the councils' noises are independent. Areas of different
    councils are disjoint, so a marginal over areas keeps one row for each area, and is
    also given summed over all areas, at a level of its own.

    Args:
        round_: The question; it determines the scale of the noise of each cell.
        region: Name of the region.
        releases: Noisy contrasts by council, int64, shape (rows of that council's plan,).
        presentable: False to leave out presentable values, which take most of the time.

    Raises:
        Problem: If a release holds numbers that no counts could give.
    """
    variances = VarianceTables()
    councils = {
        council: Reconstruction(
            round_.plan(council), check_plausible(council, releases[council]), variances
        )
        for council in sorted(releases)
    }
    if not councils:
        return ()
    shown: dict[GssCode, Mapping[Marginal, Int64]] = {council: {} for council in councils}
    if presentable:
        presentation = Presentation(round_)
        shown = {council: presentation.tables(council, made) for council, made in councils.items()}
    return statistics(round_, region, councils, shown)


class MarginalSource(Protocol):
    """What gives estimates of the marginals of one council."""

    def marginal(self, attributes: Sequence[str]) -> Estimates:
        """Estimates of the marginal over some attributes, in that order."""


def statistics(
    round_: Round,
    region: str,
    councils: Mapping[GssCode, MarginalSource],
    shown: Mapping[GssCode, Mapping[Marginal, Int64]],
) -> tuple[RegionalStatistic, ...]:
    """Statistics of each council and of the region, from estimates by council.

    Args:
        round_: The question.
        region: Name of the region.
        councils: Estimates of one council or more, in order of their codes.
        shown: Presentable tables of the same councils, as far as there are any.
    """
    return tuple(
        statistic
        for marginal in round_.workload.marginals
        for statistic in _of_marginal(
            round_,
            region,
            marginal,
            councils,
            {council: tables.get(marginal) for council, tables in shown.items()},
        )
    )


def check_plausible(council: GssCode, noisy: Int64) -> Int64:
    """Checks that a release holds only numbers that counts of households could give.

    Returns:
        The same array: int64, shape (rows of the plan,), none missing.

    Raises:
        Problem: Exit code VERIFICATION, if a number is too far from zero.
    """
    if noisy.size and max(int(noisy.max()), -int(noisy.min())) > _LARGEST:
        raise Problem(
            "the release holds numbers that no counts of households could give",
            where=f"release of {council}",
            remedy="Ask the council what it sent",
            exit_code=ExitCode.VERIFICATION,
        )
    return noisy


def _of_marginal(
    round_: Round,
    region: str,
    marginal: Marginal,
    councils: Mapping[GssCode, MarginalSource],
    shown: Mapping[GssCode, Int64 | None],
) -> list[RegionalStatistic]:
    attributes = [round_.workload.attribute(name) for name in marginal.attributes]
    estimates = {council: made.marginal(marginal.attributes) for council, made in councils.items()}
    tables = {
        council: _table(
            tuple(attribute.codes_of(council) for attribute in attributes), one, shown[council]
        )
        for council, one in estimates.items()
    }
    found = [
        RegionalStatistic(
            GeographicLevel.COUNCIL, council, marginal, (table,), one.quantile, one.step
        )
        for (council, table), one in zip(tables.items(), estimates.values(), strict=True)
    ]

    def of_region(
        level: GeographicLevel, tables: tuple[CellTable, ...], of: Collection[Estimates]
    ) -> RegionalStatistic:
        quantile, step = max(one.quantile for one in of), max(one.step for one in of)
        return RegionalStatistic(level, region, marginal, tables, quantile, step)

    areas = tuple(at for at, attribute in enumerate(attributes) if attribute.is_area)
    if areas:
        joined = _join(attributes, list(tables.values()))
        found.append(of_region(GeographicLevel.REGION, joined, estimates.values()))
        shared = [attribute.name for attribute in attributes if not attribute.is_area]
        estimates = {council: made.marginal(shared) for council, made in councils.items()}
        shown = {
            council: None if one is None else np.asarray(one.sum(axis=areas))
            for council, one in shown.items()
        }
    first = next(iter(estimates))
    lists = tuple(
        (ALL_AREAS,) if attribute.is_area else attribute.codes_of(first) for attribute in attributes
    )
    presented = [one for one in shown.values() if one is not None]
    whole = CellTable(
        lists,
        np.sum([one.value.ravel() for one in estimates.values()], axis=0),
        np.sum([one.variance.ravel() for one in estimates.values()], axis=0),
        np.asarray(np.sum(presented, axis=0)).ravel() if presented else None,
    )
    level = GeographicLevel.ALL_AREAS if areas else GeographicLevel.REGION
    found.append(of_region(level, (whole,), estimates.values()))
    return found


def _table(
    lists: tuple[tuple[str, ...], ...], estimates: Estimates, shown: Int64 | None
) -> CellTable:
    return CellTable(
        lists,
        estimates.value.ravel(),
        estimates.variance.ravel(),
        None if shown is None else shown.ravel(),
    )


def _join(attributes: Sequence[Attribute], tables: Sequence[CellTable]) -> tuple[CellTable, ...]:
    """The areas of all councils; what lies outside every area is summed, in the first table."""
    if not all(attribute.others for attribute in attributes if attribute.is_area):
        return tuple(tables)
    outside = [_is_outside(attributes, table) for table in tables]
    first, *others = tables
    presented = first.presentable is not None

    def summed(column: Callable[[CellTable], NDArray[Number]]) -> NDArray[Number]:
        values = column(first).copy()
        for table, cells in zip(others, outside[1:], strict=True):
            values[outside[0]] += column(table)[cells]
        return values

    joined = [
        CellTable(
            first.lists,
            summed(lambda table: table.value),
            summed(lambda table: table.variance),
            summed(_presentable) if presented else None,
        )
    ]
    for table, cells in zip(others, outside[1:], strict=True):
        inside = np.flatnonzero(~cells)
        joined.append(
            CellTable(
                table.lists,
                table.value[inside],
                table.variance[inside],
                None if table.presentable is None else table.presentable[inside],
                inside,
            )
        )
    return tuple(joined)


def _presentable(table: CellTable) -> Int64:
    assert table.presentable is not None
    return table.presentable


def _is_outside(attributes: Sequence[Attribute], table: CellTable) -> NDArray[np.bool_]:
    """For each cell, shape (cells,), whether it lies in none of the council's areas.

    The codes of those come last.
    """
    found = np.ones(len(table), dtype=bool)
    numbers = table.code_numbers()
    for attribute, codes, of_cells in zip(attributes, table.lists, numbers, strict=True):
        if attribute.is_area:
            found &= of_cells == len(codes) - 1
    return found
