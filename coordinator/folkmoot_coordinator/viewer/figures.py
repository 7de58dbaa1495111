"""Figures of the areas of one selection, with what the noise allows to say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from folkmoot.attributes import OTHER
from folkmoot.geography import GssCode
from folkmoot.precision import Reliability
from folkmoot_coordinator.aggregation.statistic import (
    RELIABILITIES,
    GeographicLevel,
    RegionalStatistic,
    coefficients_of_variation,
    reliability_numbers,
)
from folkmoot_coordinator.inference.classes import (
    MAX_CLASSES,
    Classes,
    classify,
    quantile_breaks,
)
from folkmoot_coordinator.inference.ranks import Ranks, ranks
from folkmoot_coordinator.inference.tails import Tails
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.publication.shared_noise import SharedNoise, shared_noise
from folkmoot_coordinator.viewer.selection import Selection

Float64 = NDArray[np.float64]
_AREAS_OF_A_CLASS = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure.

    Attributes:
        value: Households.
        standard_error: Of its noise, households.
        lower: Lower end of its 95% interval.
        upper: Upper end of it.
    """

    value: float
    standard_error: float
    lower: float
    upper: float

    @property
    def reliability(self) -> Reliability:
        """How far it can be relied on."""
        variation = coefficients_of_variation(
            np.array([self.value]), np.array([self.standard_error])
        )
        return Reliability(RELIABILITIES[reliability_numbers(variation)[0]])


