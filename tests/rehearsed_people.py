"""People of a synthetic council as two systems record them, and whose record is whose.

One system says where people live, with few errors; of some households it knows nothing. The
other holds records without a UPRN, with more errors, some of them about people of elsewhere.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass

import numpy as np
import polars as pl

from folkmoot_rehearsal import misspelling, sightings
from folkmoot_rehearsal.councils import region
from folkmoot_rehearsal.population import Population
from folkmoot_rehearsal.synthesis import Recipe, draw
from folkmoot_sdk.schema import Identifier

TODAY = datetime.date(2026, 11, 23)
NOT_RECORDED = 0.03
"""Share of households of which the first system knows nothing."""
DESCRIBED = 0.25
"""Share of people of whom the second system has a record."""
STRANGERS = 0.05
"""Households of elsewhere whose people it has too, for each household of the council."""
HOUSEHOLDS_A_POSTCODE = 16

COLUMNS = {
    "forename": Identifier.FORENAME.column,
    "surname": Identifier.SURNAME.column,
    "date_of_birth": Identifier.DATE_OF_BIRTH.column,
    "postcode": Identifier.POSTCODE.column,
    "nhs_number": Identifier.NHS_NUMBER.column,
}


@dataclass(frozen=True)
class RehearsedPeople:
    """Both systems' records.

    Attributes:
        known: `uprn`, `record_date`, `source`, identifiers; and `person`, the truth.
        records: `record`, identifiers; and `person`, -1 for people of elsewhere.
        truth: `record` and the `uprn` of each household in which its person lives and that
            the first system knows, several for a child of two households.
    """

    known: pl.DataFrame
    records: pl.DataFrame
    truth: pl.DataFrame


def rehearse(households: int, seed: int) -> RehearsedPeople:
    """Draws a council and what the two systems record."""
    rng = np.random.default_rng(seed)
    council = draw(region(1)[0], Recipe(households=households, seed=seed, today=TODAY))
    postcode = _postcodes(households, rng)
    people = council.identities
    homes = sightings.draw(council.people, council.birth, TODAY, rng)
    known_households = rng.random(households) >= NOT_RECORDED
    listed = np.flatnonzero(known_households[homes.household])
    known = sightings.listed(people, homes, listed, postcode, misspelling.CAREFUL, rng)
    first = np.arange(len(council.people.age))
    rows = rng.choice(first, size=int(len(first) * DESCRIBED), replace=False)
    ours = sightings.listed(people, homes, rows, postcode, misspelling.MIDDLING, rng)
    theirs = _strangers(int(households * STRANGERS), seed + 1, postcode, rng)
    records = pl.concat([ours, theirs]).sample(fraction=1.0, shuffle=True, seed=seed)
    lives = pl.DataFrame(
        {
            "person": homes.person,
            "uprn": council.uprn[homes.household],
            "known": known_households[homes.household] & homes.current,
        }
    ).filter("known")
    numbered = _issued(records).rename(COLUMNS).with_row_index("record").cast({"record": pl.Int64})
    return RehearsedPeople(
        known=_issued(known)
        .rename(COLUMNS)
        .select(
            "person",
            *COLUMNS.values(),
            uprn=pl.Series(council.uprn[known["household"].to_numpy()]),
            record_date=pl.col("since").cast(pl.Date),
            source=pl.lit(0),
        ),
        records=numbered.select("record", "person", *COLUMNS.values()),
        truth=numbered.select("record", "person").join(lives, on="person").select("record", "uprn"),
    )


def _issued(people: pl.DataFrame) -> pl.DataFrame:
    """With NHS numbers that are compared: the range kept for tests is nobody's.

    None from 900 on is issued either. The check digits are wrong, and no matter here.
    """
    return people.with_columns(pl.col("nhs_number").str.replace("^999", "998"))


def _strangers(
    households: int, seed: int, postcode: np.ndarray, rng: np.random.Generator
) -> pl.DataFrame:
    council: Population = draw(
        region(2)[1], Recipe(households=max(households, 200), seed=seed, today=TODAY)
    )
    people = council.identities
    homes = sightings.draw(council.people, council.birth, TODAY, rng)
    places = rng.choice(postcode, size=len(council.uprn))
    rows = np.arange(len(council.people.age))
    found = sightings.listed(people, homes, rows, places, misspelling.MIDDLING, rng)
    return found.with_columns(person=pl.lit(-1, pl.Int64))


def _postcodes(households: int, rng: np.random.Generator) -> np.ndarray:
    """Postcode of each household, in order of area as council tax numbers are."""
    number = max(1, households // HOUSEHOLDS_A_POSTCODE)
    letters = np.array(list("ABDEFGHJLNPQRSTUWXYZ"))
    codes = [
        f"BL{1 + at // 4000} {at // 400 % 10}{letters[at // 20 % 20]}{letters[at % 20]}"
        for at in range(number)
    ]
    return np.array(codes)[np.sort(rng.integers(0, number, size=households))]
