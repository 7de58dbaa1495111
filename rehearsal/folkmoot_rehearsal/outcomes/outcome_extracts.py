"""Extracts of outcomes: who applied as homeless, about whom an enquiry began, who left."""

from __future__ import annotations

import numpy as np
import polars as pl

from folkmoot_rehearsal import disorder
from folkmoot_rehearsal.outcomes import mechanism as rules
from folkmoot_rehearsal.outcomes.events import Lived
from folkmoot_rehearsal.population import Population
from folkmoot_rehearsal.rounding import Integers

HOUSING_OPTIONS = "housing_options"
SAFEGUARDING = "safeguarding"
DEPARTURES = "departures"
MONITORING = "equality_monitoring"
TEMPORARY = "temporary_accommodation"
"""What is planted as a leak: it describes one day, and holds those who lately applied."""


def outcome_frames(
    population: Population, lived: Lived, rng: np.random.Generator
) -> dict[str, pl.DataFrame]:
    """The extracts that a council has where outcomes are rehearsed.

    Returns:
        By source, one row for each record: columns of texts as they stand in the file, whose nulls
        are empty there.
    """
    frames = {
        HOUSING_OPTIONS: _housing_options(population, lived, rng),
        SAFEGUARDING: _safeguarding(population, lived, rng),
        DEPARTURES: _departures(population, lived, rng),
        MONITORING: _monitoring(population, lived, rng),
    }
    if lived.mechanism.leak:
        frames[TEMPORARY] = _temporary(population, lived, rng)
    return frames


def _noted(population: Population, lived: Lived, name: str) -> Integers:
    """Events of an outcome that stand in the extract of the population's day."""
    events = lived.events
    at = [entry.name for entry in lived.mechanism.outcomes].index(name)
    heard = events.noted <= np.datetime64(population.today, "D")
    return np.flatnonzero(heard & (events.outcome == at))


def _housing_options(
    population: Population, lived: Lived, rng: np.random.Generator
) -> pl.DataFrame:
    frame = _event_frame(population, lived, rules.HOMELESSNESS.name, rng)
    frame = frame.with_columns(
        pl.Series("Duty", rng.choice(np.array(["PREVENTION", "RELIEF"]), size=frame.height))
    )
    # The second row of one application: both say when the household asked for help.
    again = frame.filter(pl.Series(rng.random(frame.height) < rules.TWO_CODES))
    again = again.with_columns(
        pl.when(pl.col("Duty") == "RELIEF").then(pl.lit("PREVENTION")).otherwise(pl.lit("RELIEF"))
        .alias("Duty"),
        pl.col("Reference") + "/2",
    )  # fmt: skip
    earlier = _previous_occupiers(population, lived, rng)
    frame = pl.concat([frame, again, earlier.select(frame.columns)])
    return _disordered(frame, "AppliedOn", rng)


def _safeguarding(population: Population, lived: Lived, rng: np.random.Generator) -> pl.DataFrame:
    frame = _event_frame(population, lived, rules.SAFEGUARDING.name, rng)
    frame = frame.rename({"AppliedOn": "EnquiryOn"}).with_columns(
        pl.Series("Section", np.where(rng.random(frame.height) < 0.6, "42", "other"))
    )
    return _disordered(frame, "EnquiryOn", rng)


def _event_frame(
    population: Population, lived: Lived, name: str, rng: np.random.Generator
) -> pl.DataFrame:
    at = _noted(population, lived, name)
    events = lived.events
    return pl.DataFrame(
        {
            "Reference": [f"R{number}" for number in 100_000 + rng.permutation(len(at))],
            "UPRN": population.uprn[events.household[at]].astype(str),
            "AppliedOn": pl.Series(events.day[at], dtype=pl.Date).dt.strftime("%d/%m/%Y"),
            "RecordedOn": pl.Series(events.noted[at], dtype=pl.Date).dt.strftime("%d/%m/%Y"),
        },
        schema=dict.fromkeys(("Reference", "UPRN", "AppliedOn", "RecordedOn"), pl.String),
    )


def _previous_occupiers(
    population: Population, lived: Lived, rng: np.random.Generator
) -> pl.DataFrame:
    """Applications of those who lived in a home before the household of today did."""
    opened = lived.history.opened
    moved = (opened > lived.edges[0] + 60) & (rng.random(len(opened)) < rules.PREVIOUS_OCCUPIER)
    at = np.flatnonzero(moved)
    day = opened[at] - rng.integers(1, 60, size=len(at))
    shown = pl.Series(day, dtype=pl.Date).dt.strftime("%d/%m/%Y")
    return pl.DataFrame(
        {
            "Reference": [f"R{number}" for number in 50_000 + rng.permutation(len(at))],
            "UPRN": population.uprn[at].astype(str),
            "AppliedOn": shown,
            "RecordedOn": shown,
            "Duty": ["PREVENTION"] * len(at),
        },
        schema=dict.fromkeys(("Reference", "UPRN", "AppliedOn", "RecordedOn", "Duty"), pl.String),
    )


def _departures(population: Population, lived: Lived, rng: np.random.Generator) -> pl.DataFrame:
    gone = np.flatnonzero(lived.left <= np.datetime64(population.today, "D"))
    day = pl.Series(lived.left[gone], dtype=pl.Date)
    died = pl.Series(lived.by_death[gone])
    frame = pl.DataFrame(
        {
            "AccountClosed": [f"Z{number}" for number in 10_000 + rng.permutation(len(gone))],
            "UPRN": population.uprn[gone].astype(str),
            "day": day.dt.strftime("%d/%m/%Y"),
            "died": died,
        }
    )
    frame = frame.select(
        "AccountClosed",
        "UPRN",
        pl.when(~pl.col("died")).then("day").alias("MovedOutOn"),
        pl.when(pl.col("died")).then("day").alias("DiedOn"),
        pl.col("day").alias("ClosedOn"),
    )
    return frame[rng.permutation(frame.height)]


def _monitoring(population: Population, lived: Lived, rng: np.random.Generator) -> pl.DataFrame:
    group = np.array(rules.GROUPS)[lived.group]
    frame = pl.DataFrame({"UPRN": population.uprn.astype(str), "EthnicGroup": group})
    frame = frame.filter(pl.Series(rng.random(frame.height) >= rules.NOT_STATED))
    return frame[rng.permutation(frame.height)]


def _temporary(population: Population, lived: Lived, rng: np.random.Generator) -> pl.DataFrame:
    at = _noted(population, lived, rules.HOMELESSNESS.name)
    lately = np.datetime64(population.today, "D") - rules.DUTY_DAYS
    at = at[lived.events.day[at] >= lately]
    home = np.unique(lived.events.household[at])
    return pl.DataFrame(
        {
            "UPRN": population.uprn[home].astype(str),
            "Duty": rng.choice(np.array(["prevention", "relief", "main"]), size=len(home)),
            "Placed": np.where(rng.random(len(home)) < 0.4, "Y", "N"),
        },
        schema=dict.fromkeys(("UPRN", "Duty", "Placed"), pl.String),
    )


def _disordered(frame: pl.DataFrame, day: str, rng: np.random.Generator) -> pl.DataFrame:
    frame = disorder.blanked(frame, {day: rules.UNDATED}, rng)
    frame = disorder.spoiled(frame, {day: disorder.BAD_DATES, "UPRN": disorder.BAD_UPRNS}, rng)
    return frame[rng.permutation(frame.height)]
