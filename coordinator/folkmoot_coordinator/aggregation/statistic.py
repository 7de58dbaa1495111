"""A regional statistic: one marginal of one place, its estimates, errors and reliability."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from folkmoot.precision import RELIABLE_BELOW, UNRELIABLE_ABOVE, Reliability
from folkmoot.workload import Marginal
from folkmoot_coordinator.aggregation.reconstruct import Number

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Text = NDArray[np.object_]


class GeographicLevel(StrEnum):
    """What a statistic is about.

    No two rows of one level and one marginal count a household twice, so that they may be
    added up. A marginal over areas has the region's areas at level `region`, and their sums at
    a level of its own.
    """

    COUNCIL = "council"
    REGION = "region"
    ALL_AREAS = "all_areas"


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
        level: Council, region, or the region with all areas together.
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
        """For each attribute of the marginal, the code of each cell: text of shape (cells,).

        Never missing; `(all)` for an area attribute that was summed over.
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
        """Best linear unbiased estimates, float64 of shape (cells,), households, never missing.

        They may be negative, and agree with those of other marginals.
        """
        return _joined([table.value for table in self.tables])

    @property
    def standard_error(self) -> Float64:
        """Of the noise: float64 of shape (cells,), households, never missing."""
        return np.sqrt(_joined([table.variance for table in self.tables]))

    @property
    def lower(self) -> Float64:
        """Lower end of the 95 % interval: float64 of shape (cells,), households, never missing."""
        return self.value - half_widths(self.standard_error, self.quantile, self.step)

    @property
    def upper(self) -> Float64:
        """Upper end of the 95 % interval: float64 of shape (cells,), households, never missing."""
        return self.value + half_widths(self.standard_error, self.quantile, self.step)

    @property
    def coefficient_of_variation(self) -> Float64:
        """Standard error over value: float64 of shape (cells,), NaN unless value > 0."""
        return coefficients_of_variation(self.value, self.standard_error)

    @property
    def reliability(self) -> Text:
        """A `Reliability` for each cell: text of shape (cells,), never missing."""
        return RELIABILITIES[reliability_numbers(self.coefficient_of_variation)]

    @property
    def presentable(self) -> Int64 | None:
        """Whole households, not negative, biased: int64 of shape (cells,).

        They agree with those of other marginals. None if the marginal is not presented.
        """
        shown = [table.presentable for table in self.tables if table.presentable is not None]
        return _joined(shown) if shown else None


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
