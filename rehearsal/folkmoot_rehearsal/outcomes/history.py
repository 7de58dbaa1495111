"""When the circumstances of households began, so that a past day has fewer than today."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from folkmoot_rehearsal.circumstances import Booleans, Dates
from folkmoot_rehearsal.population import Population
from folkmoot_rehearsal.rounding import Integers

LATELY = 0.5
"""Share of circumstances that began in the last `DAYS`; assumed."""
DAYS = 730
_BEFORE = 1000.0
"""Mean number of days by which the others began earlier; assumed."""
ONSETS = (
    "arrears",
    "support",
    "universal_credit",
    "housing_benefit",
    "rent_arrears",
    "discount",
    "tenancy_change",
    "children_services",
    "care",
    "shielded",
)
"""Circumstances that begin once and stay."""


@dataclass(frozen=True, slots=True)
class History:
    """When things began; nothing that has begun ends, but for what fades with time.

    Attributes:
        opened: When each household's council tax account was opened: datetime64[D], shape
            (households,). There is no household before.
        since: By name in `ONSETS`: datetime64[D], shape (households,), not before `opened`, NaT
            where it never was.
        report_of: Household of each report of domestic abuse: int64, shape (reports,).
        reported: Its day: datetime64[D], shape (reports,).
    """

    opened: Dates
    since: Mapping[str, Dates]
    report_of: Integers
    reported: Dates


def draw(population: Population, rng: np.random.Generator) -> History:
    """Draws when a council's circumstances began; on its day all of them have."""
    known, people = population.circumstances, population.people
    n = len(population.uprn)
    today = np.datetime64(population.today, "D")
    starts = np.cumsum(population.households.size) - population.households.size
    # The first rows of `homes` are the people themselves, in the homes where they live.
    opened = np.minimum.reduceat(population.homes.since[: len(people.age)], starts)
    began = {
        "arrears": known.council_tax_arrears > 0,
        "support": known.council_tax_support,
        "universal_credit": known.universal_credit,
        "housing_benefit": known.housing_benefit,
        "rent_arrears": known.rent_arrears > 0,
        "children_services": known.children_services,
        "care": np.maximum.reduceat(known.care, starts) > 0,
        "shielded": np.maximum.reduceat(known.shielded, starts) > 0,
    }
    since = {name: _began(has, opened, today, rng) for name, has in began.items()}
    # These have their days already; some of those are before the account that they are noted in.
    for name, day in (
        ("discount", known.single_person_discount_from),
        ("tenancy_change", known.tenancy_change),
    ):
        since[name] = np.where(np.isnat(day), day, np.maximum(day, opened))
    report_of = np.repeat(np.arange(n), known.abuse_reports)
    last = known.abuse_last[report_of]
    first = np.maximum(today - DAYS, opened[report_of])
    span = np.maximum((last - first).astype(np.int64), 0)
    back = rng.integers(0, span + 1)
    # The last report of each is the one whose day is known.
    final = np.diff(report_of, append=-1) != 0
    return History(opened, since, report_of, last - np.where(final, 0, back))


def _began(has: Booleans, opened: Dates, today: np.datetime64, rng: np.random.Generator) -> Dates:
    n = len(has)
    lately = rng.random(n) < LATELY
    back = np.where(
        lately,
        rng.integers(1, DAYS, size=n),
        DAYS + rng.exponential(_BEFORE, size=n).astype(np.int64),
    )
    return np.where(has, np.maximum(today - back, opened), np.datetime64("NaT"))
