"""Notices of deaths, as a council gets them from the registrar (*Tell Us Once*)."""

from __future__ import annotations

import numpy as np
import polars as pl

from folkmoot_rehearsal import rates
from folkmoot_rehearsal.population import Population


def notices(population: Population, rng: np.random.Generator) -> pl.DataFrame:
    """Makes one notice for each resident who has died lately, and a few that were withdrawn.

    Returns:
        One row for each, at least one: columns `NoticeReference`, `UPRN`, `DateOfDeath`
        (dd/mm/yyyy) and `Status`, texts that are never null.
    """
    dead = np.flatnonzero(~np.isnat(population.died))
    wrong = max(1, round(len(dead) * rates.DEATHS_WITHDRAWN))
    home = population.people.household[dead]
    back = rng.integers(1, rates.DEATHS_DAYS + 1, size=wrong)
    days = np.concatenate([population.died[dead], np.datetime64(population.today, "D") - back])
    uprn = np.concatenate([population.uprn[home], rng.choice(population.uprn, size=wrong)])
    reference = 500_000 + rng.permutation(len(uprn))
    return pl.DataFrame(
        {
            "NoticeReference": [f"TUO{number}" for number in reference],
            "UPRN": uprn.astype(str),
            "DateOfDeath": pl.Series(days, dtype=pl.Date).dt.strftime("%d/%m/%Y"),
            "Status": np.repeat(["CONFIRMED", "WITHDRAWN"], [len(dead), wrong]),
        }
    )
