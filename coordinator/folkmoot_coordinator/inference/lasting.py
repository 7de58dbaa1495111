"""Hotspots over periods: which are new, lasting and fading.

Each period is judged by its own background; the false discovery rate is that of all areas and
periods together. An area that is a hotspot now and was none before may have been a little below the
cut-off before and be a little above it now: that is no change. So a new or fading hotspot also says
whether its neighbourhood truly rose or fell, measured by the noise of both periods.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from folkmoot_coordinator.inference.comparisons import CovarianceRows, standardised
from folkmoot_coordinator.inference.discoveries import RATE, Discoveries, discoveries
from folkmoot_coordinator.inference.hotspots import Hotspots, detectable, hotspots
from folkmoot_coordinator.inference.neighbours import Neighbours
from folkmoot_coordinator.inference.tails import Tails

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Mask = NDArray[np.bool_]
Text = NDArray[np.object_]


class Course(StrEnum):
    """What became of a hotspot by the last period."""

    NEW = "new"
    """A hotspot in the last period, not in the one before."""
    LASTING = "lasting"
    """A hotspot in the last two periods."""
    FADING = "fading"
    """A hotspot in the period before the last, no longer in the last."""
    NONE = ""
    """A hotspot in neither."""


COURSES: Text = np.array([Course.NONE, Course.FADING, Course.NEW, Course.LASTING], dtype=object)
"""The courses by whether an area was a hotspot before (1), and is one now (2), added up."""


@dataclass(frozen=True, slots=True, eq=False)
class HotspotCourses:
    """Hotspots over periods.

    Attributes:
        periods: The statistics of each period, with discoveries by its own rate; what could have
            been found is by the cut-off of all periods together, as `hot` is.
        hot: Which areas are hotspots, of all periods together: arrays of shape (periods, areas).
        course: A `Course` each, shape (areas,).
        lasted: For how many periods up to the last each area has been a hotspot without a break,
            int64, shape (areas,).
        change: Mean change of the neighbourhood from the period before the last, itself included,
            households for each area, float64, shape (areas,).
        change_error: Standard error of its noise, households, float64, shape (areas,).
        certain: Whether the course is more than noise, bool, shape (areas,): a lasting hotspot
            always, a new one if its neighbourhood rose and a fading one if it fell, at the false
            discovery rate among new and fading ones.
    """

    periods: tuple[Hotspots, ...]
    hot: Discoveries
    course: Text
    lasted: Int64
    change: Float64
    change_error: Float64
    certain: Mask


def hotspot_courses(
    values: Sequence[Float64],
    variances: Sequence[Float64],
    neighbours: Neighbours,
    *,
    shared: Sequence[CovarianceRows | None] | None = None,
    covariance: Float64 | float = 0.0,
    rate: float = RATE,
    tails: Tails = Tails.NORMAL,
) -> HotspotCourses:
    """Finds hotspots of each period and what became of them.

    Args:
        values: Estimates of each period, oldest first, households, float64, shape (areas,) each;
            for a series new households, since cumulative counts never fall.
        variances: Of their noise, households squared, float64, shape (areas,) each.
        neighbours: Which areas touch.
        shared: Of each period, covariances of the noise of each two areas, float64, shape (areas,
            areas), households squared; None for one or for all if it is independent.
        covariance: Of the noise of each area in the last period and the one before; months of
            a series share releases.
        rate: False discovery rate.
        tails: Shape of the noise.

    Returns:
        Courses: arrays of shape (areas,), none missing.

    Raises:
        ValueError: If there are fewer than two periods, or as for `hotspots`.
    """
    if len(values) < 2 or len(values) != len(variances):
        raise ValueError("courses need two periods, each with its noise")
    shared = [None] * len(values) if shared is None else shared
    periods = tuple(
        hotspots(
            value,
            variance,
            neighbours,
            covariance=None if both is None else both[:],
            rate=rate,
            tails=tails,
        )
        for value, variance, both in zip(values, variances, shared, strict=True)
    )
    hot = discoveries(np.array([one.probability for one in periods]), rate=rate)
    periods = tuple(
        replace(one, detectable=detectable(one.sums, hot.cut_off, tails)) for one in periods
    )
    before, now = hot.found[-2], hot.found[-1]
    course: Text = COURSES[before.astype(int) + 2 * now.astype(int)]
    change, error = _change(values, variances, neighbours, covariance, shared[-1])
    score = standardised(change, error)
    turned = before != now
    tail = np.where(turned, tails.beyond(np.where(now, score, -score)), np.nan)
    moved = discoveries(tail, rate=rate).found
    return HotspotCourses(
        periods=periods,
        hot=hot,
        course=course,
        lasted=np.cumprod(hot.found[::-1].astype(np.int64), axis=0).sum(axis=0),
        change=change,
        change_error=error,
        certain=(before & now) | moved,
    )


def _change(
    values: Sequence[Float64],
    variances: Sequence[Float64],
    neighbours: Neighbours,
    covariance: Float64 | float,
    shared: CovarianceRows | None,
) -> tuple[Float64, Float64]:
    """Mean change of each neighbourhood and its standard error, from noise alone."""
    size = neighbours.counts.astype(np.float64) + 1
    moved = values[-1] - values[-2]
    spread = np.maximum(variances[-1] + variances[-2] - 2 * np.asarray(covariance), 0.0)
    summed = neighbours.sums(moved) + moved
    own = neighbours.sums(spread) + spread
    if shared is not None:
        own = np.maximum(own + _of_shared_change(shared[:], variances[-1], spread, neighbours), 0.0)
    error = np.sqrt(own)
    return summed / size, error / size


def _of_shared_change(
    shared: Float64, variance: Float64, spread: Float64, neighbours: Neighbours
) -> Float64:
    """What noise that areas share adds to the variance of the change of a neighbourhood.

    The releases of a council have one plan, so that areas are correlated alike in all of its
    figures, whatever months they are about.
    """
    scale = np.sqrt(spread / np.where(variance > 0, variance, 1.0))
    off = (shared - np.diag(np.diag(shared))) * np.outer(scale, scale)
    return neighbours.quadratic(off, itself=True)
