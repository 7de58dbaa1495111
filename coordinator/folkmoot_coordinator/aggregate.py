"""From the councils' noisy counts to statistics of the region, with their errors.

Everything here is post-processing of what councils released, and costs no privacy. Values
stay unbiased: nothing is rounded, clipped at zero or made consistent.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from folkmoot.discrete_gaussian import half_width, variance
from folkmoot.geography import GssCode
from folkmoot.rounds import Round
from folkmoot.strategy import Measurement
from folkmoot.workload import Marginal
from folkmoot_operator.problems import ExitCode, Problem

CONFIDENCE = 0.95
"""Of the intervals."""
RELIABLE_BELOW = 0.10
"""Coefficient of variation under which an estimate is reliable."""
UNRELIABLE_ABOVE = 0.20
"""Coefficient of variation over which an estimate is unreliable."""
ALL_AREAS = "(all)"
"""Stands for every area together; no code may contain brackets, so none is like it."""

_LARGEST_SUM = 2**62  # leaves room for an interval around it in 64 bits

Int64 = NDArray[np.int64]
Float64 = NDArray[np.float64]
Text = NDArray[np.object_]


class Level(StrEnum):
    """What a statistic is about."""

    COUNCIL = "council"
    REGION = "region"


class Reliability(StrEnum):
    """How far an estimate can be relied on, by its coefficient of variation."""

    RELIABLE = "reliable"
    CAUTION = "use with caution"
    UNRELIABLE = "unreliable"


@dataclass(frozen=True, slots=True, eq=False)
class RegionalStatistic:
    """One marginal of one place, as columns of equal length.

    Attributes:
        level: Council or region.
        place: GSS code of the council, or the region's name.
        marginal: What was asked.
        codes: For each attribute of the marginal, the code of each cell; `(all)` for an
            area attribute that was summed over.
        value: Unbiased estimates, households; may be negative.
        standard_error: Of the noise, households.
        lower: Lower end of the 95 % interval, households.
        upper: Upper end of the 95 % interval, households.
        coefficient_of_variation: Standard error over value; NaN where the value is not
            positive.
        reliability: A `Reliability` for each cell.
    """

    level: Level
    place: str
    marginal: Marginal
    codes: tuple[Text, ...]
    value: Int64
    standard_error: Float64
    lower: Int64
    upper: Int64
    coefficient_of_variation: Float64
    reliability: Text

    def __len__(self) -> int:
        return len(self.value)


def aggregate(
    round_: Round, region: str, counts: Mapping[GssCode, Int64]
) -> tuple[RegionalStatistic, ...]:
    """Statistics of each council that released, and of the region.

    At region level, cells of a marginal whose attributes all councils share are summed;
    their variances add, because the councils' noises are independent. Areas of different
    councils are disjoint, so a marginal over areas keeps one row for each area, and is
    also given summed over all areas.

    Args:
        round_: The question; it determines the scale of the noise of each cell.
        region: Name of the region.
        counts: Noisy counts by council, int64, shape (cells of that council,).

    Raises:
        Problem: If counts are too large to be summed.
    """
    statistics: list[RegionalStatistic] = []
    councils = sorted(counts)
    offsets = dict.fromkeys(councils, 0)
    for measurement in round_.plan():
        tables: dict[GssCode, Int64] = {}
        for council in councils:
            shape = round_.workload.shape(measurement.marginal, council)
            size = math.prod(shape)
            start = offsets[council]
            tables[council] = counts[council][start : start + size].reshape(shape)
            offsets[council] = start + size
        statistics += _of_marginal(round_, region, measurement, tables)
    return tuple(statistics)


def _of_marginal(
    round_: Round, region: str, measurement: Measurement, tables: Mapping[GssCode, Int64]
) -> list[RegionalStatistic]:
    marginal = measurement.marginal
    attributes = [round_.workload.attribute(name) for name in marginal.attributes]
    area_axes = tuple(at for at, attribute in enumerate(attributes) if attribute.is_area)
    found = [
        _statistic(
            Level.COUNCIL,
            council,
            measurement,
            _codes([attribute.codes_of(council) for attribute in attributes]),
            table.ravel(),
            terms=1,
        )
        for council, table in tables.items()
        if table.size
    ]
    if not found:
        return []
    if area_axes:
        by_area = tuple(
            np.concatenate([statistic.codes[at] for statistic in found])
            for at in range(len(attributes))
        )
        values = np.concatenate([statistic.value for statistic in found])
        found.append(_statistic(Level.REGION, region, measurement, by_area, values, terms=1))
    kept = [(ALL_AREAS,) if attribute.is_area else attribute.codes for attribute in attributes]
    terms = sum(
        math.prod(table.shape[at] for at in area_axes) for table in tables.values() if table.size
    )
    total = _sum(marginal, tables, area_axes, terms)
    found.append(_statistic(Level.REGION, region, measurement, _codes(kept), total, terms=terms))
    return found


def _sum(
    marginal: Marginal, tables: Mapping[GssCode, Int64], axes: tuple[int, ...], terms: int
) -> Int64:
    largest = _LARGEST_SUM // max(1, terms)
    total: Int64 | None = None
    for council, table in tables.items():
        if not table.size:
            continue
        if table.max() > largest or table.min() < -largest:
            raise Problem(
                "counts are too large to be summed",
                where=f"marginal {marginal.name}, {council}",
                remedy="No council has so many households: ask the council what it sent",
                exit_code=ExitCode.VERIFICATION,
            )
        part = table.sum(axis=axes, dtype=np.int64) if axes else table
        total = part if total is None else total + part
    assert total is not None
    return np.asarray(total, dtype=np.int64).ravel()


def _codes(lists: list[tuple[str, ...]]) -> tuple[Text, ...]:
    """Code of each cell for each attribute; the last attribute varies fastest."""
    if not lists:
        return ()
    arrays = [np.array(codes, dtype=object) for codes in lists]
    return tuple(grid.ravel() for grid in np.meshgrid(*arrays, indexing="ij"))


def _statistic(
    level: Level,
    place: str,
    measurement: Measurement,
    codes: tuple[Text, ...],
    value: Int64,
    *,
    terms: int,
) -> RegionalStatistic:
    """Adds errors to values that are each the sum of `terms` independent noisy counts.

    The interval comes from the sum of the squared scales, which is never less than the
    variance: for noise of scale far below one it errs on the safe side.
    """
    standard_error = math.sqrt(terms * variance(measurement.sigma))
    width = half_width(terms * measurement.sigma**2, CONFIDENCE)
    with np.errstate(divide="ignore", invalid="ignore"):
        variation = np.where(value > 0, standard_error / value, np.nan)
    reliability = np.full(len(value), Reliability.UNRELIABLE.value, dtype=object)
    reliability[variation <= UNRELIABLE_ABOVE] = Reliability.CAUTION.value
    reliability[variation < RELIABLE_BELOW] = Reliability.RELIABLE.value
    return RegionalStatistic(
        level=level,
        place=place,
        marginal=measurement.marginal,
        codes=codes,
        value=value,
        standard_error=np.full(len(value), standard_error),
        lower=value - width,
        upper=value + width,
        coefficient_of_variation=variation,
        reliability=reliability,
    )
