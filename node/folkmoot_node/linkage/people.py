"""Finds the households of records about people that name neither a UPRN nor an address.

A record gets the household of the known person whom it is about: somebody whom another source
records with a UPRN and with identifiers. Splink's model says who that is; docs/linkage.md
states the rules.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import Enum

import polars as pl

from folkmoot_node.linkage.name_cleaning import MODEL_COLUMNS, comparable
from folkmoot_node.linkage.name_frequency import public_frequencies
from folkmoot_node.linkage.person_estimate import (
    estimated_model,
    known_frequencies,
    relatives,
)
from folkmoot_node.linkage.person_matcher import PERSONA, RECORD, WEIGHT, Matcher, matcher
from folkmoot_node.linkage.person_model import PersonModel, person_model
from folkmoot_node.linkage.person_rules import Allowed, allowed_by, may_link, one_person
from folkmoot_node.linkage.resolve import (
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
from folkmoot_node.settings.people import PersonRules, SeveralHouseholds
from folkmoot_sdk.schema import DATE_COLUMN, UPRN_COLUMN

OUTCOME = "outcome"
SHOWN = ("forename", "surname", "dob", "postcode")
"""Identifiers of candidates that a person who reviews is shown."""
_HOUSEHOLD = {RECORD: pl.Int64, UPRN_COLUMN: pl.Int64}
_CANDIDATE = {**_HOUSEHOLD, PROBABILITY: pl.Float64, **dict.fromkeys(SHOWN, pl.String)}


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
            most probable person; null without a candidate); one row for each record, in order.
        households: `RECORD`, `UPRN_COLUMN` of the linked ones; several rows for a person in
            several households.
        candidates: Of the ambiguous ones, for review: `RECORD`, `UPRN_COLUMN`, `PROBABILITY`
            of the person (Float64), and the `SHOWN` identifiers of that person as they are
            compared (texts); one row for each household, the most probable first.
    """

    outcomes: pl.DataFrame
    households: pl.DataFrame
    candidates: pl.DataFrame


@dataclass(frozen=True, slots=True)
class Reviewed:
    """What people decided about records and households; both `RECORD` and `UPRN_COLUMN`.

    Attributes:
        confirmed: The record's person lives there. Holds as long as a candidate does.
        refused: The record is about nobody who lives there.
    """

    confirmed: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_HOUSEHOLD))
    refused: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_HOUSEHOLD))


@dataclass(frozen=True, slots=True)
class _Compared:
    """Known people ready to be compared with, and what may be one person beside the rules."""

    matcher: Matcher
    allowed: Allowed


@contextmanager
def prepared_people(known: pl.DataFrame, rules: PersonRules) -> Iterator[PreparedPeople]:
    """Makes known people ready once; the database ends with the context.

    Args:
        known: `UPRN_COLUMN` (Int64), `SOURCE` (place of the source in the settings, from 0),
            `DATE_COLUMN` (Date, null if undated) if any has one, and any of the columns
            `Identifier.X.column`.
        rules: Thresholds, and what holds for several households.
    """
    personas, sightings = _personas(known, rules)
    model = person_model(nhs_numbers=rules.nhs_numbers)
    with ExitStack() as resources:
        yield PreparedPeople(personas, sightings, model, rules, resources)


