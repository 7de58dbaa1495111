"""From a seed to a council's files: the same seed and day give the same bytes."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from folkmoot_rehearsal import extracts, margins, population
from folkmoot_rehearsal.census import Census
from folkmoot_rehearsal.councils import Council
from folkmoot_rehearsal.outcomes import documents, events
from folkmoot_rehearsal.outcomes.mechanism import Mechanism


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides every byte of the extracts.

    Attributes:
        households: Households of each council; None for as many as `census` counted.
        seed: Seed of all randomness; each council has streams of its own, so a council's
            files do not depend on how many others there are.
        today: Day on which the residents are described.
        census: Published tables to match; None for approximate shares.
        outcomes: How outcomes of the last two years come about; None for none.
    """

    households: int | None
    seed: int
    today: datetime.date
    census: Census | None = None
    outcomes: Mechanism | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """What was written for a council.

    Attributes:
        sources: Names of the sources, the frame first.
        lsoas: Its LSOAs, ascending.
        wards: Its wards, ascending.
        people: Residents of its households.
        in_cohort: Households that belong to the worked example's cohort in truth.
    """

    sources: tuple[str, ...]
    lsoas: tuple[str, ...]
    wards: tuple[str, ...]
    people: int
    in_cohort: int


def draw(council: Council, recipe: Recipe) -> population.Population:
    """Draws a council's population."""
    areas, residents, _, _ = _streams(council, recipe)
    if recipe.census is None:
        if recipe.households is None:
            raise ValueError("without a census there is no number of households but a given one")
        bounds = margins.approximate(council, recipe.households, areas)
    else:
        bounds = recipe.census.margins(council, recipe.households)
    return population.draw(council, bounds, recipe.today, residents)


def live(drawn: population.Population, council: Council, recipe: Recipe) -> events.Lived | None:
    """Draws the last two years of a council that `draw` has drawn; None where none are asked."""
    if recipe.outcomes is None:
        return None
    *_, years = _streams(council, recipe)
    return events.draw(drawn, recipe.outcomes, years)


def write(council: Council, recipe: Recipe, home: Path, truth: Path) -> Written:
    """Draws a council and writes its extracts, its mappings and the truth.

    Args:
        council: The council.
        recipe: What decides the bytes.
        home: Receives `extracts/` and `mappings/`; where outcomes are rehearsed, an evaluation
            file and a fit file.
        truth: Receives `households.parquet`, `people.parquet`, `homes.parquet` and
            `without_uprn.parquet`; where outcomes are rehearsed, `outcomes.parquet`.
    """
    drawn = draw(council, recipe)
    _, _, disorder, _ = _streams(council, recipe)
    lived = live(drawn, council, recipe)
    sources, without_uprn = extracts.write(drawn, disorder, home, lived)
    truth.mkdir(parents=True, exist_ok=True)
    if lived is not None:
        lived.table(drawn).write_parquet(truth / "outcomes.parquet")
        evaluation = documents.evaluation_file(recipe.today, len(drawn.uprn))
        (home / documents.EVALUATION_FILE).write_text(evaluation, "utf-8")
        (home / documents.FIT_FILE).write_text(documents.fit_file(), "utf-8")
    households = drawn.household_table()
    households.write_parquet(truth / "households.parquet")
    drawn.people_table().write_parquet(truth / "people.parquet")
    drawn.homes_table().write_parquet(truth / "homes.parquet")
    without_uprn.write_parquet(truth / "without_uprn.parquet")
    return Written(
        sources=sources,
        lsoas=drawn.margins.lsoas,
        wards=tuple(sorted(set(drawn.margins.wards))),
        people=len(drawn.people.age),
        in_cohort=int(households["debt_older_alone"].sum()),
    )


def _streams(council: Council, recipe: Recipe) -> tuple[np.random.Generator, ...]:
    """Independent streams for areas, residents, what is wrong with the files, and outcomes."""
    return tuple(
        np.random.default_rng(seed)
        for seed in np.random.SeedSequence([recipe.seed, council.index]).spawn(4)
    )
