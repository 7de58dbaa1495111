"""What happens in households: debt, benefits, care, illness, violence.

Each circumstance is drawn with odds that rise with deprivation and depend on tenure and
composition, so that the sources agree with each other as real ones do.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from folkmoot_rehearsal import rates
from folkmoot_rehearsal.codes import Composition, Role
from folkmoot_rehearsal.households import Households
from folkmoot_rehearsal.people import People
from folkmoot_rehearsal.rounding import Floats, Integers

Booleans = npt.NDArray[np.bool_]
Dates = npt.NDArray[np.datetime64]

_TENURE_TILT = np.array([-0.8, -0.2, 0.7, 0.4])
"""Added to the log odds of debt and benefits by tenure; assumed."""


@dataclass(frozen=True, slots=True)
class Circumstances:
    """True circumstances of households and people; arrays of shape (households,) unless said.

    Amounts are GBP to the penny; a date is NaT where the thing did not happen.

    Attributes:
        council_tax_arrears: Owed from past years.
        council_tax_support: Receives support.
        single_person_discount_from: Since when the discount is paid.
        universal_credit: Receives it.
        housing_benefit: Receives it.
        council_tenant: Rents from the council.
        rent_arrears: Owed by council tenants; 0 for others.
        tenancy_change: When a joint tenancy became sole.
        care: Care package of each person, index into `codes.CARE_PACKAGES`; (people,).
        shielded: On the shielded list; (people,).
        abuse_reports: Reports of domestic abuse in the last two years.
        abuse_last: Date of the last of them.
        children_services: A child is known to children's services.
    """

    council_tax_arrears: Floats
    council_tax_support: Booleans
    single_person_discount_from: Dates
    universal_credit: Booleans
    housing_benefit: Booleans
    council_tenant: Booleans
    rent_arrears: Floats
    tenancy_change: Dates
    care: Integers
    shielded: Booleans
    abuse_reports: Integers
    abuse_last: Dates
    children_services: Booleans


def draw(
    households: Households, people: People, today: datetime.date, rng: np.random.Generator
) -> Circumstances:
    """Draws the circumstances of given households on a given day."""
    n = len(households.size)
    composition, tenure = households.composition, households.tenure
    deprivation = households.deprivation.astype(np.float64)
    tilt = rates.DEPRIVATION_TILT * deprivation
    money = tilt + _TENURE_TILT[tenure]
    everyone = np.ones(n, dtype=np.bool_)

    oldest = _per_household(np.maximum, people.age, households)
    youngest = _per_household(np.minimum, people.age, households)
    adults = np.bincount(people.household[people.age >= 18], minlength=n)
    children = youngest < 18
    lone = np.isin(composition, (Composition.LONE_DEPENDENT, Composition.LONE_GROWN))
    renting = tenure >= 2
    all_older = youngest >= 66

    in_arrears = _happens(rates.COUNCIL_TAX_ARREARS, money - 1.2 * all_older, everyone, rng)
    arrears = _amounts(
        in_arrears, rates.COUNCIL_TAX_ARREARS_MEDIAN, rates.COUNCIL_TAX_ARREARS_SPREAD, rng
    )
    credit = _happens(rates.UNIVERSAL_CREDIT, money + 0.9 * lone, youngest < 66, rng)
    support = _happens(rates.COUNCIL_TAX_SUPPORT, money + 1.5 * credit + 0.3 * lone, everyone, rng)
    benefit = _happens(
        rates.HOUSING_BENEFIT_WORKING_AGE, tilt, renting & ~all_older & ~credit, rng
    ) | _happens(rates.HOUSING_BENEFIT_OLDER, tilt, renting & all_older, rng)

    council_tenant = (tenure == 2) & (rng.random(n) < rates.COUNCIL_LANDLORD)
    behind = _happens(
        rates.RENT_ARREARS, tilt + 0.8 * credit + 0.7 * in_arrears - all_older, council_tenant, rng
    )
    discount = (adults == 1) & (rng.random(n) < rates.SINGLE_PERSON_DISCOUNT_CLAIMED)
    parted = _happens(
        rates.TENANCY_TO_SOLE, 1.1 * lone + 0.2 * deprivation, renting & (adults == 1), rng
    )
    reported = _happens(
        rates.DOMESTIC_ABUSE, 0.3 * deprivation + 1.0 * lone + 0.5 * children + 0.4 * renting
        - 1.5 * all_older, everyone, rng,
    )  # fmt: skip
    known = _happens(rates.CHILDREN_SERVICES, tilt + 0.5 * lone + 1.2 * reported, children, rng)

    person_tilt = rates.DEPRIVATION_TILT * 0.6 * (deprivation[people.household] - 1)
    alone = (households.size == 1)[people.household]
    adult = people.role != Role.CHILD
    care_odds = person_tilt + 0.5 * alone
    has_care = adult & (
        rng.random(len(people.age)) < _tilted(_by_age(people.age, rates.CARE_BY_AGE), care_odds)
    )
    levels = rng.choice(np.arange(1, 4), size=len(people.age), p=rates.CARE_LEVELS)
    shielded = rng.random(len(people.age)) < _tilted(
        _by_age(people.age, rates.SHIELDED_BY_AGE), person_tilt + 0.8 * has_care
    )
    # A recent separation leaves a trace in the discount: it began when the tenancy changed.
    changed = _dates(parted, 3 * 365, today, rng)
    since = np.where(np.isnat(changed), _discount_dates(discount, oldest, today, rng), changed)
    return Circumstances(
        council_tax_arrears=arrears,
        council_tax_support=support,
        single_person_discount_from=np.where(discount, since, np.datetime64("NaT")),
        universal_credit=credit,
        housing_benefit=benefit,
        council_tenant=council_tenant,
        rent_arrears=_amounts(behind, rates.RENT_ARREARS_MEDIAN, rates.RENT_ARREARS_SPREAD, rng),
        tenancy_change=changed,
        care=np.where(has_care, levels, 0),
        shielded=shielded,
        abuse_reports=np.where(reported, rng.geometric(0.6, size=n), 0),
        abuse_last=_dates(reported, 2 * 365, today, rng),
        children_services=known,
    )


def _happens(rate: float, log_odds: Floats, among: Booleans, rng: np.random.Generator) -> Booleans:
    """Bernoulli draws among some households, with odds that vary and mean `rate`."""
    if not among.any():
        return np.zeros(len(among), dtype=np.bool_)
    low, high = -30.0, 30.0
    for _ in range(60):  # the intercept that gives the mean, by bisection
        middle = (low + high) / 2
        mean = (1 / (1 + np.exp(-(middle + log_odds[among])))).mean()
        low, high = (middle, high) if mean < rate else (low, middle)
    chance = 1 / (1 + np.exp(-(low + log_odds)))
    happens: Booleans = among & (rng.random(len(among)) < chance)
    return happens


def _tilted(rate: Floats, log_odds: Floats) -> Floats:
    tilted: Floats = 1 / (1 + np.exp(-(np.log(rate / (1 - rate)) + log_odds)))
    return tilted


def _by_age(age: Integers, steps: tuple[tuple[int, float], ...]) -> Floats:
    """The rate of the last step whose age has been reached; a tiny one before the first."""
    first = np.array([step[0] for step in steps])
    rate = np.array([1e-9] + [step[1] for step in steps])
    chosen: Floats = rate[np.searchsorted(first, age, side="right")]
    return chosen


def _amounts(owes: Booleans, median: float, spread: float, rng: np.random.Generator) -> Floats:
    drawn = median * np.exp(spread * rng.normal(size=len(owes)))
    return np.where(owes, np.round(np.clip(drawn, 5, 25_000), 2), 0.0)


def _dates(happened: Booleans, days: int, today: datetime.date, rng: np.random.Generator) -> Dates:
    back = rng.integers(1, days, size=len(happened))
    when = np.datetime64(today, "D") - back
    return np.where(happened, when, np.datetime64("NaT"))


def _discount_dates(
    discount: Booleans, oldest: Integers, today: datetime.date, rng: np.random.Generator
) -> Dates:
    """One adult alone for some years: longer for older people, a tenth within a year."""
    years = rng.exponential(np.where(oldest >= 66, 9.0, 5.0))
    days = np.clip(years * 365, 10, np.maximum(oldest - 17, 1) * 365).astype(np.int64)
    return np.where(discount, np.datetime64(today, "D") - days, np.datetime64("NaT"))


def _per_household(reduce: Any, values: Integers, households: Households) -> Integers:
    starts = np.cumsum(households.size) - households.size
    reduced: Integers = reduce.reduceat(values, starts)
    return reduced
