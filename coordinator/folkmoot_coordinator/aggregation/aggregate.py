"""From the councils' releases to statistics of the region, with their errors.

Everything here is post-processing of what councils released, and costs no privacy. Values
are best linear unbiased estimates: nothing is rounded or clipped at zero. Beside them stand
presentable values, whole and not negative, whose sums agree as well.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from folkmoot.geography import GssCode
from folkmoot.precision import RELIABLE_BELOW, UNRELIABLE_ABOVE, Reliability
from folkmoot.rounds import Round
from folkmoot.workload import Attribute, Marginal
from folkmoot_coordinator.aggregation.consistent_tables.round_tables import Presentation
from folkmoot_coordinator.aggregation.reconstruct import (
    Estimates,
    Number,
    Reconstruction,
    VarianceTables,
)
from folkmoot_operator.problems import ExitCode, Problem

ALL_AREAS = "(all)"
"""Stands for every area together; no code may contain brackets, so none is like it."""

_LARGEST = 2**60
"""Whole numbers of a release beyond this cannot come from counts of households."""

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Text = NDArray[np.object_]


class GeographicLevel(StrEnum):
    """What a statistic is about."""

    COUNCIL = "council"
    REGION = "region"


@dataclass(frozen=True, slots=True, eq=False)
class CellTable:
    """Some cells of one marginal: those of a council, or those that councils share.

    Attributes:
        lists: For each attribute of the marginal the codes its cells may have.
        value: Best linear unbiased estimates, households, float64, shape (cells,).
        variance: Of their noise, households squared, float64, shape (cells,).
        presentable: Whole households, int64, shape (cells,); None if they are not presented.
        places: Where the cells are in the cross-product of `lists`, in which the last varies
            fastest, int64, shape (cells,); None if they are all of it.
    """

    lists: tuple[tuple[str, ...], ...]
    value: Float64
    variance: Float64
    presentable: Int64 | None
    places: Int64 | None = None

    def __len__(self) -> int:
        return len(self.value)

    def code_numbers(self, first: int = 0, last: int | None = None) -> tuple[Int64, ...]:
        """Where in its list the code of each cell is, for each attribute.

        Args:
            first: First of the cells, from 0.
            last: The one after the last of them; None for all that follow.

        Returns:
            int64, shape (last - first,) each; not to be written to.
        """
        last = len(self) if last is None else last
        shape = tuple(map(len, self.lists))
        if self.places is None:
            return _numbers_of_run(shape, first, last)
        return _numbers(shape, self.places[first:last])


def _numbers(shape: tuple[int, ...], places: Int64) -> tuple[Int64, ...]:
    if not shape:
        return ()  # NumPy has no places in a product of nothing
    return np.unravel_index(places, shape)


@lru_cache(maxsize=4)  # councils mostly have tables of the same few shapes, one after the other
def _numbers_of_run(shape: tuple[int, ...], first: int, last: int) -> tuple[Int64, ...]:
    found = _numbers(shape, np.arange(first, last))
    for numbers in found:
        numbers.setflags(write=False)
    return found


@dataclass(frozen=True, slots=True, eq=False)
class RegionalStatistic:
    """One marginal of one place.

    Its columns are made when they are asked for; those of a whole region together would take
    many times the memory of what they are made from.

    Attributes:
        level: Council or region.
        place: GSS code of the council, or the region's name.
        marginal: What was asked.
        tables: The cells; the areas of a region are in one table for each council.
        quantile: How many standard errors an interval reaches either way.
        step: By how much a value can move when one whole number of noise changes by one.
    """

    level: GeographicLevel
    place: str
    marginal: Marginal
    tables: tuple[CellTable, ...]
    quantile: float
    step: float

    def __len__(self) -> int:
        return sum(map(len, self.tables))

    @property
    def codes(self) -> tuple[Text, ...]:
        """For each attribute of the marginal, the code of each cell; `(all)` for an area
        attribute that was summed over. dtype object (str), shape (cells,); no nulls.
        """
        numbers = [table.code_numbers() for table in self.tables]
        return tuple(
            np.concatenate(
                [
                    np.array(table.lists[at], dtype=object)[found[at]]
                    for table, found in zip(self.tables, numbers, strict=True)
                ]
            )
            for at in range(len(self.marginal.attributes))
        )

    @property
    def value(self) -> Float64:
        """Best linear unbiased estimates, households; may be negative, and agree with those
        of other marginals. float64, shape (cells,); no nulls.
        """
        return _joined([table.value for table in self.tables])

    @property
    def standard_error(self) -> Float64:
        """Of the noise, households; float64, shape (cells,); no nulls."""
        return np.sqrt(_joined([table.variance for table in self.tables]))

    @property
    def lower(self) -> Float64:
        """Lower end of the 95 % interval, households; float64, shape (cells,); no nulls."""
        return self.value - half_widths(self.standard_error, self.quantile, self.step)

    @property
    def upper(self) -> Float64:
        """Upper end of the 95 % interval, households; float64, shape (cells,); no nulls."""
        return self.value + half_widths(self.standard_error, self.quantile, self.step)

    @property
    def coefficient_of_variation(self) -> Float64:
        """Standard error over value, float64, shape (cells,); NaN where the value is not
        positive.
        """
        return coefficients_of_variation(self.value, self.standard_error)

    @property
    def reliability(self) -> Text:
        """A `Reliability` for each cell; dtype object (str), shape (cells,); no nulls."""
        return RELIABILITIES[reliability_numbers(self.coefficient_of_variation)]

    @property
    def presentable(self) -> Int64 | None:
        """Whole households, not negative, biased; they agree with those of other marginals.
        int64, shape (cells,); None if the marginal is not presented.
        """
        shown = [table.presentable for table in self.tables if table.presentable is not None]
        return _joined(shown) if shown else None


def aggregate(
    round_: Round, region: str, releases: Mapping[GssCode, Int64]
) -> tuple[RegionalStatistic, ...]:
    """Statistics of each council that released, and of the region.

    At region level, cells of a marginal whose attributes all councils share are summed;
    their variances add, because the councils' noises are independent. Areas of different
    councils are disjoint, so a marginal over areas keeps one row for each area, and is
    also given summed over all areas.

    Args:
        round_: The question; it determines the scale of the noise of each cell.
        region: Name of the region.
        releases: Noisy contrasts by council, int64, shape (rows of that council's plan,).

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

    def of_region(tables: tuple[CellTable, ...], of: Collection[Estimates]) -> RegionalStatistic:
        quantile, step = max(one.quantile for one in of), max(one.step for one in of)
        return RegionalStatistic(GeographicLevel.REGION, region, marginal, tables, quantile, step)

    areas = tuple(at for at, attribute in enumerate(attributes) if attribute.is_area)
    if areas:
        joined = _join(attributes, list(tables.values()))
        found.append(of_region(joined, estimates.values()))
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
    found.append(of_region((whole,), estimates.values()))
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


def _joined(arrays: Sequence[NDArray[Number]]) -> NDArray[Number]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)


