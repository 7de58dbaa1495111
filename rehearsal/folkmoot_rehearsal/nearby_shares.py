"""Composition, sizes and ages of a council of which only some tables are at hand.

The shares typed in `shares` are those of Greater Manchester. Here they are moved as far as what is
known of the council says, and no further: to its people per household, and to its age groups.
"""

from __future__ import annotations

import numpy as np

from folkmoot_rehearsal import shares
from folkmoot_rehearsal.codes import MAXIMUM_SIZE, Composition
from folkmoot_rehearsal.households import SIZES
from folkmoot_rehearsal.rounding import Floats

_OLDER = (Composition.ONE_66_OVER, Composition.FAMILY_66_OVER)
_PEOPLE = np.arange(1, MAXIMUM_SIZE + 1, dtype=np.float64)


def ages(groups: tuple[float, float, float] | None) -> Floats:
    """Weights by band of `shares.AGE_BANDS`: float64, shape (18,), none missing, with a sum of 1.

    Args:
        groups: Shares of people of 0 to 15, 16 to 64, and 65 or over; None if not known, which
            leaves the typed shares.
    """
    age: Floats = np.array(shares.AGE) / sum(shares.AGE)
    if groups is None:
        return age
    first = np.array(shares.AGE_BANDS)
    # The band 15 to 19 has one year of the first group and four of the second.
    young = np.where(first < 15, 1.0, np.where(first == 15, 0.2, 0.0))
    older = (first >= 65).astype(np.float64)
    moved = np.zeros_like(age)
    for part, share in zip((young, 1 - young - older, older), groups, strict=True):
        moved += age * part * share / (age * part).sum()
    settled: Floats = moved / moved.sum()
    return settled


def sizes(people_per_household: float) -> Floats:
    """Shares of households by number of people: float64, shape (8,), none missing.

    Of all shares with the mean given they are nearest to the typed ones (least relative entropy).

    Args:
        people_per_household: More than 1 and less than 8.

    Raises:
        ValueError: If it is not.
    """
    if not 1 < people_per_household < MAXIMUM_SIZE:
        raise ValueError(f"a household cannot have {people_per_household:g} people on average")
    typed = np.array(shares.SIZE)
    low, high = -10.0, 10.0
    for _ in range(80):  # bisection: the mean rises with the tilt
        middle = (low + high) / 2
        tilted = typed * np.exp(middle * (_PEOPLE - 4))
        low, high = (
            (middle, high) if tilted @ _PEOPLE < people_per_household * tilted.sum()
            else (low, middle)
        )  # fmt: skip
    tilted = typed * np.exp(low * (_PEOPLE - 4))
    settled: Floats = tilted / tilted.sum()
    return settled


def composition(size: Floats, age: Floats) -> Floats:
    """Shares of households by composition, as sizes and ages have it: float64, shape (1, 14).

    Households of people of 66 or over change with the number of such people per household; the
    others are then scaled within each size. None is missing.

    Args:
        size: As `sizes` gives it.
        age: As `ages` gives it.
    """
    older_people = np.array(shares.AGE_BANDS) >= 65
    here = age[older_people].sum() * (size @ _PEOPLE)
    typed_size = np.array(shares.SIZE) / sum(shares.SIZE)
    typed_age = np.array(shares.AGE) / sum(shares.AGE)
    there = typed_age[older_people].sum() * (typed_size @ _PEOPLE)
    table = (np.array(shares.COMPOSITION) / sum(shares.COMPOSITION))[:, None] * (
        SIZES / SIZES.sum(axis=1, keepdims=True)
    )
    table[list(_OLDER)] *= here / there
    others = np.setdiff1d(np.arange(len(Composition)), _OLDER)
    left = np.maximum(size - table[list(_OLDER)].sum(axis=0), 0.0)
    table[others] *= left / table[others].sum(axis=0)
    fitted: Floats = table.sum(axis=1)[None, :] / table.sum()
    return fitted
