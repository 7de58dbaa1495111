"""Decides whose record it is, and in which households it counts.

The rules are stated in docs/linkage.md. Everything here is a function over frames of candidates;
nothing compares identifiers.
"""

from __future__ import annotations

import math

import polars as pl

from folkmoot_node.linkage.person_matcher import PERSONA, RECORD, WEIGHT
from folkmoot_node.settings.people import SeveralHouseholds
from folkmoot_sdk.schema import DATE_COLUMN, UPRN_COLUMN

PERSON = "person"
"""Who the candidates of one record are: the least of the personas that are one person."""
MAY_LINK = "may_link"
PROBABILITY = "probability"
SOURCE = "source"
"""Place of a source in the settings, from 0: the first is believed first."""
OTHER = f"{PERSONA}_other"
"""The second persona of a pair."""


def bits(probability: float) -> float:
    """The match weight that stands for a probability: log2 of the odds."""
    return math.log2(probability / (1 - probability))


def who(candidates: pl.DataFrame, same: pl.DataFrame, alike: pl.DataFrame) -> pl.DataFrame:
    """Finds out which candidates of a record are the same person.

    Args:
        candidates: `RECORD`, `PERSONA` and more.
        same: Pairs of personas that are one person, `PERSONA` and `OTHER`, both ways.
        alike: Pairs of a `PERSONA` without a forename, or with an initial, and an `OTHER`
            with one, who may be one person. The former is taken for a person among the
            candidates if it may be only that one.

    Returns:
        The rows of the candidates, with the column `PERSON` (never null): the same number for
        the same person.
    """
    named = _smallest(candidates.select(RECORD, PERSONA), same)
    only = (
        named.select(RECORD, PERSONA)
        .join(alike, on=PERSONA)
        .join(named.rename({PERSONA: OTHER}), on=[RECORD, OTHER])
        .group_by(RECORD, PERSONA)
        .agg(pl.col(PERSON).n_unique().alias("persons"), pl.col(PERSON).min().alias("is"))
        .filter(pl.col("persons") == 1)
    )
    settled = named.join(only, on=[RECORD, PERSONA], how="left").select(
        RECORD, PERSONA, pl.coalesce("is", PERSON).alias(PERSON)
    )
    return candidates.join(settled, on=[RECORD, PERSONA], maintain_order="left")


def _smallest(nodes: pl.DataFrame, edges: pl.DataFrame) -> pl.DataFrame:
    """Connected components among the candidates of each record, named by their smallest member."""
    near = nodes.join(edges, on=PERSONA).join(
        nodes.rename({PERSONA: OTHER}), on=[RECORD, OTHER], how="semi"
    )
    named = nodes.with_columns(pl.col(PERSONA).alias(PERSON))
    while True:
        offered = (
            near.join(named.rename({PERSONA: OTHER}), on=[RECORD, OTHER])
            .group_by(RECORD, PERSONA)
            .agg(pl.col(PERSON).min().alias("offered"))
        )
        step = named.join(offered, on=[RECORD, PERSONA], how="left", maintain_order="left").select(
            RECORD, PERSONA, pl.min_horizontal(PERSON, "offered").alias(PERSON)
        )
        if step[PERSON].equals(named[PERSON]):
            return named
        named = step


def weighed(candidates: pl.DataFrame) -> pl.DataFrame:
    """How probable each person among a record's candidates is, the others considered.

    The odds of a person are those of the best pair; what is left over is that the record is
    about nobody known.

    Args:
        candidates: `RECORD`, `PERSONA`, `PERSON`, `WEIGHT`, `MAY_LINK`.

    Returns:
        One row for each person of each record: columns `RECORD`, `PERSON`, `MAY_LINK` (Boolean,
        whether any pair may), `PROBABILITY` (Float64, from 0 to 1). None is null.
    """
    persons = candidates.group_by(RECORD, PERSON).agg(pl.col(WEIGHT).max(), pl.col(MAY_LINK).any())
    # In terms of the best, as 2 to the weight may be too large a number.
    best = pl.max_horizontal(pl.col(WEIGHT).max().over(RECORD), 0.0)
    odds = (pl.lit(2.0).pow(pl.col(WEIGHT) - best)).alias("odds")
    nobody = pl.lit(2.0).pow(-best).alias("nobody")
    persons = persons.sort(RECORD, PERSON).with_columns(odds, nobody)
    total = pl.col("odds").sum().over(RECORD) + pl.col("nobody")
    return persons.select(RECORD, PERSON, MAY_LINK, (pl.col("odds") / total).alias(PROBABILITY))


def homes(
    people: pl.DataFrame, sightings: pl.DataFrame, several: SeveralHouseholds
) -> pl.DataFrame:
    """The households of people: those that the latest record says.

    Args:
        people: `RECORD`, `PERSON`, and the `PERSONA`s of that person.
        sightings: Where a persona is recorded: `PERSONA`, `UPRN_COLUMN`, `SOURCE`,
            `DATE_COLUMN` (null is older than any date). None is after the reference date.
        several: What holds for somebody with several at the latest date.

    Returns:
        One row for each household of each person: columns `RECORD`, `PERSON`, `UPRN_COLUMN`,
        none null. With `LATEST` a person may still have several: those that one source gives at
        one date.
    """
    key = [RECORD, PERSON]
    dated = sightings.with_columns(pl.col(DATE_COLUMN).fill_null(pl.date(1, 1, 1)))
    seen = people.join(dated, on=PERSONA)
    seen = seen.filter(pl.col(DATE_COLUMN) == pl.col(DATE_COLUMN).max().over(key))
    if several is SeveralHouseholds.LATEST:
        seen = seen.filter(pl.col(SOURCE) == pl.col(SOURCE).min().over(key))
    return seen.select(*key, UPRN_COLUMN).unique().sort(*key, UPRN_COLUMN)
