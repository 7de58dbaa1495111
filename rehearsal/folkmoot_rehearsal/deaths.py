"""Residents who have died lately, and whom the records do not leave out yet."""

from __future__ import annotations

import datetime

import numpy as np

from folkmoot_rehearsal import rates
from folkmoot_rehearsal.circumstances import Dates
from folkmoot_rehearsal.people import People
from folkmoot_rehearsal.rounding import Integers


def draw(people: People, today: datetime.date, rng: np.random.Generator) -> Dates:
    """Draws who has died in the last `rates.DEATHS_DAYS` days.

    Returns:
        Date of death of each person, datetime64[D] of shape (people,); NaT for the
        living and never null.
    """
    first = np.array([step[0] for step in rates.DEATHS_BY_AGE])
    yearly = np.array([step[1] for step in rates.DEATHS_BY_AGE])
    chance = yearly[np.searchsorted(first, people.age, side="right") - 1] * (
        rates.DEATHS_DAYS / 365
    )
    dies = rng.random(len(people.age)) < chance
    back = rng.integers(1, rates.DEATHS_DAYS + 1, size=len(people.age))
    when = np.datetime64(today, "D") - back
    return np.where(dies, when, np.datetime64("NaT"))


def by_household(people: People, died: Dates, households: int) -> Integers:
    """How many of each household have died: int64 of shape (households,), none missing.

    Args:
        people: The people.
        died: As `draw` gives them.
        households: How many there are.
    """
    return np.bincount(people.household[~np.isnat(died)], minlength=households).astype(np.int64)
