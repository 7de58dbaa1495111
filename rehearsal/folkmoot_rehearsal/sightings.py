"""Where sources record people: who moved, who lives in two households, who is listed twice."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
import polars as pl

from folkmoot_rehearsal.circumstances import Dates
from folkmoot_rehearsal.identities import Identities
from folkmoot_rehearsal.misspelling import Carelessness, misspelt
from folkmoot_rehearsal.names import Texts
from folkmoot_rehearsal.people import People
from folkmoot_rehearsal.rounding import Integers

TWO_HOUSEHOLDS = 0.03
"""Share of children who live in another household as well; assumed, of the order of the children
of separated parents who spend half of their time with each."""
MOVED_WITHIN = 0.06
"""Share of people who lived in another home of the council before, and are still listed there;
assumed. About a tenth of people move within a year, half of them within the council."""

_EARLIEST = 3 * 365
"""Days before the move from which on, at most, the earlier home was lived in."""


@dataclass(frozen=True, slots=True)
class Homes:
    """Where people live and have lived; one row for each person and home.

    Attributes:
        person: Index of the person; int64 of shape (n,), like all below.
        household: Index of the household.
        since: From when on the person is recorded there.
        current: True where the person lives there now: a person may have two such homes.
    """

    person: Integers
    household: Integers
    since: np.ndarray[tuple[int, ...], np.dtype[np.datetime64]]
    current: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def draw(
    people: People,
    birth: Dates,
    today: datetime.date,
    rng: np.random.Generator,
    moved: float = MOVED_WITHIN,
) -> Homes:
    """Draws where people live: in their household, some in a second, some in an earlier one.

    Args:
        people: The people.
        birth: Their dates of birth; nobody lives anywhere before.
        today: Day on which they are described.
        rng: Source of randomness.
        moved: Share of people who are still listed in an earlier home, from 0 to 1.
    """
    n, households = len(people.age), int(people.household.max()) + 1
    years = np.clip(rng.exponential(9, size=households), 0.1, 60)
    moved_in = np.datetime64(today, "D") - (years * 365).astype(np.int64)
    since = np.maximum(moved_in[people.household], birth)
    first = np.arange(n)
    both = np.flatnonzero((people.age < 18) & (rng.random(n) < TWO_HOUSEHOLDS))
    # Whoever was born less than three years before moving in has no earlier home.
    old_enough = (since - birth).astype(np.int64) > _EARLIEST
    movers = np.flatnonzero((rng.random(n) < moved) & old_enough)
    return Homes(
        person=np.concatenate([first, both, movers]),
        household=np.concatenate(
            [
                people.household,
                _another(people.household[both], households, rng),
                _another(people.household[movers], households, rng),
            ]
        ),
        since=np.concatenate(
            [since, since[both], since[movers] - rng.integers(200, _EARLIEST, size=len(movers))]
        ),
        current=np.arange(n + len(both) + len(movers)) < n + len(both),
    )


def _another(household: Integers, households: int, rng: np.random.Generator) -> Integers:
    """Another household than the one given, at random."""
    away: Integers = (household + rng.integers(1, households, size=len(household))) % households
    return away


def listed(
    identities: Identities,
    homes: Homes,
    rows: Integers,
    postcode: Texts,
    rates: Carelessness,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """What a source writes about some people in some homes.

    Args:
        identities: Who the people are.
        homes: Where they live.
        rows: Which rows of `homes` the source has.
        postcode: Postcode of each household.
        rates: What goes wrong how often.
        rng: Source of randomness.

    Returns:
        One row for each of `rows`: `person` and `household` (indexes, true), `since` (Date), and
        the identifiers as written, null where the source lacks them.
    """
    person = homes.person[rows]
    true = identities.table(person).with_columns(
        postcode=pl.Series(postcode[homes.household[rows]], dtype=pl.String)
    )
    where = pl.DataFrame(
        {"person": person, "household": homes.household[rows], "since": homes.since[rows]}
    )
    return where.hstack(misspelt(true, identities.maiden[person], rates, rng))
