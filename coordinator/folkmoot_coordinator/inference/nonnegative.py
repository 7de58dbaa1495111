"""Needs that are not negative, with the same totals: what a quantity can be shared out by.

Noise puts some estimates of small needs below zero. Setting each of them to zero would add to the
total wherever needs are small, and take from everyone else. Instead the estimates move as little as
possible, measured in standard errors, to needs that are not negative and keep the total of each
district. So the shares of districts stay unbiased; a district whose own total is negative gets
nothing, and the others give way to it in the same manner.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from folkmoot_operator.problems import ExitCode, Problem

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]


def without_negatives(value: Float64, variance: Float64, district: Int64) -> Float64:
    """The closest needs that are not negative and keep the totals of districts and region.

    Args:
        value: Estimates, households, float64, shape (areas,).
        variance: Of their noise, households squared, float64, shape (areas,).
        district: District of each area, from 0, int64, shape (areas,).

    Returns:
        float64, households, shape (areas,), none negative or missing.

    Raises:
        Problem: REFUSED if the total is not above zero.
    """
    total = float(value.sum())
    if not total > 0:
        raise Problem(
            "the total need is not above zero, so nothing can be shared out by it",
            remedy="choose a statistic that counts more households",
            exit_code=ExitCode.REFUSED,
        )
    if (value >= 0).all():
        return value.copy()
    districts = int(district.max()) + 1
    totals = _sums(value, district, districts)
    moved = np.unique(district[value < 0])
    if (totals < 0).any():
        totals = _closest(totals, _sums(variance, district, districts), total)
        moved = np.unique(district)
    needs = value.copy()
    for one in moved:
        inside = district == one
        needs[inside] = _closest(value[inside], variance[inside], float(totals[one]))
    return needs


def _sums(value: Float64, district: Int64, districts: int) -> Float64:
    return np.bincount(district, weights=value, minlength=districts).astype(np.float64)


def _closest(value: Float64, variance: Float64, total: float) -> Float64:
    """Values not negative with a sum, closest in squared distance by variance.

    Each is its target less a multiple of its variance, or 0 if that is negative; the multiple is
    found as for projections onto the simplex (Held, Wolfe and Crowder 1974).
    """
    if total <= 0:
        return np.zeros_like(value)
    weight = np.maximum(variance, 1e-12 * float(variance.max()) or 1.0)
    order = np.argsort(-value / weight, kind="stable")
    multiples = (np.cumsum(value[order]) - total) / np.cumsum(weight[order])
    positive = np.flatnonzero(value[order] / weight[order] > multiples)
    last = int(positive[-1]) if len(positive) else 0  # of a total that is lost in rounding
    found = np.maximum(value - float(multiples[last]) * weight, 0.0)
    if not found.any():
        found[order[0]] = 1.0
    return np.asarray(found * (total / float(found.sum())))
