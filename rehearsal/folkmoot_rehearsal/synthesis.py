"""From a seed to a council's files: the same seed and day give the same bytes."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from folkmoot_rehearsal import extracts, margins, population
from folkmoot_rehearsal.census import Census
from folkmoot_rehearsal.councils import Council


@dataclass(frozen=True, slots=True)
class Recipe:
    """What decides every byte of the extracts.

    Attributes:
        households: Households of each council; None for as many as `census` counted.
        seed: Seed of all randomness; each council has streams of its own, so a council's
            files do not depend on how many others there are.
        today: Day on which the residents are described.
        census: Published tables to match; None for approximate shares.
    """

    households: int | None
    seed: int
    today: datetime.date
    census: Census | None = None


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
    areas, residents, _ = _streams(council, recipe)
    if recipe.census is None:
        if recipe.households is None:
            raise ValueError("without a census there is no number of households but a given one")
        bounds = margins.approximate(council, recipe.households, areas)
    else:
        bounds = recipe.census.margins(council, recipe.households)
    return population.draw(council, bounds, recipe.today, residents)


def write(council: Council, recipe: Recipe, home: Path, truth: Path) -> Written:
    """Draws a council and writes its extracts, its mappings and the truth.

    Args:
        council: The council.
        recipe: What decides the bytes.
        home: Receives `extracts/` and `mappings/`.
        truth: Receives `households.parquet`, `people.parquet`, `homes.parquet` and
            `without_uprn.parquet`.
    """
    drawn = draw(council, recipe)
    _, _, disorder = _streams(council, recipe)
    sources, without_uprn = extracts.write(drawn, disorder, home)
    truth.mkdir(parents=True, exist_ok=True)
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


def _streams(
    council: Council, recipe: Recipe
) -> tuple[np.random.Generator, np.random.Generator, np.random.Generator]:
    """Independent streams for areas, residents, and what is wrong with the files."""
    first, second, third = np.random.SeedSequence([recipe.seed, council.index]).spawn(3)
    return (
        np.random.default_rng(first),
        np.random.default_rng(second),
        np.random.default_rng(third),
    )
