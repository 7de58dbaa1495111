"""Estimates how records and known people agree, from the council's own records.

Only where `[linkage.people]` says `estimate = true`. The result depends on all records of a
source and on everybody known, so one household more changes how others are weighed: rounds
never count what was linked by person, and nothing estimated leaves the node.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import polars as pl

from folkmoot_node.linkage.person_matcher import PERSONA, RECORD, database, splink
from folkmoot_node.linkage.person_model import Comparison, PersonModel
from folkmoot_node.linkage.person_rules import Relatives
from folkmoot_node.linkage.resolve import SOURCE
from folkmoot_sdk.schema import UPRN_COLUMN

LEAST_RECORDS = 100
"""With fewer records the model stays as its file has it."""
MOST_RECORDS = 20_000
"""Records from which agreement is estimated; bounds time."""
_FILE_IS_WORTH = 50
"""Records to which the m of the file are worth, beside those that are compared."""
_TRAINING = (
    "l.dob = r.dob and right(l.dob, 4) <> '0101'",
    "l.forename = r.forename and l.surname = r.surname",
)
"""Pairs from which is estimated: those that agree in the one tell of the other identifiers."""
_FIGURES = 4


def estimated_model(
    model: PersonModel, personas: pl.DataFrame, people: pl.DataFrame, threads: int
) -> PersonModel:
    """The model with the m-probabilities of one source, by expectation maximisation.

    Args:
        model: As its file has it; u-probabilities stay.
        personas: `PERSONA` and `MODEL_COLUMNS` of known people.
        people: `RECORD` and `MODEL_COLUMNS` of the source's records.
        threads: Threads of the database.
    """
    if people.height < LEAST_RECORDS:
        return model
    some = people.sort(RECORD)
    if people.height > MOST_RECORDS:
        some = some.gather_every(math.ceil(people.height / MOST_RECORDS))
    tables = [
        personas.rename({PERSONA: "unique_id"}).to_arrow(),
        some.rename({RECORD: "unique_id"}).to_arrow(),
    ]
    settings = model.settings(personas.height) | {"link_type": "link_only"}
    with database(threads) as connection:
        linker = splink(tables, settings, connection, aliases=["known", "described"])
        from splink.internals.exceptions import EMTrainingException  # late: Splink may be missing

        for rule in _TRAINING:
            try:
                linker.training.estimate_parameters_using_expectation_maximisation(
                    rule, estimate_without_term_frequencies=True
                )
            except EMTrainingException:
                continue  # no pair agrees so: what it would tell stays as the file has it
        found = linker.misc.save_model_to_json()
    by_name = {entry["output_column_name"]: entry for entry in found["comparisons"]}
    return replace(
        model,
        comparisons=tuple(
            _estimated(comparison, by_name[comparison.name], some.height)
            for comparison in model.comparisons
        ),
    )


def _estimated(comparison: Comparison, found: dict[str, Any], records: int) -> Comparison:
    """A comparison with the m that were found, each drawn a little to that of the file."""
    levels = [level for level in found["comparison_levels"] if not level.get("is_null_level")]
    shares = [level.get("m_probability") or 0.0 for level in levels]
    total = sum(shares)
    weighed = [
        (share / total * records + level.m * _FILE_IS_WORTH) / (records + _FILE_IS_WORTH)
        for share, level in zip(shares, comparison.levels, strict=True)
    ]
    # Sums in another order differ in the last digits; links must not.
    return replace(
        comparison,
        levels=tuple(
            replace(level, m=max(round(m, _FIGURES), 10.0**-_FIGURES))
            for level, m in zip(comparison.levels, weighed, strict=True)
        ),
    )


def known_frequencies(
    model: PersonModel, personas: pl.DataFrame
) -> Iterator[tuple[str, pl.DataFrame]]:
    """How often values occur among the known people.

    Yields:
        A comparison, and one row for each value: columns of it (String) and `tf_<comparison>`
        (Float64, from 0 to 1), none null; as `public_frequencies`.
    """
    # Two of one name and date at two postcodes count as two: they may be.
    people = personas.unique(["forename_root", "surname", "dob", "postcode"])
    for comparison in model.comparisons:
        if level := comparison.by_frequency:
            yield (
                comparison.name,
                _frequencies(people, comparison.name, level.usual, model.smoothing),
            )


def _frequencies(people: pl.DataFrame, column: str, usual: float, smoothing: float) -> pl.DataFrame:
    """How often each value occurs among other people than the one who has it.

    Args:
        people: One row for each person.
        column: The values; null where not known.
        usual: Frequency to assume where few people are known.
        smoothing: How many people that assumption is worth.

    Returns:
        The values, and `tf_<column>` from 0 to 1, as Splink wants them.
    """
    counted = people.select(pl.col(column).drop_nulls().value_counts(name="count")).unnest(column)
    others = max(people[column].count() - 1, 0)
    share = (pl.col("count") - 1 + usual * smoothing) / (others + smoothing)
    return counted.select(column, share.alias(f"tf_{column}")).sort(column)


def relatives(personas: pl.DataFrame, sightings: pl.DataFrame) -> Relatives:
    """How many known people share with somebody of their home what else says who they are.

    Args:
        personas: `PERSONA` and `MODEL_COLUMNS`.
        sightings: `PERSONA`, `UPRN_COLUMN` and `SOURCE`. One source lists a person once at a
            property, so that two ways of writing are no two people.
    """
    listed = sightings.select(PERSONA, UPRN_COLUMN, SOURCE).unique().join(personas, on=PERSONA)
    people = listed.filter(pl.col("forename_root").is_not_null() & pl.col("dob").is_not_null())
    here = [UPRN_COLUMN, SOURCE]
    twins = people.filter(pl.col("forename_root").n_unique().over(*here, "surname", "dob") > 1)
    namesakes = people.filter(pl.col("dob").n_unique().over(*here, "forename_root", "surname") > 1)
    # One more of each than was seen: that nobody is seen among few does not mean never.
    return Relatives(
        *((found.height + 1) / (people.height + 1) for found in (twins, namesakes)),
    )
