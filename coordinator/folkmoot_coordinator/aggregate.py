"""From the councils' releases to statistics of the region, with their errors.

Everything here is post-processing of what councils released, and costs no privacy. Values
are best linear unbiased estimates: nothing is rounded or clipped at zero.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from folkmoot.geography import GssCode
from folkmoot.rounds import Round
from folkmoot.workload import Attribute, Marginal
from folkmoot_coordinator.reconstruct import Estimates, Reconstruction
from folkmoot_operator.problems import ExitCode, Problem

RELIABLE_BELOW = 0.10
"""Coefficient of variation under which an estimate is reliable."""
UNRELIABLE_ABOVE = 0.20
"""Coefficient of variation over which an estimate is unreliable."""
ALL_AREAS = "(all)"
"""Stands for every area together; no code may contain brackets, so none is like it."""

_LARGEST = 2**60
"""Whole numbers of a release beyond this cannot come from counts of households."""

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
        value: Best linear unbiased estimates, households; may be negative, and agree with
            those of other marginals.
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
    value: Float64
    standard_error: Float64
    lower: Float64
    upper: Float64
    coefficient_of_variation: Float64
    reliability: Text

    def __len__(self) -> int:
        return len(self.value)


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
    councils = {
        council: Reconstruction(round_.plan(council), check_plausible(council, releases[council]))
        for council in sorted(releases)
    }
    if not councils:
        return ()
    return statistics(round_, region, councils)


class MarginalSource(Protocol):
    """What gives estimates of the marginals of one council."""

    def marginal(self, attributes: Sequence[str]) -> Estimates:
        """Estimates of the marginal over some attributes, in that order."""


def statistics(
    round_: Round, region: str, councils: Mapping[GssCode, MarginalSource]
) -> tuple[RegionalStatistic, ...]:
    """Statistics of each council and of the region, from estimates by council.

    Args:
        round_: The question.
        region: Name of the region.
        councils: Estimates of one council or more, in order of their codes.
    """
    return tuple(
        statistic
        for marginal in round_.workload.marginals
        for statistic in _of_marginal(round_, region, marginal, councils)
    )


def check_plausible(council: GssCode, noisy: Int64) -> Int64:
    """Returns a release, unless it holds numbers that no counts could give: Problem."""
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
) -> list[RegionalStatistic]:
    attributes = [round_.workload.attribute(name) for name in marginal.attributes]
    shared = [attribute.name for attribute in attributes if not attribute.is_area]
    tables = {council: made.marginal(marginal.attributes) for council, made in councils.items()}
    found = [
        _statistic(
            Level.COUNCIL,
            council,
            marginal,
            _codes([attribute.codes_of(council) for attribute in attributes]),
            table,
        )
        for council, table in tables.items()
    ]
    if len(shared) < len(attributes):
        codes, joined = _join(attributes, found, tables)
        found.append(_statistic(Level.REGION, region, marginal, codes, joined))
        tables = {council: made.marginal(shared) for council, made in councils.items()}
    kept = [
        (ALL_AREAS,) if attribute.is_area else attribute.codes_of(next(iter(tables)))
        for attribute in attributes
    ]
    found.append(_statistic(Level.REGION, region, marginal, _codes(kept), _sum(tables)))
    return found


def _join(
    attributes: Sequence[Attribute],
    found: Sequence[RegionalStatistic],
    tables: Mapping[GssCode, Estimates],
) -> tuple[tuple[Text, ...], Estimates]:
    """The areas of all councils; what lies outside every area is summed."""
    codes = tuple(
        np.concatenate([statistic.codes[at] for statistic in found])
        for at in range(len(attributes))
    )
    joined = Estimates(
        np.concatenate([table.value.ravel() for table in tables.values()]),
        np.concatenate([table.variance.ravel() for table in tables.values()]),
        max(table.step for table in tables.values()),
        max(table.quantile for table in tables.values()),
    )
    if not any(attribute.is_area and attribute.others for attribute in attributes):
        return codes, joined
    names = [f"code{at}" for at in range(len(attributes))]
    summed = (
        pl.DataFrame(
            {
                name: pl.Series(column, dtype=pl.String)
                for name, column in zip(names, codes, strict=True)
            }
            | {"value": joined.value, "variance": joined.variance}
        )
        .group_by(names, maintain_order=True)
        .sum()
    )
    return (
        tuple(np.array(summed[name].to_list(), dtype=object) for name in names),
        Estimates(
            summed["value"].to_numpy(), summed["variance"].to_numpy(), joined.step, joined.quantile
        ),
    )


def _sum(tables: Mapping[GssCode, Estimates]) -> Estimates:
    return Estimates(
        np.sum([table.value for table in tables.values()], axis=0),
        np.sum([table.variance for table in tables.values()], axis=0),
        max(table.step for table in tables.values()),
        max(table.quantile for table in tables.values()),
    )


def _codes(lists: list[tuple[str, ...]]) -> tuple[Text, ...]:
    """Code of each cell for each attribute; the last attribute varies fastest."""
    if not lists:
        return ()
    arrays = [np.array(codes, dtype=object) for codes in lists]
    return tuple(grid.ravel() for grid in np.meshgrid(*arrays, indexing="ij"))


def _statistic(
    level: Level,
    place: str,
    marginal: Marginal,
    codes: tuple[Text, ...],
    estimates: Estimates,
) -> RegionalStatistic:
    value = estimates.value.ravel()
    standard_error = np.sqrt(estimates.variance.ravel())
    width = estimates.quantile * standard_error + estimates.step / 2  # `interval.half_width`
    variation, reliability = reliability_of(value, standard_error)
    return RegionalStatistic(
        level=level,
        place=place,
        marginal=marginal,
        codes=codes,
        value=value,
        standard_error=standard_error,
        lower=value - width,
        upper=value + width,
        coefficient_of_variation=variation,
        reliability=reliability,
    )


def reliability_of(value: Float64, standard_error: Float64) -> tuple[Float64, Text]:
    """Coefficient of variation of estimates, NaN where not positive, and what it means."""
    with np.errstate(divide="ignore", invalid="ignore"):
        variation = np.where(value > 0, standard_error / value, np.nan)
    reliability = np.full(len(value), Reliability.UNRELIABLE.value, dtype=object)
    reliability[variation <= UNRELIABLE_ABOVE] = Reliability.CAUTION.value
    reliability[variation < RELIABLE_BELOW] = Reliability.RELIABLE.value
    return variation, reliability
