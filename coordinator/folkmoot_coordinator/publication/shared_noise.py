"""Covariance of the noise of a table's areas: those of one council share noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from folkmoot.strategy import Plan, depths_of
from folkmoot_coordinator.aggregation.combination import Combination, row_weights
from folkmoot_coordinator.publication.estimable import Estimable, Moment

Float64 = NDArray[np.float64]
_DIGITS = 9


def area_covariances(
    known: Estimable,
    about: Moment,
    cell: Mapping[str, str],
    area: str,
    codes: Sequence[str],
    variance: Float64,
) -> Float64:
    """Covariance of the noise of each two areas of a table.

    Areas that lie together in a larger one and have the same variance are alike in a plan, so that
    two of them stand for all pairs.

    Args:
        known: The releases behind the table.
        about: Of a series, which figures.
        cell: By attribute the code of the table's cells, without the area.
        area: Attribute of the areas.
        codes: The areas, all of councils that released.
        variance: Of their noise, households squared, float64, shape (areas,).

    Returns:
        float64, households squared, shape (areas, areas), symmetric, 0 between councils, none
        missing. Its diagonal is `variance`.
    """
    place_of = {code: place for place, code in enumerate(codes)}
    found = np.diag(variance)
    for council, releases in known.weights[about].items():
        plan = known.round_.plan(council)
        alike = _alike(plan, area, place_of, variance)
        samples = [(group, group[:2]) for group in alike]
        sums = {
            place: _cell(known, plan, {**cell, area: codes[place]}, releases)
            for _, pair in samples
            for place in pair
        }
        for at, (group, pair) in enumerate(samples):
            if len(pair) == 2:
                both = sums[pair[0]].covariance(sums[pair[1]])
                found[np.ix_(group, group)] = both
            for other, (first, *_) in samples[at + 1 :]:
                both = sums[pair[0]].covariance(sums[first])
                found[np.ix_(group, other)] = both
                found[np.ix_(other, group)] = both
    np.fill_diagonal(found, variance)
    return found


def covariances_with_before(
    known: Estimable,
    about: Moment,
    before: Moment,
    cell: Mapping[str, str],
    area: str,
    codes: Sequence[str],
    variance: Float64,
) -> Float64:
    """Covariance of the noise of each area's figures about two months of a series.

    Args:
        known: The releases behind the table.
        about: Which figures.
        before: Which others.
        cell: By attribute the code of the table's cells, without the area.
        area: Attribute of the areas.
        codes: The areas, all of councils that released.
        variance: Of the noise of the first figures, households squared, float64, shape (areas,).

    Returns:
        float64, households squared, shape (areas,), 0 for areas of a council that is missing in one
        of the months, none missing.
    """
    place_of = {code: place for place, code in enumerate(codes)}
    found = np.zeros(len(codes))
    for council, releases in known.weights[about].items():
        others = known.weights[before].get(council)
        if others is None:
            continue
        plan = known.round_.plan(council)
        for group in _alike(plan, area, place_of, variance):
            here = {**cell, area: codes[group[0]]}
            one, other = (_cell(known, plan, here, of) for of in (releases, others))
            found[group] = one.covariance(other)
    return found


def _alike(
    plan: Plan, area: str, place_of: Mapping[str, int], variance: Float64
) -> list[list[int]]:
    """Places of areas of one council, in groups that the plan treats alike."""
    [level] = [one for axis in plan.axes for one in axis.levels if one.attribute == area]
    groups: dict[tuple[int, str], list[int]] = {}
    for code, parent in zip(level.codes, level.parents, strict=True):
        place = place_of.get(code)
        if place is not None:
            key = parent, f"{variance[place]:.{_DIGITS}g}"
            groups.setdefault(key, []).append(place)
    return list(groups.values())


def _cell(
    known: Estimable,
    plan: Plan,
    codes: Mapping[str, str],
    releases: Mapping[object, float],
) -> Combination:
    depths = depths_of(plan.axes, tuple(codes))
    weights = np.zeros([axis.size(d) for axis, d in zip(plan.axes, depths, strict=True)])
    place = []
    for axis, depth in zip(plan.axes, depths, strict=True):
        if depth:
            level = axis.levels[depth - 1]
            place.append(level.codes.index(codes[level.attribute]))
        else:
            place.append(0)
    weights[tuple(place)] = 1.0
    rows = row_weights(plan, {depths: weights})
    sum_ = Combination(known.releases)
    for release, times in releases.items():
        sum_.add(release, times * rows)
    return sum_
