"""Classes of a map, and whether each area surely belongs to the class that it is shown in.

Breaks are round numbers near the quantiles of the estimates.

How likely an area's true figure lies in its class is not read off its own noise alone. Where areas
differ no more than the noise, the highest estimates are those with the luckiest noise: of areas
that their own noise put into the top class with 90 %, fewer than half belonged there in
simulations. So the probability comes from the shrunken estimate and its error (`small_area`), which
knows how much areas differ beyond the noise. An area is shown as certain only if its own noise says
so too, because the model takes what is an area's own to be normal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from folkmoot_coordinator.inference.small_area import Shrunken, fay_herriot
from folkmoot_coordinator.inference.tails import Tails

Float64 = NDArray[np.float64]
Int64 = NDArray[np.int64]
Mask = NDArray[np.bool_]

CERTAIN_FROM = 0.9
"""From this probability an area is shown as certain: at most one in ten such areas then belongs
to another class. It is the confidence at which the reliability of American Community Survey maps is
judged (Sun and Wong, "Incorporating data quality information in mapping American Community Survey
data", 2010)."""
MAX_CLASSES = 5
"""More colours of one hue cannot be distinguished on a map and in its legend."""
_NICE = (1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """Areas in classes.

    Attributes:
        breaks: Ends of the classes, ascending, households, float64, shape (classes - 1,). A class
            holds its lower end and not its upper one; the first and the last are open.
        number: Class of each area's estimate, from 0, int64, shape (areas,).
        probability: That the true figure lies in that class, float64, shape (areas,).
        certain: Whether the area can be shown in full colour, bool, shape (areas,).
    """

    breaks: Float64
    number: Int64
    probability: Float64
    certain: Mask


def quantile_breaks(value: Float64, classes: int = MAX_CLASSES) -> Float64:
    """Breaks that put about the same number of areas into each class, as round numbers.

    Args:
        value: Estimates, float64, shape (areas,).
        classes: How many classes are wanted, 1 to `MAX_CLASSES`.

    Returns:
        float64, shape (at most classes - 1,), ascending, none missing; fewer where estimates are
        too close together.

    Raises:
        ValueError: If the number of classes is not allowed or an estimate is missing.
    """
    _check(value, classes)
    if not len(value):
        return np.zeros(0)
    wanted: Float64 = np.quantile(value, np.arange(1, classes) / classes)
    gaps = np.diff(np.concatenate([[value.min()], wanted, [value.max()]]))
    gaps = gaps[gaps > _least_gap(value)]
    if not len(gaps):
        return np.zeros(0)
    # A break may move by a quarter of the narrowest class, so that no class is emptied.
    unit = _round_down(float(gaps.min()) / 2)
    return _inside(np.rint(wanted / unit) * unit, unit, value)


def classify(
    value: Float64,
    variance: Float64,
    breaks: Float64,
    *,
    tails: Tails = Tails.NORMAL,
    shrunken: Shrunken | None = None,
) -> Classes:
    """Puts areas into classes by their estimates, and says how sure that is.

    Args:
        value: Estimates, households, float64, shape (areas,).
        variance: Of their noise, households squared, float64, shape (areas,).
        breaks: Ends of the classes, ascending, float64, shape (classes - 1,).
        tails: Shape of the noise.
        shrunken: Shrunken estimates of the same areas; None to shrink all to one mean.

    Returns:
        Class, probability and certainty of each area, shape (areas,), none missing. A single area
        is judged by its own noise alone.

    Raises:
        ValueError: If breaks do not ascend.
    """
    if np.any(np.diff(breaks) <= 0):
        raise ValueError("breaks ascend")
    number = np.searchsorted(breaks, value, side="right").astype(np.int64)
    lower = np.concatenate([[-np.inf], breaks])[number]
    upper = np.concatenate([breaks, [np.inf]])[number]
    alone = _inside_class(value, np.sqrt(variance), lower, upper, tails)
    if len(value) < 2:
        return Classes(breaks, number, alone, alone >= CERTAIN_FROM)
    model = fay_herriot(value, variance) if shrunken is None else shrunken
    probability = _inside_class(model.value, model.standard_error, lower, upper, tails)
    certain = np.minimum(alone, probability) >= CERTAIN_FROM
    return Classes(breaks, number, probability, certain)


def _inside_class(
    centre: Float64, error: Float64, lower: Float64, upper: Float64, tails: Tails
) -> Float64:
    # Without noise a figure is in its class or not; the smallest error stands for none.
    error = np.maximum(error, np.finfo(float).tiny)
    with np.errstate(over="ignore"):
        return tails.between((lower - centre) / error, (upper - centre) / error)


def _check(value: Float64, classes: int) -> None:
    if not 1 <= classes <= MAX_CLASSES:
        raise ValueError(f"a map has 1 to {MAX_CLASSES} classes")
    if not np.isfinite(value).all():
        raise ValueError("estimates are not missing")


def _least_gap(value: Float64) -> float:
    """Estimates that differ by less are equal but for rounding."""
    return 1e-9 * float(np.abs(value).max()) + 1e-12


def _inside(breaks: Float64, unit: float, value: Float64) -> Float64:
    """Breaks with estimates on both sides, each once, without the noise of binary fractions."""
    digits = max(0, 1 - math.floor(math.log10(unit)))
    found: Float64 = np.unique(np.round(breaks, digits)) + 0.0  # no -0
    inside: Mask = (found > value.min()) & (found <= value.max())
    return np.asarray(found[inside])


def _round_down(size: float) -> float:
    power = float(10.0 ** math.floor(math.log10(size)))
    return max(nice * power for nice in _NICE if nice * power <= size * (1 + 1e-9))
