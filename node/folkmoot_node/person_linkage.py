"""Finds the households of records about people that name neither a UPRN nor an address.

A record gets the household of the known person whom it is about: somebody whom another source
records with a UPRN and with identifiers. Who that is, Splink's model says; the rules are stated
in docs/linkage.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum

import polars as pl

from folkmoot_node.person_evidence import may_link, one_person
from folkmoot_node.person_households import (
    MAY_LINK,
    OTHER,
    PERSON,
    PROBABILITY,
    SOURCE,
    bits,
    homes,
    weighed,
    who,
)
from folkmoot_node.person_matching import PERSONA, RECORD, WEIGHT, Matcher, matcher
from folkmoot_node.person_model import person_model
from folkmoot_node.person_names import MODEL_COLUMNS, comparable
from folkmoot_node.person_rules import PersonRules, SeveralHouseholds
from folkmoot_sdk.schema import DATE_COLUMN, UPRN_COLUMN

OUTCOME = "outcome"


class Outcome(Enum):
    """What became of a record."""

    LINKED = "linked"
    AMBIGUOUS = "ambiguous"
    UNLINKED = "unlinked"


@dataclass(frozen=True, slots=True)
class PersonLinks:
    """What became of the records.

    Attributes:
        outcomes: `RECORD` (Int64), `OUTCOME` (value of `Outcome`), `PROBABILITY` (of the
            most probable person; null without a candidate); one row a record, in their order.
        households: `RECORD`, `UPRN_COLUMN` of the linked ones; several rows for a person in
            several households.
        candidates: Of the ambiguous ones, for review: `RECORD`, `UPRN_COLUMN`, `PROBABILITY`
            of the person (Float64), one row a household, the most probable first.
    """

    outcomes: pl.DataFrame
    households: pl.DataFrame
    candidates: pl.DataFrame


def link_people(
    records: pl.DataFrame,
    known: pl.DataFrame,
    rules: PersonRules,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> PersonLinks:
    """Finds whom each record is about, and that person's households.

    The same records, known people and rules give the same links, in whatever order the rows
    stand.

    Args:
        records: `RECORD` (Int64, distinct) and any of the columns `Identifier.X.column`.
        known: `UPRN_COLUMN` (Int64), `SOURCE` (place of the source in the settings, from 0),
            `DATE_COLUMN` (Date, null if undated) if any has one, and identifiers likewise.
        rules: Thresholds, and what holds for several households.
        progress: Told how many records are done, and how many there are.

    Raises:
        Problem: Exit code SETTINGS, if there is something to link and Splink is missing.
    """
    if not records.height:
        return _gathered([])
    model = person_model(nhs_numbers=rules.nhs_numbers)
    personas, sightings = _personas(known, rules)
    if not personas.height:
        return _gathered([_decided(records.select(RECORD), None, sightings, rules)])
    parts = []
    with matcher(personas, model, rules.threads) as prepared:
        for start in range(0, records.height, rules.chunk):
            progress(start, records.height)
            chunk = records[start : start + rules.chunk]
            people = chunk.select(RECORD).hstack(_comparable(chunk, rules))
            candidates = _candidates(people, personas, sightings, prepared, rules)
            parts.append(_decided(people.select(RECORD), candidates, sightings, rules))
    progress(records.height, records.height)
    return _gathered(parts)


def _comparable(people: pl.DataFrame, rules: PersonRules) -> pl.DataFrame:
    read = comparable(people)
    if rules.nhs_numbers:
        return read
    return read.with_columns(nhs_number=pl.lit(None, pl.String))


def _personas(known: pl.DataFrame, rules: PersonRules) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Who is known, and where.

    Returns:
        Personas: people of whom all identifiers are equal, numbered in the order of these;
        and their sightings up to the reference date: `PERSONA`, UPRN, source, date.
    """
    if DATE_COLUMN not in known.columns:
        known = known.with_columns(pl.lit(None, pl.Date).alias(DATE_COLUMN))
    known = known.filter(
        pl.col(UPRN_COLUMN).is_not_null()
        & (pl.col(DATE_COLUMN).is_null() | (pl.col(DATE_COLUMN) <= rules.reference_date))
    )
    people = _comparable(known, rules)
    named = pl.any_horizontal(pl.col("forename", "surname", "nhs_number").is_not_null())
    where = known.select(UPRN_COLUMN, SOURCE, DATE_COLUMN)
    seen = people.hstack(where).filter(named)
    personas = seen.select(MODEL_COLUMNS).unique().sort(MODEL_COLUMNS)
    personas = personas.with_row_index(PERSONA).with_columns(pl.col(PERSONA).cast(pl.Int64))
    keys = list(MODEL_COLUMNS)
    sightings = seen.join(personas, on=keys, nulls_equal=True)
    return personas, sightings.select(PERSONA, UPRN_COLUMN, SOURCE, DATE_COLUMN).unique()


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Whom the records of a chunk may be about.

    Attributes:
        pairs: `RECORD`, `PERSONA`, `PERSON`, `WEIGHT`, `MAY_LINK`.
        same: Personas that are one person: `PERSONA`, `OTHER`, both ways.
    """

    pairs: pl.DataFrame
    same: pl.DataFrame


def _candidates(
    people: pl.DataFrame,
    personas: pl.DataFrame,
    sightings: pl.DataFrame,
    prepared: Matcher,
    rules: PersonRules,
) -> _Candidates:
    """Compares the records, and the known people whom they may be about with each other."""
    model = prepared.model
    pairs = prepared.pairs(people, bits(rules.review))
    pairs = pairs.select(RECORD, PERSONA, WEIGHT, may_link(model).alias(MAY_LINK))
    found = personas.join(pairs, on=PERSONA, how="semi").rename({PERSONA: RECORD})
    between = prepared.pairs(found, bits(rules.accept)).filter(pl.col(RECORD) != pl.col(PERSONA))
    between = between.with_columns(one_person(model).alias("one"), may_link(model).alias("may"))
    between = between.rename({RECORD: OTHER})
    same = _both_ways(_not_side_by_side(between.filter("one"), personas, sightings))
    nameless = personas.filter(pl.col("forename_root").is_null()).select(PERSONA)
    alike = _both_ways(between.filter(pl.col("may") & ~pl.col("one")))
    alike = alike.join(nameless, on=PERSONA, how="semi").join(
        nameless.rename({PERSONA: OTHER}), on=OTHER, how="anti"
    )
    return _Candidates(who(pairs, same, alike), same)


def _both_ways(pairs: pl.DataFrame) -> pl.DataFrame:
    there = pairs.select(PERSONA, OTHER)
    back = pairs.select(pl.col(OTHER).alias(PERSONA), pl.col(PERSONA).alias(OTHER))
    return pl.concat([there, back]).unique()


def _not_side_by_side(
    pairs: pl.DataFrame, personas: pl.DataFrame, sightings: pl.DataFrame
) -> pl.DataFrame:
    """Leaves out pairs whom one source lists at one property under different forenames.

    A source that lists Jane and Jean there means two people, though the names are alike.
    """
    names = personas.select(PERSONA, "forename")
    different = (
        pairs.select(PERSONA, OTHER)
        .join(names, on=PERSONA)
        .join(names.rename({PERSONA: OTHER}), on=OTHER, suffix="_other")
        .filter(pl.col("forename") != pl.col("forename_other"))
        .select(PERSONA, OTHER)
    )
    places = sightings.select(PERSONA, UPRN_COLUMN, SOURCE).unique()
    listed = different.join(places, on=PERSONA).join(
        places.rename({PERSONA: OTHER}), on=[OTHER, UPRN_COLUMN, SOURCE], how="semi"
    )
    return pairs.join(listed, on=[PERSONA, OTHER], how="anti")


def _decided(
    records: pl.DataFrame,
    candidates: _Candidates | None,
    sightings: pl.DataFrame,
    rules: PersonRules,
) -> PersonLinks:
    """Applies the rules to the candidates of a chunk."""
    if candidates is None:
        unlinked = records.with_columns(
            pl.lit(Outcome.UNLINKED.value).alias(OUTCOME),
            pl.lit(None, pl.Float64).alias(PROBABILITY),
        )
        empty = _gathered([])
        return PersonLinks(unlinked, empty.households, empty.candidates)
    pairs = candidates.pairs
    persons = weighed(pairs)
    accepted = persons.filter(pl.col(MAY_LINK) & (pl.col(PROBABILITY) >= rules.accept))
    chosen = pairs.join(accepted, on=[RECORD, PERSON], how="semi").select(RECORD, PERSONA)
    # Where that person is recorded under names or postcodes of which the record is no match.
    more = chosen.join(candidates.same, on=PERSONA).select(RECORD, pl.col(OTHER).alias(PERSONA))
    households = homes(pl.concat([chosen, more]).unique(), sightings, rules.several_households)
    if rules.several_households is SeveralHouseholds.LATEST:
        households = households.filter(pl.len().over(RECORD) == 1)

    linked = households.select(RECORD).unique()
    best = persons.group_by(RECORD).agg(pl.col(PROBABILITY).max())
    outcome = (
        pl.when(pl.col(RECORD).is_in(linked[RECORD].implode()))
        .then(pl.lit(Outcome.LINKED.value))
        .when(pl.col(PROBABILITY).is_not_null())
        .then(pl.lit(Outcome.AMBIGUOUS.value))
        .otherwise(pl.lit(Outcome.UNLINKED.value))
    )
    outcomes = records.join(best, on=RECORD, how="left", maintain_order="left").select(
        RECORD, outcome.alias(OUTCOME), PROBABILITY
    )
    review = (
        pairs.join(linked, on=RECORD, how="anti")
        .join(persons.select(RECORD, PERSON, PROBABILITY), on=[RECORD, PERSON])
        .join(sightings, on=PERSONA)
        .group_by(RECORD, UPRN_COLUMN)
        .agg(pl.col(PROBABILITY).max())
        .sort([RECORD, PROBABILITY, UPRN_COLUMN], descending=[False, True, False])
    )
    return PersonLinks(outcomes, households, review)


def _gathered(parts: Sequence[PersonLinks]) -> PersonLinks:
    key = {RECORD: pl.Int64}
    household = {**key, UPRN_COLUMN: pl.Int64}
    empty = PersonLinks(
        pl.DataFrame(schema={**key, OUTCOME: pl.String, PROBABILITY: pl.Float64}),
        pl.DataFrame(schema=household),
        pl.DataFrame(schema={**household, PROBABILITY: pl.Float64}),
    )
    return PersonLinks(
        pl.concat([empty.outcomes, *(part.outcomes for part in parts)]),
        pl.concat([empty.households, *(part.households for part in parts)]),
        pl.concat([empty.candidates, *(part.candidates for part in parts)]),
    )
