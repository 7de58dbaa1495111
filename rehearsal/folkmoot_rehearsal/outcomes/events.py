"""Which outcomes happen to which households, which are recorded, and the chance of each."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
import polars as pl

from folkmoot_rehearsal.circumstances import Booleans, Dates
from folkmoot_rehearsal.outcomes import history as histories
from folkmoot_rehearsal.outcomes import mechanism as rules
from folkmoot_rehearsal.outcomes.history import History
from folkmoot_rehearsal.outcomes.mechanism import Mechanism
from folkmoot_rehearsal.outcomes.severities import severities
from folkmoot_rehearsal.population import Population
from folkmoot_rehearsal.rounding import Floats, Integers


@dataclass(frozen=True, slots=True)
class Events:
    """What happened to the households of a council; one entry for each event.

    Attributes:
        outcome: Index into the mechanism's outcomes: int64, shape (events,), like all below.
        household: Index of the household.
        day: When it happened: datetime64[D].
        noted: When a system wrote it down: datetime64[D]; NaT if none ever did.
    """

    outcome: Integers
    household: Integers
    day: Dates
    noted: Dates


@dataclass(frozen=True, slots=True)
class Lived:
    """Two years of a council.

    Attributes:
        mechanism: How all of it came about.
        history: When circumstances began.
        group: Index into `mechanism.GROUPS` of each household: int64, shape (households,).
        left: When a household was observed no more: datetime64[D], shape (households,), or NaT.
        by_death: Whether because its only member died: bool, shape (households,).
        edges: Where months begin and end: datetime64[D], shape (months + 1,).
        hazard: Mean number of events in a month of each outcome, had the household been there:
            float64, shape (outcomes, months, households).
        events: What happened.
    """

    mechanism: Mechanism
    history: History
    group: Integers
    left: Dates
    by_death: Booleans
    edges: Dates
    hazard: Floats
    events: Events

    def chance(self, outcome: str, date: datetime.date, months: int) -> Floats:
        """How likely a first recorded event is within a horizon, for each household.

        Args:
            outcome: Name of the outcome.
            date: First day of a month; so that horizons are sums of hazards.
            months: The horizon.

        Returns:
            float64, shape (households,), 0 to 1, none missing: as if it was there throughout.
        """
        at = [entry.name for entry in self.mechanism.outcomes].index(outcome)
        first = int(np.flatnonzero(self.edges == np.datetime64(date, "D"))[0])
        if first + months >= len(self.edges):
            raise ValueError("the horizon ends after the last month")
        happens = -np.expm1(-self.hazard[at, first : first + months])
        recorded = _recorded(self.mechanism)[self.group]
        chance: Floats = 1 - np.prod(1 - happens * recorded, axis=0)
        return chance

    def table(self, population: Population) -> pl.DataFrame:
        """The truth: one row for each event, by day.

        Returns:
            Columns `uprn` (Int64), `outcome` (String), `day` (Date), and `noted` (Date), which is
            null where no system heard of it.
        """
        happened = self.events
        names = np.array([entry.name for entry in self.mechanism.outcomes])
        return pl.DataFrame(
            {
                "uprn": population.uprn[happened.household],
                "outcome": names[happened.outcome],
                "day": happened.day,
                "noted": happened.noted,
            }
        ).sort("day", "uprn", "outcome")


def draw(population: Population, mechanism: Mechanism, rng: np.random.Generator) -> Lived:
    """Draws two years of a council."""
    n = len(population.uprn)
    history = histories.draw(population, rng)
    group = rng.choice(len(rules.GROUPS), size=n, p=rules.GROUP_SHARES)
    unseen = rng.normal(size=n)
    edges = month_edges(population.today)
    left, by_death = _leavers(population, history, edges, rng)
    hazard = np.stack(
        [_hazards(population, history, unseen, edges, entry) for entry in mechanism.outcomes]
    )
    happened: list[tuple[Integers, Integers, Dates]] = []
    for at, of_outcome in enumerate(hazard):
        for month, mean in enumerate(of_outcome):
            who = np.flatnonzero(rng.random(n) < -np.expm1(-mean))
            length = int((edges[month + 1] - edges[month]).astype(np.int64))
            day = edges[month] + rng.integers(1, length + 1, size=len(who))
            there = (history.opened[who] <= day) & ~(left[who] <= day)
            happened.append((np.full(there.sum(), at), who[there], day[there]))
    outcome = np.concatenate([part[0] for part in happened])
    household = np.concatenate([part[1] for part in happened])
    day = np.concatenate([part[2] for part in happened])
    heard = rng.random(len(day)) < _recorded(mechanism)[group[household]]
    written: Dates = day + rng.integers(0, rules.DELAY + 1, size=len(day)).astype("timedelta64[D]")
    events = Events(outcome, household, day, np.where(heard, written, np.datetime64("NaT")))
    return Lived(mechanism, history, group, left, by_death, edges, hazard, events)


def month_edges(today: datetime.date) -> Dates:
    """Where months begin: the first days of the last `mechanism.MONTHS` whole ones, then today.

    Events happen after an edge and up to the next, as horizons count: after a date, and on their
    last day.

    Returns:
        Days, dtype datetime64[D], shape (months + 1,), ascending, never null.
    """
    this = np.datetime64(today, "M")
    firsts = (this - np.arange(rules.MONTHS, -1, -1)).astype("datetime64[D]")
    day = np.datetime64(today, "D")
    edges: Dates = np.append(firsts, day) if day > firsts[-1] else firsts
    return edges


def _hazards(
    population: Population, history: History, unseen: Floats, edges: Dates, entry: rules.Outcome
) -> Floats:
    """Shape (months, households)."""
    logs = np.zeros((len(edges) - 1, len(unseen)))
    for month, day in enumerate(edges[:-1]):
        found = severities(population, history, unseen, day)
        for name, effect in entry.effects.items():
            logs[month] += effect * found[name]
    relative = np.exp(logs)
    part = np.diff(edges).astype(np.float64) / 365.25
    hazard: Floats = entry.yearly * part[:, None] * relative / relative.mean()
    return hazard


def _leavers(
    population: Population, history: History, edges: Dates, rng: np.random.Generator
) -> tuple[Dates, Booleans]:
    n = len(population.uprn)
    days = int((edges[-1] - edges[0]).astype(np.int64))
    day = edges[0] + rng.integers(1, days + 1, size=n)
    leaves = (rng.random(n) < rules.LEAVE_YEARLY * days / 365.25) & (day > history.opened)
    starts = np.cumsum(population.households.size) - population.households.size
    oldest = np.maximum.reduceat(population.people.age, starts)
    dies = (population.households.size == 1) & (oldest >= 75) & (rng.random(n) < 0.7)
    return np.where(leaves, day, np.datetime64("NaT")), leaves & dies


def _recorded(mechanism: Mechanism) -> Floats:
    return np.array([mechanism.recorded[name] for name in rules.GROUPS])
