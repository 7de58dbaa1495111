"""Covariance of the noise of a table's areas: those of one council share noise."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folkmoot.strategy import Plan, depths_of
from folkmoot_coordinator.aggregation.combination import Combination, row_weights
from folkmoot_coordinator.publication.estimable import Estimable, Moment

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
_DIGITS = 9


@dataclass(frozen=True, slots=True, eq=False)
class SharedNoise:
    """Covariances of the noise of areas, without an array of all pairs.

    Attributes:
        group: Group of each area, in which all are alike, int64, shape (areas,).
        between: Covariance of two different areas by their groups, households squared, float64,
            shape (groups, groups).
        variance: Of the noise of each area, households squared, float64, shape (areas,).
    """

    group: Int64
    between: Float64
    variance: Float64

    def __getitem__(self, rows: slice) -> Float64:
        """Covariance of some areas with all.

        Returns:
            float64, households squared, shape (rows, areas), 0 between councils, none missing.
        """
        found: Float64 = self.between[self.group[rows]][:, self.group]
        at = np.arange(len(self.group))[rows]
        found[np.arange(len(at)), at] = self.variance[at]
        return found

    def pair(self, first: int, second: int) -> float:
        """Covariance of two areas by their places, households squared."""
        if first == second:
            return float(self.variance[first])
        return float(self.between[self.group[first], self.group[second]])


def shared_noise(
    known: Estimable,
    about: Moment,
    cell: Mapping[str, str],
    area: str,
    codes: Sequence[str],
    variance: Float64,
) -> SharedNoise:
    """Covariances of the noise of a table's areas.

    Areas that lie together in a larger one and have the same variance are alike in a plan, so that
    two of them stand for all pairs.

    Args:
        known: The releases behind the table.
        about: Of a series, which figures.
        cell: By attribute the code of the table's cells, without the area.
        area: Attribute of the areas.
        codes: The areas, all of councils that released.
        variance: Of their noise, households squared, float64, shape (areas,).
    """
    place_of = {code: place for place, code in enumerate(codes)}
    blocks = []
    group = np.zeros(len(codes), dtype=np.int64)
    groups = 0
    for council, releases in known.weights[about].items():
        plan = known.round_.plan(council)
        alike = _alike(plan, area, place_of, variance)
        samples = [
            [_cell(known, plan, {**cell, area: codes[place]}, releases) for place in places[:2]]
            for places in alike
        ]
        block = np.zeros((len(alike), len(alike)))
        for at, (first, *others) in enumerate(samples):
            group[alike[at]] = groups + at
            block[at, at] = first.covariance(others[0]) if others else 0.0
            for after in range(at + 1, len(samples)):
                block[at, after] = block[after, at] = first.covariance(samples[after][0])
        blocks.append(block)
        groups += len(alike)
    between = np.zeros((groups, groups))
    first_of = 0
    for block in blocks:
        last_of = first_of + len(block)
        between[first_of:last_of, first_of:last_of] = block
        first_of = last_of
    return SharedNoise(group, between, variance)


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
