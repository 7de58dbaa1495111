"""The true population of one synthetic council."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from folkmoot_rehearsal import (
    addresses,
    circumstances,
    deaths,
    disorder,
    households,
    identities,
    people,
    sightings,
    worked_example,
)
from folkmoot_rehearsal.addresses import Address
from folkmoot_rehearsal.circumstances import Circumstances, Dates
from folkmoot_rehearsal.codes import HOUSEHOLD_TYPE_OF, HOUSEHOLD_TYPES, TENURES, Composition
from folkmoot_rehearsal.councils import Council
from folkmoot_rehearsal.households import Households
from folkmoot_rehearsal.identities import Identities
from folkmoot_rehearsal.margins import Margins
from folkmoot_rehearsal.people import People
from folkmoot_rehearsal.rounding import Integers
from folkmoot_rehearsal.sightings import Homes

_FIRST_UPRN = 700_000_000_000
"""Twelve digits; real numbers begin with 1, 2 or 9, or are shorter."""
ROUNDED = 100_000
"""Nodes take a UPRN that is a multiple of this for one that a spreadsheet has rounded."""
_UPRNS_PER_COUNCIL = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Population:
    """One synthetic council and all that is true of it.

    Attributes:
        council: Whose residents these are.
        today: Day on which they are described.
        margins: What the households add up to.
        households: The households.
        people: Their members.
        circumstances: What happens in them.
        uprn: Unique property reference number of each household; int64, distinct.
        addresses: Its address.
        birth: Date of birth of each person.
        person: Reference of each person in the council's index; int64, distinct.
        identities: Who each person is.
        homes: Where people live, and lived before.
        died: When each person has died; NaT for the living. All else is as records have it,
            which do not know of these deaths.
    """

    council: Council
    today: datetime.date
    margins: Margins
    households: Households
    people: People
    circumstances: Circumstances
    uprn: Integers
    addresses: list[Address]
    birth: Dates
    person: Integers
    identities: Identities
    homes: Homes
    died: Dates

    def household_table(self) -> pl.DataFrame:
        """The truth: one row for each household, with columns of codes spelt out.

        Dates are null where the thing did not happen. `people`, `oldest_age` and `youngest_age`
        count the `deaths` as well; `debt_older_alone` (Boolean) does not, see `worked_example`.
        """
        drawn, known = self.households, self.circumstances
        area = drawn.area
        starts = np.cumsum(drawn.size) - drawn.size
        return pl.DataFrame(
            {
                "council": np.repeat(str(self.council.code), len(area)),
                "uprn": self.uprn,
                "address": [home.in_gazetteer for home in self.addresses],
                "postcode": [home.postcode for home in self.addresses],
                "lsoa": np.array(self.margins.lsoas)[area],
                "ward": np.array(self.margins.wards)[area],
                "tenure": np.array(TENURES)[drawn.tenure],
                "household_type": np.array(HOUSEHOLD_TYPES)[
                    np.array(HOUSEHOLD_TYPE_OF)[drawn.composition]
                ],
                "composition": np.array([c.name.lower() for c in Composition])[drawn.composition],
                "deprivation_dimensions": drawn.deprivation,
                "people": drawn.size,
                "oldest_age": np.maximum.reduceat(self.people.age, starts),
                "youngest_age": np.minimum.reduceat(self.people.age, starts),
                "council_tax_arrears": known.council_tax_arrears,
                "council_tax_support": known.council_tax_support,
                "single_person_discount_from": known.single_person_discount_from,
                "universal_credit": known.universal_credit,
                "housing_benefit": known.housing_benefit,
                "council_tenant": known.council_tenant,
                "rent_arrears": known.rent_arrears,
                "tenancy_change_date": known.tenancy_change,
                "care_package": np.maximum.reduceat(known.care, starts),
                "shielded": np.maximum.reduceat(known.shielded, starts),
                "domestic_abuse_reports": known.abuse_reports,
                "domestic_abuse_last_report": known.abuse_last,
                "children_services": known.children_services,
                "deaths": deaths.by_household(self.people, self.died, len(area)),
                "debt_older_alone": worked_example.belongs(
                    known.council_tax_arrears, self.people, self.died
                ),
            }
        )

    def people_table(self) -> pl.DataFrame:
        """The truth: one row for each person; only `died` (Date) is null, for the living."""
        return pl.DataFrame(
            {
                "person": self.person,
                "uprn": self.uprn[self.people.household],
                "age": self.people.age,
                "birth": self.birth,
                "female": self.people.female,
                "care_package": self.circumstances.care,
                "shielded": self.circumstances.shielded,
                "forename": self.identities.forename,
                "surname": self.identities.surname,
                "former_surname": self.identities.maiden,
                "nhs_number": self.identities.nhs_number,
                "died": self.died,
            }
        )

    def homes_table(self) -> pl.DataFrame:
        """The truth of who lives where: one row for each person and home.

        Columns are `person`, `uprn`, `since` (Date) and `current` (Boolean), never null.
        """
        homes = self.homes
        return pl.DataFrame(
            {
                "person": self.person[homes.person],
                "uprn": self.uprn[homes.household],
                "since": homes.since,
                "current": homes.current,
            }
        )


def draw(
    council: Council, margins: Margins, today: datetime.date, rng: np.random.Generator
) -> Population:
    """Draws the population of a council.

    The same council, margins, day and state of `rng` give the same population.
    """
    streets, lately = rng.spawn(2)
    drawn = households.draw(margins, rng)
    members = people.draw(drawn, margins.age, rng)
    n, persons = len(drawn.size), len(members.age)
    uprn = without_rounded(rng.choice(n * 20, size=n, replace=False)) + (
        _FIRST_UPRN + council.index * _UPRNS_PER_COUNCIL
    )
    known = circumstances.draw(drawn, members, today, rng)
    born = _births(members.age, today, rng)
    person = rng.choice(persons * 5, size=persons, replace=False) + 1_000_000
    named = identities.draw(members, born, rng)
    return Population(
        council=council,
        today=today,
        margins=margins,
        households=drawn,
        people=members,
        circumstances=known,
        uprn=uprn.astype(np.int64),
        addresses=addresses.draw(n, streets),
        birth=named.birth,
        person=person.astype(np.int64),
        identities=named,
        homes=sightings.draw(members, named.birth, today, rng, disorder.MOVED),
        died=deaths.draw(members, today, lately),
    )


def _births(age: Integers, today: datetime.date, rng: np.random.Generator) -> Dates:
    """Dates of birth of people who are `age` whole years old on the day given."""
    # 28 stands for the days that not every month has, so that no date falls outside.
    day = min(today.day, 28) - 1
    month = np.datetime64(today, "M") - 12 * age
    birthday = month.astype("datetime64[D]") + day
    births: Dates = birthday - rng.integers(0, 365, size=len(age)).astype("timedelta64[D]")
    return births


def without_rounded(numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Different numbers, none of which ends in 00000: nodes take such a UPRN for a rounded one.

    Args:
        numbers: Different numbers from 0, int64, shape (numbers,), none missing.

    Returns:
        The same, of the same shape, but for those that end so: these are larger than all others.
    """
    kept = numbers.copy()
    places = np.flatnonzero(numbers % ROUNDED == 0)
    kept[places] = numbers.max() // ROUNDED * ROUNDED + ROUNDED + 1 + np.arange(len(places))
    return kept