def half_widths(
    standard_error: Float64, quantile: float | Float64, step: float | Float64
) -> Float64:
    """How far 95 % intervals reach either way; see `interval.half_width`.

    Returns:
        float64, households, in the shape of `standard_error`, never missing.
    """
    return quantile * standard_error + step / 2


def coefficients_of_variation(value: Float64, standard_error: Float64) -> Float64:
    """Standard error over value.

    Returns:
        float64, in the shape of `value`; NaN where the value is not positive.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(value > 0, standard_error / value, np.nan)


RELIABILITIES: Text = np.array([one.value for one in Reliability], dtype=object)
"""The texts of `Reliability`, in the order of `reliability_numbers`."""
_RELIABLE, _CAUTION, _UNRELIABLE = map(
    list(Reliability).index, (Reliability.RELIABLE, Reliability.CAUTION, Reliability.UNRELIABLE)
)


def reliability_numbers(variation: Float64) -> NDArray[np.uint8]:
    """What coefficients of variation mean.

    Returns:
        uint8, places in `RELIABILITIES`, in the shape of `variation`, never missing.
    """
    found = np.full(len(variation), _UNRELIABLE, dtype=np.uint8)
    found[variation <= UNRELIABLE_ABOVE] = _CAUTION
    found[variation < RELIABLE_BELOW] = _RELIABLE
    return found
