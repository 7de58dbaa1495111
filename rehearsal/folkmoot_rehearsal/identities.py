"""Who the people of a council are: names, dates of birth and NHS numbers, made up.

Every source describes the same person by the same identity; what goes wrong in a source is put
in by `misspelling`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from folkmoot_rehearsal.circumstances import Booleans, Dates
from folkmoot_rehearsal.codes import Role
from folkmoot_rehearsal.names import COMMUNITIES, TAIL, Community, Texts, chances
from folkmoot_rehearsal.people import People
from folkmoot_rehearsal.rounding import Integers

PARTNER_KEEPS_NAME = 0.30
"""Share of partners and older relatives who have a surname of their own; assumed."""
CHILD_HAS_OTHER_NAME = 0.12
"""Share of children with another surname than the first adult; assumed."""
NAMED_AFTER_PARENT = 0.02
"""Share of children with the forename of the first adult, as in John and John junior; assumed."""

_OWN_SURNAME = {
    Role.PARTNER: PARTNER_KEEPS_NAME,
    Role.YOUNGER_PARTNER: PARTNER_KEEPS_NAME,
    Role.PARENT: PARTNER_KEEPS_NAME,
    Role.OLDER_PARENT: PARTNER_KEEPS_NAME,
    Role.OLDER: PARTNER_KEEPS_NAME,
    Role.CHILD: CHILD_HAS_OTHER_NAME,
    Role.GROWN_CHILD: CHILD_HAS_OTHER_NAME,
    Role.SHARER: 0.9,
    Role.WORKING: 1.0,
}


@dataclass(frozen=True, slots=True)
class Identities:
    """Identifiers of each person, in the order of `People`.

    Attributes:
        forename: Forename.
        surname: Surname.
        maiden: Surname before marriage; the surname itself for the others.
        birth: Date of birth. Children of one household with the same age are twins.
        nhs_number: Ten digits with the right check digit, in the range kept for tests.
    """

    forename: Texts
    surname: Texts
    maiden: Texts
    birth: Dates
    nhs_number: Texts

    def table(self, rows: Integers) -> pl.DataFrame:
        """The identifiers of some people as a careful clerk would write them.

        Returns:
            One row for each person: columns `forename`, `surname`, `date_of_birth` (Date) and
            `nhs_number`, none null.
        """
        return pl.DataFrame(
            {
                "forename": self.forename[rows],
                "surname": self.surname[rows],
                "date_of_birth": self.birth[rows].astype("datetime64[D]"),
                "nhs_number": self.nhs_number[rows],
            }
        )


def draw(people: People, birth: Dates, rng: np.random.Generator) -> Identities:
    """Draws the identities of people.

    Args:
        people: The people, household by household.
        birth: Their dates of birth.
        rng: Source of randomness.
    """
    households = int(people.household.max()) + 1
    community = rng.choice(
        len(COMMUNITIES), size=households, p=[found.share for found in COMMUNITIES]
    )[people.household]
    n = len(people.age)
    forename = np.empty(n, dtype="<U32")
    own = np.empty(n, dtype="<U32")
    for number, names in enumerate(COMMUNITIES):
        mine = community == number
        own[mine] = _surnames(names, int(mine.sum()), rng)
        for chosen, sex in ((names.female, people.female), (names.male, ~people.female)):
            these = mine & sex
            forename[these] = rng.choice(chosen, size=int(these.sum()), p=chances(chosen))
    first = np.flatnonzero(people.position == 0)[people.household]
    keeps = rng.random(n) < np.array([_OWN_SURNAME[role] for role in Role])[people.role]
    surname = np.where(keeps | (people.position == 0), own, own[first])
    child = np.isin(people.role, (Role.CHILD, Role.GROWN_CHILD))
    namesake = child & (people.female == people.female[first])
    namesake &= rng.random(n) < NAMED_AFTER_PARENT
    forename = np.where(namesake, forename[first], forename)
    taken = people.female & (surname != own) & ~child
    maiden = np.where(taken, own, surname)
    twin = _same_age_as_the_one_before(people, child)
    born = birth.copy()
    for at in np.flatnonzero(twin):
        born[at] = born[at - 1]
    _tell_twins_apart(forename, twin, community, people.female, rng)
    return Identities(forename, surname, maiden, born, nhs_numbers(n, rng))


def _surnames(names: Community, size: int, rng: np.random.Generator) -> Texts:
    common = rng.choice(names.surnames, size=size, p=chances(names.surnames))
    rare = rng.choice(TAIL, size=size)
    return np.where(rng.random(size) < names.tail, rare, common)


def _same_age_as_the_one_before(people: People, child: Booleans) -> Booleans:
    twin = np.zeros(len(people.age), dtype=np.bool_)
    twin[1:] = (
        child[1:]
        & child[:-1]
        & (people.household[1:] == people.household[:-1])
        & (people.age[1:] == people.age[:-1])
        & (people.role[1:] == people.role[:-1])
    )
    return twin


def _tell_twins_apart(
    forename: Texts, twin: Booleans, community: Integers, female: Booleans, rng: np.random.Generator
) -> None:
    """Gives a twin another forename than the one before; a third child may share it."""
    for at in np.flatnonzero(twin):
        names = COMMUNITIES[community[at]]
        chosen = names.female if female[at] else names.male
        while forename[at] == forename[at - 1]:
            forename[at] = rng.choice(chosen, p=chances(chosen))


def nhs_numbers(size: int, rng: np.random.Generator) -> Texts:
    """NHS numbers of ten digits with valid check digits, in the 999 range kept for tests.

    That range has 909,091 numbers: they are distinct up to so many, and repeat beyond. The
    check digit is 11 less the remainder by 11 of the sum of the first nine digits weighted
    10 to 2; 11 becomes 0, and numbers for which it is 10 are not issued. Source: NHS Data
    Dictionary, NHS Number.

    Returns:
        Text, shape (size,), none empty.
    """
    serial = 999_000_000 + rng.permutation(1_000_000)
    # One in eleven is not issued: of so many enough are left, unless the range is used up.
    issued = _issued(serial[: size + size // 5 + 100])
    if len(issued) < size:
        issued = _issued(serial)
    numbers: Texts = np.resize(issued, size).astype(np.str_)
    return numbers


def _issued(serial: Integers) -> Integers:
    """The numbers of ten digits that begin with these nine, without those not issued."""
    digits = serial[:, None] // 10 ** np.arange(8, -1, -1) % 10
    check = (11 - digits @ np.arange(10, 1, -1) % 11) % 11
    numbers: Integers = (serial * 10 + check)[check != 10]
    return numbers
