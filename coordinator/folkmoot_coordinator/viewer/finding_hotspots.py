"""Hotspots of a selection, found once for each result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from folkmoot_coordinator.aggregation.cumulative import Measure
from folkmoot_coordinator.geography.shapes import Shapes
from folkmoot_coordinator.inference.hotspots import Hotspots, hotspots
from folkmoot_coordinator.inference.lasting import HotspotCourses, hotspot_courses
from folkmoot_coordinator.inference.local_moran import LocalMoran, local_moran
from folkmoot_coordinator.publication.estimable import Moment
from folkmoot_coordinator.publication.published_round import Published
from folkmoot_coordinator.publication.shared_noise import covariances_with_before
from folkmoot_coordinator.viewer.figures import Figures, figures
from folkmoot_coordinator.viewer.maps import missing_note, shapes_of
from folkmoot_coordinator.viewer.region import Region
from folkmoot_coordinator.viewer.selection import Selection

Float64 = NDArray[np.float64]
Mask = NDArray[np.bool_]

FEWEST = 5
"""With fewer areas nothing stands out from the others."""
MAX_PERIODS = 24
"""Newest rounds of a series that are looked at."""


@dataclass(frozen=True, eq=False)
class Found:
    """Hotspots of a selection.

    Attributes:
        chosen: What was looked at; of a series new households, in the newest round.
        figures: The figures of it.
        spots: Of these, or of the last period.
        likeness: Of each area to its neighbours, likewise.
        courses: Over the rounds of a series; None for one round.
        months: Numbers of the rounds that were looked at; empty for one round.
        shapes: Of the areas with figures and those without, in this order.
        notes: Sentences on the map.
        hot: Which areas are hotspots, bool, shape (areas,).
        cold: Which areas are cold spots, bool, shape (areas,).
    """

    chosen: Selection
    figures: Figures
    spots: Hotspots
    likeness: LocalMoran
    courses: HotspotCourses | None
    months: tuple[int, ...]
    shapes: Shapes
    notes: tuple[str, ...]
    hot: Mask
    cold: Mask

    @property
    def noise_share(self) -> float:
        """Which part of the variance between areas is noise, 0 to 1."""
        noise = float(self.figures.variance.mean())
        return noise / (noise + self.spots.background.model_variance or 1.0)


def find_hotspots(region: Region, published: Published, chosen: Selection) -> Found | str:
    """Finds hotspots; kept as long as the round's result is.

    Args:
        region: It has the boundaries, which say which areas touch.
        published: The round.
        chosen: What of it, by area.

    Returns:
        What was found, or a sentence that says why nothing can be looked for.
    """
    found = published.kept(
        ("hotspots", *chosen.key, region.boundaries_stamp()),
        lambda: _found(region, published, chosen),
    )
    assert isinstance(found, Found | str)
    return found


def _found(region: Region, published: Published, chosen: Selection) -> Found | str:
    months = _months(published)
    if months:
        chosen = replace(chosen, about=_of_month(months[-1]))
    known = figures(published, chosen)
    if len(known) < FEWEST:
        return f"Hotspots need {FEWEST} areas or more, to stand out from the others."
    shapes, notes = shapes_of(region, published, chosen, (*known.codes, *known.missing))
    if shapes is None:
        return " ".join(notes) or (
            "Hotspots need boundaries, to know which areas touch, and the region has set none. An "
            "operator sets them in coordinator.toml."
        )
    if known.missing:
        notes.append(missing_note(published, chosen, known))
    neighbours = shapes.neighbours.among(len(known))
    shared = None if known.covariance is None else known.covariance[:]
    likeness = local_moran(
        known.value, known.variance, neighbours, covariance=shared, tails=known.tails
    )
    periods = _periods(published, chosen, months, known)
    if len(periods) < 2:
        spots = hotspots(
            known.value, known.variance, neighbours, covariance=shared, tails=known.tails
        )
        hot, cold = spots.hot.found, spots.cold.found
        return Found(chosen, known, spots, likeness, None, (), shapes, tuple(notes), hot, cold)
    used = months[-len(periods) :]
    courses = hotspot_courses(
        [one.value for one in periods],
        [one.variance for one in periods],
        neighbours,
        shared=[one.covariance for one in periods],
        covariance=_with_before(published, chosen, used, known),
        tails=known.tails,
    )
    spots = courses.periods[-1]
    hot, cold = courses.hot.found[-1], spots.cold.found
    return Found(chosen, known, spots, likeness, courses, used, shapes, tuple(notes), hot, cold)


def _months(published: Published) -> tuple[int, ...]:
    """The rounds of a series that have figures, oldest first; none for a round by itself."""
    found = {one.month for one in published.moments if one.month is not None}
    new = {one.month for one in published.moments if one.measure is Measure.NEW}
    return tuple(sorted(month for month in found if month == 1 or month in new))


def _of_month(month: int) -> Moment:
    """New households; in the first round all are new."""
    return Moment(month, Measure.CUMULATIVE if month == 1 else Measure.NEW)


def _periods(
    published: Published, chosen: Selection, months: Sequence[int], last: Figures
) -> list[Figures]:
    """Figures of the newest rounds in a row that have the same areas as the last one."""
    found = [last]
    for month in reversed(months[-MAX_PERIODS:-1]):
        one = figures(published, replace(chosen, about=_of_month(month)))
        if one.codes != last.codes:
            break
        found.insert(0, one)
    return found if months else []


def _with_before(
    published: Published, chosen: Selection, months: Sequence[int], last: Figures
) -> Float64:
    assert chosen.area is not None
    return covariances_with_before(
        published.releases(),
        _of_month(months[-1]),
        _of_month(months[-2]),
        chosen.cell,
        chosen.area.name,
        last.codes,
        last.variance,
    )
