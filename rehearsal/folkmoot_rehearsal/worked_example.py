"""The cohort of the worked example: in debt, 65 or over, and alone; who belongs to it in truth.

Barking and Dagenham found such households in 2020. The cohort that a council finds is made from its
records, which are not all right; this is made from what is true, so that the two can be compared.
"""

from __future__ import annotations

import numpy as np

from folkmoot_rehearsal.circumstances import Booleans, Dates
from folkmoot_rehearsal.people import People
from folkmoot_rehearsal.rounding import Floats

ARREARS_OVER = 1000.0
"""GBP of council tax; more than this."""
AGE_FROM = 65
"""Years; this or more."""


def belongs(arrears: Floats, people: People, died: Dates) -> Booleans:
    """Whether a household owes more than `ARREARS_OVER` and is one living person of `AGE_FROM`.

    Somebody whose partner has just died is alone, and a home whose only resident has died has
    nobody in it, whatever the records say.

    Args:
        arrears: Council tax owed, GBP, shape (households,).
        people: Their members.
        died: Date of death of each person, NaT for the living.

    Returns:
        bool of shape (households,), none missing.
    """
    n = len(arrears)
    living = people.household[np.isnat(died)]
    oldest = np.zeros(n, dtype=np.int64)
    np.maximum.at(oldest, living, people.age[np.isnat(died)])
    alone = np.bincount(living, minlength=n) == 1
    found: Booleans = (arrears > ARREARS_OVER) & (oldest >= AGE_FROM) & alone
    return found