class PreparedPeople:
    """Known people, with whom records are compared. Made by `prepared_people`."""

    def __init__(
        self,
        personas: pl.DataFrame,
        sightings: pl.DataFrame,
        model: PersonModel,
        rules: PersonRules,
        resources: ExitStack,
    ) -> None:
        self._personas = personas
        self._sightings = sightings
        self._model = model
        self._rules = rules
        self._resources = resources
        self._compared: _Compared | None = None

    def link(self, records: pl.DataFrame, reviewed: Reviewed) -> PersonLinks:
        """Finds whom each record is about, and that person's households.

        The same records, known people and rules give the same links, in whatever order the rows
        stand.

        Args:
            records: `RECORD` (Int64, distinct) and any of the columns `Identifier.X.column`.
            reviewed: What people decided.

        Raises:
            Problem: Exit code SETTINGS, if there is something to link and Splink is missing.
        """
        if not records.height or not self._personas.height:
            return _nobody(records)
        size = self._rules.chunk
        with self._comparing(records) as compared:
            return _gathered(
                [
                    self._linked(records[start : start + size], compared, reviewed)
                    for start in range(0, records.height, size)
                ]
            )

    @contextmanager
    def _comparing(self, records: pl.DataFrame) -> Iterator[_Compared]:
        """Known people made ready once; or for these records, if agreement is estimated."""
        personas, rules = self._personas, self._rules
        if not rules.estimate:
            if self._compared is None:
                public = public_frequencies(self._model)
                made = matcher(personas, self._model, rules.population, public, rules.threads)
                self._compared = _Compared(self._resources.enter_context(made), Allowed())
            yield self._compared
            return
        model = estimated_model(self._model, personas, self._numbered(records), rules.threads)
        often = known_frequencies(model, personas)
        allowed = allowed_by(model, relatives(personas, self._sightings), rules.accept)
        with matcher(personas, model, personas.height, often, rules.threads) as ready:
            yield _Compared(ready, allowed)

    def _numbered(self, records: pl.DataFrame) -> pl.DataFrame:
        return records.select(RECORD).hstack(_comparable(records, self._rules))

    def _linked(
        self, records: pl.DataFrame, compared: _Compared, reviewed: Reviewed
    ) -> PersonLinks:
        pairs, same = self._candidates(self._numbered(records), compared)
        # Also where that person is recorded in a way of which the record is no match.
        mine = pairs.select(RECORD, PERSON, PERSONA)
        more = mine.join(same, on=PERSONA).select(RECORD, PERSON, pl.col(OTHER).alias(PERSONA))
        everywhere = pl.concat([mine, more]).unique()
        lives = homes(everywhere, self._sightings, self._rules.several_households)
        refused = _all_refused(lives, reviewed.refused)
        pairs = pairs.join(refused, on=[RECORD, PERSON], how="anti", maintain_order="left")
        lives = lives.join(refused, on=[RECORD, PERSON], how="anti", maintain_order="left")
        return self._decided(records.select(RECORD), pairs, lives, reviewed)

    def _candidates(
        self, people: pl.DataFrame, compared: _Compared
    ) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Compares the records, and the known people whom they may be about with each other.

        Returns:
            `RECORD`, `PERSONA`, `PERSON`, `WEIGHT`, `MAY_LINK`; and personas that are one
            person: `PERSONA`, `OTHER`, both ways.
        """
        prepared, personas = compared.matcher, self._personas
        model = prepared.model
        pairs = prepared.pairs(people, bits(self._rules.review))
        may = may_link(model, compared.allowed).alias(MAY_LINK)
        pairs = pairs.select(RECORD, PERSONA, WEIGHT, may)
        found = personas.join(pairs, on=PERSONA, how="semi").rename({PERSONA: RECORD})
        between = prepared.pairs(found, bits(self._rules.accept))
        between = between.filter(pl.col(RECORD) != pl.col(PERSONA)).select(
            PERSONA,
            pl.col(RECORD).alias(OTHER),
            one_person(model).alias("one"),
            may_link(model).alias("may"),
        )
        same = _both_ways(_not_side_by_side(between.filter("one"), personas, self._sightings))
        nameless = personas.filter(pl.col("forename_root").is_null()).select(PERSONA)
        alike = _both_ways(between.filter(pl.col("may") & ~pl.col("one")))
        alike = alike.join(nameless, on=PERSONA, how="semi").join(
            nameless.rename({PERSONA: OTHER}), on=OTHER, how="anti"
        )
        return who(pairs, same, alike), same

    def _decided(
        self, records: pl.DataFrame, pairs: pl.DataFrame, lives: pl.DataFrame, reviewed: Reviewed
    ) -> PersonLinks:
        """Applies thresholds and decisions to the candidates."""
        rules = self._rules
        persons = weighed(pairs)
        certain = persons.filter(pl.col(MAY_LINK) & (pl.col(PROBABILITY) >= rules.accept))
        accepted = lives.join(certain, on=[RECORD, PERSON], how="semi")
        if rules.several_households is SeveralHouseholds.LATEST:
            accepted = accepted.filter(pl.len().over(RECORD) == 1)
        confirmed = lives.join(reviewed.confirmed, on=[RECORD, UPRN_COLUMN], how="semi")
        accepted = accepted.join(confirmed, on=RECORD, how="anti")
        households = pl.concat([confirmed, accepted]).select(RECORD, UPRN_COLUMN).unique()
        linked = households.select(RECORD).unique()
        best = persons.group_by(RECORD).agg(pl.col(PROBABILITY).max())
        outcome = (
            pl.when(pl.col(RECORD).is_in(linked[RECORD].implode()))
            .then(pl.lit(Outcome.LINKED.value))
            .when(pl.col(PROBABILITY).is_not_null())
            .then(pl.lit(Outcome.AMBIGUOUS.value))
            .otherwise(pl.lit(Outcome.UNLINKED.value))
        )
        return PersonLinks(
            records.join(best, on=RECORD, how="left", maintain_order="left").select(
                RECORD, outcome.alias(OUTCOME), PROBABILITY
            ),
            households.sort(RECORD, UPRN_COLUMN),
            self._to_review(pairs.join(linked, on=RECORD, how="anti"), persons, lives),
        )

    def _to_review(
        self, pairs: pl.DataFrame, persons: pl.DataFrame, lives: pl.DataFrame
    ) -> pl.DataFrame:
        """The candidates' households, each with its most probable person."""
        order = [RECORD, PROBABILITY, WEIGHT, PERSONA]
        return (
            pairs.join(persons.select(RECORD, PERSON, PROBABILITY), on=[RECORD, PERSON])
            .join(lives, on=[RECORD, PERSON])
            .sort(*order, UPRN_COLUMN, descending=[False, True, True, False, False])
            .unique([RECORD, UPRN_COLUMN], keep="first", maintain_order=True)
            .join(self._personas.select(PERSONA, *SHOWN), on=PERSONA, maintain_order="left")
            .select(RECORD, UPRN_COLUMN, PROBABILITY, *SHOWN)
        )


def _all_refused(lives: pl.DataFrame, refused: pl.DataFrame) -> pl.DataFrame:
    """`RECORD` and `PERSON` of the persons all of whose households were refused."""
    mark = refused.select(RECORD, UPRN_COLUMN, pl.lit(True).alias("refused")).unique()
    marked = lives.join(mark, on=[RECORD, UPRN_COLUMN], how="left")
    everyone = marked.group_by(RECORD, PERSON).agg(pl.col("refused").is_not_null().all())
    return everyone.filter("refused").select(RECORD, PERSON)


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


def _nobody(records: pl.DataFrame) -> PersonLinks:
    """What is returned if no record is about a known person."""
    unlinked = records.select(
        RECORD,
        pl.lit(Outcome.UNLINKED.value).alias(OUTCOME),
        pl.lit(None, pl.Float64).alias(PROBABILITY),
    )
    return PersonLinks(unlinked, pl.DataFrame(schema=_HOUSEHOLD), pl.DataFrame(schema=_CANDIDATE))


def _gathered(parts: Sequence[PersonLinks]) -> PersonLinks:
    return PersonLinks(
        pl.concat([part.outcomes for part in parts]),
        pl.concat([part.households for part in parts]),
        pl.concat([part.candidates for part in parts]),
    )
