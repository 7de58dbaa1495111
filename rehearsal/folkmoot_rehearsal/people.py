"""Draws the people of given households: their parts, ages and sexes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from folkmoot_rehearsal import shares
from folkmoot_rehearsal.codes import MAXIMUM_SIZE, Composition, Role
from folkmoot_rehearsal.households import Households
from folkmoot_rehearsal.raking import rake
from folkmoot_rehearsal.rounding import Floats, Integers, controlled

OLDEST = 104
"""Oldest age drawn, years."""
YOUNGEST_PARENT = 16
"""Least difference in age between a parent and an own child, years."""

_AGES = np.arange(OLDEST + 1)
_BAND = np.minimum(_AGES // 5, len(shares.AGE_BANDS) - 1)


def _shape(first: int, last: int, mean: float, spread: float) -> Floats:
    """Relative frequency of each age: normal, cut to `first` to `last` inclusive."""
    density = np.exp(-0.5 * ((_AGES - mean) / spread) ** 2)
    return np.where(np.isin(_AGES, np.arange(first, last + 1)), density, 0.0)


# Assumed; raked to the council's ages. The limits follow from the census's definitions.
_AGES_OF_ROLE = np.stack(
    [
        {
            Role.OLDER: _shape(66, OLDEST, 72, 9),
            Role.WORKING: _shape(18, 65, 46, 16),
            Role.PARTNER: _shape(18, OLDEST, 50, 18),
            Role.PARENT: _shape(18, 62, 39, 8.5),
            Role.OLDER_PARENT: _shape(37, 95, 60, 9),
            Role.CHILD: _shape(0, 18, 9, 9),
            Role.GROWN_CHILD: _shape(18, 60, 22, 7),
            Role.SHARER: _shape(18, 90, 25, 16),
            Role.YOUNGER_PARTNER: _shape(18, 65, 44, 16),
        }[role]
        for role in Role
    ]
)


def _role_table() -> Integers:
    """Role by composition and position in the household; shape (14, 8)."""
    table = np.full((len(Composition), MAXIMUM_SIZE), int(Role.SHARER), dtype=np.int64)
    table[Composition.ONE_66_OVER] = Role.OLDER
    table[Composition.FAMILY_66_OVER] = Role.OLDER
    table[Composition.ONE_OTHER] = Role.WORKING
    for couple in (Composition.MARRIED_NO_CHILDREN, Composition.COHABITING_NO_CHILDREN):
        table[couple, 0], table[couple, 1] = Role.YOUNGER_PARTNER, Role.PARTNER
    for couple in (Composition.MARRIED_DEPENDENT, Composition.COHABITING_DEPENDENT):
        table[couple, :2], table[couple, 2:] = Role.PARENT, Role.CHILD
    for couple in (Composition.MARRIED_GROWN, Composition.COHABITING_GROWN):
        table[couple, :2], table[couple, 2:] = Role.OLDER_PARENT, Role.GROWN_CHILD
    table[Composition.LONE_DEPENDENT, 0] = Role.PARENT
    table[Composition.LONE_DEPENDENT, 1:] = Role.CHILD
    table[Composition.LONE_GROWN, 0] = Role.OLDER_PARENT
    table[Composition.LONE_GROWN, 1:] = Role.GROWN_CHILD
    # The households of several families: two adults and a child, then in turn.
    table[Composition.OTHER_DEPENDENT, 2::2] = Role.CHILD
    return table


_ROLES = _role_table()
_FEMALE_SHARE = {
    # Census 2021: two thirds of those 66 or over who live alone, and 85 % of lone parents.
    Composition.ONE_66_OVER: 0.65,
    Composition.ONE_OTHER: 0.42,
    Composition.LONE_DEPENDENT: 0.87,
    Composition.LONE_GROWN: 0.83,
}
_COUPLES = (
    Composition.FAMILY_66_OVER,
    Composition.MARRIED_NO_CHILDREN,
    Composition.MARRIED_DEPENDENT,
    Composition.MARRIED_GROWN,
    Composition.COHABITING_NO_CHILDREN,
    Composition.COHABITING_DEPENDENT,
    Composition.COHABITING_GROWN,
)
_SAME_SEX = 0.02
"""Share of couples of one sex; Census 2021, England and Wales, about 1.7 %."""


@dataclass(frozen=True, slots=True)
class People:
    """People of one council, one entry each, household by household.

    Attributes:
        household: Index of the household; int64 of shape (n,), like all below.
        position: Place in the household, from 0.
        role: Value of `codes.Role`.
        age: Whole years, 0 to `OLDEST`.
        female: True for women and girls; bool.
    """

    household: Integers
    position: Integers
    role: Integers
    age: Integers
    female: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]


def draw(households: Households, age: Floats, rng: np.random.Generator) -> People:
    """Draws the people of given households.

    Args:
        households: The households.
        age: Weights by band of `shares.AGE_BANDS`; the people's ages are raked to them as
            far as the parts they play allow.
        rng: Source of randomness.
    """
    n = len(households.size)
    household = np.repeat(np.arange(n), households.size)
    start = np.cumsum(households.size) - households.size
    position = np.arange(len(household)) - start[household]
    composition = households.composition[household]
    role = _ROLES[composition, position]

    last = position == households.size[household] - 1
    child = last & (composition == Composition.OTHER_DEPENDENT)
    role[child] = Role.CHILD
    # A third or later child of a family with dependent children may have grown up.
    later = (role == Role.CHILD) & (position >= 3) & ~last
    role[later & (rng.random(len(role)) < 0.15)] = Role.GROWN_CHILD

    ages = _ages(household, role, age, n, rng)
    _respect_generations(ages, household, role, composition, start, rng)
    return People(household, position, role, ages, _sexes(composition, position, rng))


def _ages(
    household: Integers, role: Integers, age: Floats, households: int, rng: np.random.Generator
) -> Integers:
    """Ages that match the margins of role (exactly) and of five-year band (nearly).

    Who of a role has which age goes by rank of a number that people of one household
    share in part, so couples are near in age and older parents have older children.
    """
    counts = np.bincount(role, minlength=len(Role)).astype(np.float64)
    bands = len(shares.AGE_BANDS)
    seed = np.stack([_AGES_OF_ROLE[:, band == _BAND].sum(axis=1) for band in range(bands)], axis=1)
    seed *= (counts / seed.sum(axis=1))[:, None]
    target = age / age.sum() * counts.sum()
    table = controlled(rake(seed, [((1,), target), ((0,), counts)]))

    generation = rng.normal(size=households)
    rank = generation[household] + rng.normal(scale=0.35, size=len(household))
    ages = np.empty(len(household), dtype=np.int64)
    for part in Role:
        members = np.flatnonzero(role == part)
        drawn = [_within(band, table[part, band], part, rng) for band in range(bands)]
        ages[members[np.argsort(rank[members])]] = np.sort(np.concatenate(drawn))
    return ages


def _within(band: int, size: int, part: Role, rng: np.random.Generator) -> Integers:
    """Ages within one band, as frequent as the part played makes them."""
    if not size:
        return np.empty(0, dtype=np.int64)
    density = _AGES_OF_ROLE[part] * (band == _BAND)
    drawn: Integers = rng.choice(_AGES, size=size, p=density / density.sum())
    return drawn


def _respect_generations(
    ages: Integers,
    household: Integers,
    role: Integers,
    composition: Integers,
    start: Integers,
    rng: np.random.Generator,
) -> None:
    """Swaps ages among people of one role until few children are too old for a parent."""
    families = ~np.isin(composition, (Composition.OTHER_DEPENDENT, Composition.OTHER))
    offspring = families & np.isin(role, (Role.CHILD, Role.GROWN_CHILD))
    first = start[household]
    follower = np.minimum(first + 1, len(role) - 1)
    couple = (household[follower] == household) & (role[follower] == role[first])
    second = np.where(couple, follower, first)

    def limit(of: Integers | slice) -> Integers:
        """Oldest age that a child can have, given the parents."""
        return np.minimum(ages[first[of]], ages[second[of]]) - YOUNGEST_PARENT

    for _ in range(40):
        wrong = np.flatnonzero(offspring & (ages > limit(slice(None))))
        if not len(wrong):
            return
        for part in (Role.CHILD, Role.GROWN_CHILD):
            mine = wrong[role[wrong] == part]
            others = np.flatnonzero(offspring & (role == part))
            mine = rng.permutation(mine)[: len(others)]
            theirs = rng.choice(others, size=len(mine), replace=False)
            keep = ~np.isin(theirs, mine)
            mine, theirs = mine[keep], theirs[keep]
            good = (ages[theirs] <= limit(mine)) & (ages[mine] <= limit(theirs))
            mine, theirs = mine[good], theirs[good]
            ages[mine], ages[theirs] = ages[theirs], ages[mine]


def _sexes(
    composition: Integers, position: Integers, rng: np.random.Generator
) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    share = np.full(len(composition), 0.5)
    for code, value in _FEMALE_SHARE.items():
        share[(composition == code) & (position == 0)] = value
    female = rng.random(len(composition)) < share
    second = np.flatnonzero(np.isin(composition, _COUPLES) & (position == 1))
    alike = rng.random(len(second)) < _SAME_SEX
    female[second] = np.where(alike, female[second - 1], ~female[second - 1])
    return female
