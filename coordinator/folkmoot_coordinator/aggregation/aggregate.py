"""From the councils' releases to statistics of the region, with their errors.

Everything here is post-processing of what councils released, and costs no privacy. Values
are best linear unbiased estimates: nothing is rounded or clipped at zero. Beside them stand
presentable values, whole and not negative, whose sums agree as well.
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
from folkmoot.precision import RELIABLE_BELOW, UNRELIABLE_ABOVE, Reliability
from folkmoot.rounds import Round
from folkmoot.workload import Attribute, Marginal
from folkmoot_coordinator.aggregation.consistent_tables.round_tables import Presentation
from folkmoot_coordinator.aggregation.reconstruct import Estimates, Reconstruction
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
        presentable: Whole households, not negative, biased; they agree with those of other
            marginals. None if the marginal is not presented.
    """

    level: GeographicLevel
    place: str
    marginal: Marginal
    codes: tuple[Text, ...]
    value: Float64
    standard_error: Float64
    lower: Float64
    upper: Float64
    coefficient_of_variation: Float64
    reliability: Text
    presentable: Int64 | None

    def __len__(self) -> int:
        return len(self.value)


@dataclass(frozen=True, slots=True, eq=False)
class _Table:
    """One marginal, as estimated and as presented."""

    estimates: Estimates
    shown: Int64 | None

    def shown_over(self, axes: tuple[int, ...]) -> Int64 | None:
        """What is presented, summed over some axes."""
        return None if self.shown is None else np.asarray(self.shown.sum(axis=axes))


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
    shared = [attribute.name for attribute in attributes if not attribute.is_area]
    tables = {
        council: _Table(made.marginal(marginal.attributes), shown[council])
        for council, made in councils.items()
    }
    found = [
        _statistic(
            GeographicLevel.COUNCIL,
            council,
            marginal,
            _codes([attribute.codes_of(council) for attribute in attributes]),
            table,
        )
        for council, table in tables.items()
    ]
    if len(shared) < len(attributes):
        codes, joined = _join(attributes, found, tables)
        found.append(_statistic(GeographicLevel.REGION, region, marginal, codes, joined))
        areas = tuple(at for at, attribute in enumerate(attributes) if attribute.is_area)
        tables = {
            council: _Table(made.marginal(shared), tables[council].shown_over(areas))
            for council, made in councils.items()
        }
    kept = [
        (ALL_AREAS,) if attribute.is_area else attribute.codes_of(next(iter(tables)))
        for attribute in attributes
    ]
    found.append(_statistic(GeographicLevel.REGION, region, marginal, _codes(kept), _sum(tables)))
    return found


def _join(
    attributes: Sequence[Attribute],
    found: Sequence[RegionalStatistic],
    tables: Mapping[GssCode, _Table],
) -> tuple[tuple[Text, ...], _Table]:
    """The areas of all councils; what lies outside every area is summed."""
    codes = tuple(
        np.concatenate([statistic.codes[at] for statistic in found])
        for at in range(len(attributes))
    )
    estimates = [table.estimates for table in tables.values()]
    columns = {
        "value": np.concatenate([one.value.ravel() for one in estimates]),
        "variance": np.concatenate([one.variance.ravel() for one in estimates]),
    }
    shown = [table.shown.ravel() for table in tables.values() if table.shown is not None]
    if shown:
        columns["shown"] = np.concatenate(shown)
    if any(attribute.is_area and attribute.others for attribute in attributes):
        names = [f"code{at}" for at in range(len(attributes))]
        by_code = {
            name: pl.Series(column, dtype=pl.String)
            for name, column in zip(names, codes, strict=True)
        }
        summed = pl.DataFrame(by_code | columns).group_by(names, maintain_order=True).sum()
        codes = tuple(np.array(summed[name].to_list(), dtype=object) for name in names)
        columns = {name: summed[name].to_numpy() for name in columns}
    joined = Estimates(
        columns["value"],
        columns["variance"],
        max(one.step for one in estimates),
        max(one.quantile for one in estimates),
    )
    return codes, _Table(joined, columns.get("shown"))


def _sum(tables: Mapping[GssCode, _Table]) -> _Table:
    estimates = [table.estimates for table in tables.values()]
    shown = [table.shown for table in tables.values() if table.shown is not None]
    return _Table(
        Estimates(
            np.sum([one.value for one in estimates], axis=0),
            np.sum([one.variance for one in estimates], axis=0),
            max(one.step for one in estimates),
            max(one.quantile for one in estimates),
        ),
        np.asarray(np.sum(shown, axis=0)) if shown else None,
    )


def _codes(lists: list[tuple[str, ...]]) -> tuple[Text, ...]:
    """Code of each cell for each attribute; the last attribute varies fastest."""
    if not lists:
        return ()
    arrays = [np.array(codes, dtype=object) for codes in lists]
    return tuple(grid.ravel() for grid in np.meshgrid(*arrays, indexing="ij"))


def _statistic(
    level: GeographicLevel,
    place: str,
    marginal: Marginal,
    codes: tuple[Text, ...],
    table: _Table,
) -> RegionalStatistic:
    estimates = table.estimates
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
        presentable=None if table.shown is None else table.shown.ravel(),
    )


def reliability_of(value: Float64, standard_error: Float64) -> tuple[Float64, Text]:
    """Coefficient of variation of estimates, and what it means.

    Returns:
        Two arrays in the shape of `value`: float64, NaN where the value is not positive; and
        text, a `Reliability` for each.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        variation = np.where(value > 0, standard_error / value, np.nan)
    reliability = np.full(len(value), Reliability.UNRELIABLE.value, dtype=object)
    reliability[variation <= UNRELIABLE_ABOVE] = Reliability.CAUTION.value
    reliability[variation < RELIABLE_BELOW] = Reliability.RELIABLE.value
    return variation, reliability
