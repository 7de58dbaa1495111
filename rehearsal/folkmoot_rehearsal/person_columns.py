"""The columns by which sources of people say who somebody is."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from folkmoot_rehearsal.misspelling import CAREFUL, Carelessness, misspelt
from folkmoot_rehearsal.names import Texts
from folkmoot_rehearsal.population import Population
from folkmoot_rehearsal.rounding import Integers

INDEX = replace(CAREFUL, date_typed=0, date_swapped=0, first_of_january=0, no_date=0)
"""The residents index: dates of birth are right, from which ages are computed; some are missing
for another reason (`disorder.BLANK`)."""


def described(
    population: Population,
    people: Integers,
    postcode: Texts,
    rates: Carelessness,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """What a source writes about some people.

    Args:
        population: The council.
        people: Indexes of the people, one for each row.
        postcode: Postcode of the home in each row.
        rates: What goes wrong how often.
        rng: Source of randomness.

    Returns:
        One row for each: columns `forename`, `surname`, `date_of_birth` (Date), `nhs_number`,
        `postcode`, null where the source lacks the value.
    """
    identities = population.identities
    true = identities.table(people).with_columns(postcode=pl.Series(postcode, dtype=pl.String))
    return misspelt(true, identities.maiden[people], rates, rng)


def postcodes(population: Population) -> Texts:
    """Postcode of each household: text, shape (households,), none empty."""
    return np.array([home.postcode for home in population.addresses], dtype=np.str_)