@dataclass(frozen=True, eq=False)
class Figures:
    """Figures of areas; every array has shape (areas,), in the order of codes.

    Attributes:
        codes: Of the areas.
        names: Of the areas; the code where no name is known.
        councils: GSS code of the council of each area.
        value: Best linear unbiased estimates, households, float64.
        standard_error: Of their noise, households, float64.
        lower: Lower ends of their 95% intervals, households, float64.
        upper: Upper ends.
        covariance: Of the noise of each two areas; None if it is independent.
        quantile: How many standard errors an interval reaches.
        step: See `RegionalStatistic`.
        total: Of all areas together; None if there is none.
        outside: Of what lies in no area; None where the round does not count that.
        missing: Codes of areas of councils that did not release.
    """

    codes: tuple[str, ...]
    names: tuple[str, ...]
    councils: tuple[str, ...]
    value: Float64
    standard_error: Float64
    lower: Float64
    upper: Float64
    covariance: SharedNoise | None
    quantile: float
    step: float
    total: Figure | None
    outside: Figure | None
    missing: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.codes)

    def figure(self, place: int) -> Figure:
        """The figure of one area."""
        columns = (self.value, self.standard_error, self.lower, self.upper)
        return Figure(*(float(column[place]) for column in columns))

    @property
    def variance(self) -> Float64:
        """Of the noise, households squared, float64, shape (areas,), never missing."""
        return self.standard_error**2

    @property
    def tails(self) -> Tails:
        """Shape of the noise."""
        return Tails.of_quantile(self.quantile)

    @cached_property
    def reliability(self) -> tuple[Reliability, ...]:
        """How far each figure can be relied on."""
        variation = coefficients_of_variation(self.value, self.standard_error)
        kinds = [Reliability(text) for text in RELIABILITIES]
        return tuple(kinds[number] for number in reliability_numbers(variation))

    @cached_property
    def ranks(self) -> Ranks:
        """Ranks with intervals that hold together."""
        return ranks(
            self.value, self.variance, covariance=self.covariance, tails=self.tails, step=self.step
        )

    @cached_property
    def classes(self) -> Classes:
        """Classes of the map: no more than there are areas to fill them."""
        wanted = min(MAX_CLASSES, max(2, len(self) // _AREAS_OF_A_CLASS))
        breaks = quantile_breaks(self.value, wanted)
        return classify(self.value, self.variance, breaks, tails=self.tails)

    @cached_property
    def place_of(self) -> dict[str, int]:
        """Place of each area by its code."""
        return {code: place for place, code in enumerate(self.codes)}

    @cached_property
    def descending(self) -> tuple[int, ...]:
        """Places of the areas, the largest figure first."""
        return tuple(np.argsort(-self.value, kind="stable").tolist())

    def inside(self, council: str) -> list[int]:
        """Places of the areas of a council; of all if it is empty."""
        return [at for at, one in enumerate(self.councils) if council in ("", one)]


def figures(published: Published, chosen: Selection) -> Figures:
    """Figures of a selection; kept as long as the round's result is.

    Args:
        published: The round.
        chosen: What of it.
    """
    found = published.kept(
        ("figures", *chosen.key),
        lambda: _of_areas(published, chosen) if chosen.area else _of_districts(published, chosen),
    )
    assert isinstance(found, Figures)
    return found


def cells_of(statistic: RegionalStatistic, chosen: Selection) -> NDArray[np.bool_]:
    """Which cells have the codes of a selection: bool, shape (cells,), never missing."""
    keep = np.ones(len(statistic), dtype=bool)
    for name, codes in zip(statistic.marginal.attributes, statistic.codes, strict=True):
        if name in chosen.cell:
            keep &= codes == chosen.cell[name]
    return keep


def figure_of(statistic: RegionalStatistic | None, chosen: Selection) -> Figure | None:
    """The one figure of a statistic that has the codes of a selection; None if there is none."""
    if statistic is None:
        return None
    places = np.flatnonzero(cells_of(statistic, chosen))
    if len(places) != 1:
        return None
    columns = (statistic.value, statistic.standard_error, statistic.lower, statistic.upper)
    return Figure(*(float(column[places[0]]) for column in columns))


def without_areas(published: Published, chosen: Selection) -> RegionalStatistic | None:
    """The statistic of a selection's attributes alone.

    Args:
        published: The round.
        chosen: What of it.

    Returns:
        That of all areas together, or of the council that is looked at; None if the round has no
        such figures.
    """
    about = chosen.about
    if chosen.place:
        names = [one.name for one in chosen.attributes]
        for marginal in published.round_.workload.marginals:
            if sorted(marginal.attributes) == sorted(names):
                return published.statistic(
                    marginal, GeographicLevel.COUNCIL, chosen.place, about=about
                )
        return None
    level = GeographicLevel.ALL_AREAS if chosen.area else GeographicLevel.REGION
    return published.statistic(chosen.marginal, level, about=about)


def _of_areas(published: Published, chosen: Selection) -> Figures:
    assert chosen.area is not None
    statistic = published.statistic(chosen.marginal, about=chosen.about)
    if statistic is None:
        return _nothing(chosen, published)
    keep = cells_of(statistic, chosen)
    at = chosen.marginal.attributes.index(chosen.area.name)
    codes = statistic.codes[at]
    inside = np.flatnonzero(keep & (codes != OTHER))
    outside = np.flatnonzero(keep & (codes == OTHER))
    columns = (statistic.value, statistic.standard_error, statistic.lower, statistic.upper)
    listed = tuple(map(str, codes[inside]))
    names = published.stored.code_names.of(chosen.area.name)
    council_of = {
        code: str(council) for council, own in chosen.area.by_council.items() for code in own
    }
    whole = published.statistic(chosen.marginal, GeographicLevel.ALL_AREAS, about=chosen.about)
    value, error, lower, upper = (column[inside] for column in columns)
    return Figures(
        codes=listed,
        names=tuple(names.get(code, code) for code in listed),
        councils=tuple(council_of[code] for code in listed),
        value=value,
        standard_error=error,
        lower=lower,
        upper=upper,
        covariance=shared_noise(
            published.releases(),
            chosen.about,
            chosen.cell,
            chosen.area.name,
            listed,
            error**2,
        ),
        quantile=statistic.quantile,
        step=statistic.step,
        total=figure_of(whole, chosen),
        outside=Figure(*(float(column[outside[0]]) for column in columns))
        if len(outside)
        else None,
        missing=_missing_areas(published, chosen, set(listed)),
    )


def _of_districts(published: Published, chosen: Selection) -> Figures:
    found: dict[GssCode, Figure] = {}
    quantile = step = 0.0
    for statistic in published.statistics(chosen.about):
        if statistic.marginal == chosen.marginal and statistic.level is GeographicLevel.COUNCIL:
            figure = figure_of(statistic, chosen)
            if figure is not None:
                found[GssCode(statistic.place)] = figure
                quantile = max(quantile, statistic.quantile)
                step = max(step, statistic.step)
    codes = tuple(sorted(found))
    total = published.statistic(chosen.marginal, GeographicLevel.REGION, about=chosen.about)

    def column(of: Sequence[float]) -> Float64:
        return np.array(of, dtype=np.float64)

    return Figures(
        codes=codes,
        names=tuple(published.names.get(code, code) for code in codes),
        councils=codes,
        value=column([found[code].value for code in codes]),
        standard_error=column([found[code].standard_error for code in codes]),
        lower=column([found[code].lower for code in codes]),
        upper=column([found[code].upper for code in codes]),
        covariance=None,
        quantile=quantile,
        step=step,
        total=figure_of(total, chosen),
        outside=None,
        missing=tuple(code for code in published.round_.councils if code not in found),
    )


def _nothing(chosen: Selection, published: Published) -> Figures:
    empty = np.zeros(0)
    missing = _missing_areas(published, chosen, set())
    return Figures(
        (), (), (), empty, empty, empty, empty, None, 0.0, 0.0, None, None, missing
    )  # fmt: skip


def _missing_areas(published: Published, chosen: Selection, there: set[str]) -> tuple[str, ...]:
    assert chosen.area is not None
    return tuple(
        code
        for council in published.round_.councils
        for code in chosen.area.by_council.get(council, ())
        if code not in there
    )
