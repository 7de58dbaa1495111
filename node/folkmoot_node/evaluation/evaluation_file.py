"""The evaluation file: what a back-test asks, about which dates, against which outcomes."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from folkmoot_node.settings.slug import Slug
from folkmoot_operator.settings import Settings

MOST_DATES = 60
"""Dates of one back-test."""


class OutcomeEntry(Settings):
    """One `[outcomes.NAME]` table: what is to be anticipated.

    Attributes:
        events: Fields that sources declare as outcomes, of which the first event counts.
        months: Horizon: events later than this many months after the date do not count.
        moved_away: Outcome field whose event ends the observation of a household, such as the day
            on which it left the council.
        deceased: The same, of a death.
        repeated: Whether households that had the event before the date are judged too; else they
            are left out, and their number is said.
    """

    events: Annotated[tuple[Slug, ...], Field(min_length=1, max_length=20)]
    months: Annotated[int, Field(ge=1, le=60)]
    moved_away: Slug | None = None
    deceased: Slug | None = None
    repeated: bool = True

    @model_validator(mode="after")
    def _is_no_end(self) -> OutcomeEntry:
        both = [name for name in self.events if name in self.ends]
        if both:
            raise ValueError(f"{both[0]!r} cannot be an event and the end of what is observed")
        return self

    @property
    def ends(self) -> tuple[str, ...]:
        """The fields whose events end the observation of a household."""
        return tuple(filter(None, (self.moved_away, self.deceased)))


class BaselineSettings(Settings):
    """Table `[baselines]`: what a council would do instead.

    Attributes:
        oldest_first: Fields by which the households with the highest value come first, such as the
            age of the oldest arrears.
        deprivation: Field of the Indices of Deprivation, or None.
        deprivation_is_rank: Whether 1 is the most deprived.
    """

    oldest_first: Annotated[tuple[Slug, ...], Field(max_length=10)] = ()
    deprivation: Slug | None = None
    deprivation_is_rank: bool = True


class EvaluationFile(Settings):
    """An evaluation file.

    Attributes:
        schema_: Version of the format: 1.
        name: For people.
        policy: Risk stratification policy that is judged, relative to the file; that of
            `node.toml` if it is missing.
        dates: Dates on which the households are scored as they were known, ascending.
        capacity: Households that the council can visit after each date.
        outcomes: By name.
        undated: Sources without record dates that are accepted as they are today.
        baselines: What a council would do instead.
        smallest: Groups of fewer households, or fewer events, show no figure.
        resamples: Bootstrap samples of each interval that has no formula.
        seed: Seed of all that is drawn.
    """

    schema_: Annotated[int, Field(alias="schema", ge=1, le=1)]
    name: Annotated[str, Field(min_length=1, max_length=200)]
    policy: Path | None = None
    dates: Annotated[tuple[datetime.date, ...], Field(min_length=1, max_length=MOST_DATES)]
    capacity: Annotated[tuple[int, ...], Field(min_length=1, max_length=10)]
    outcomes: Annotated[dict[Slug, OutcomeEntry], Field(min_length=1, max_length=20)]
    undated: tuple[Slug, ...] = ()
    baselines: BaselineSettings = BaselineSettings()
    smallest: Annotated[int, Field(ge=3)] = 10
    resamples: Annotated[int, Field(ge=100, le=10_000)] = 500
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 1

    @model_validator(mode="after")
    def _is_in_order(self) -> EvaluationFile:
        if any(one >= other for one, other in zip(self.dates, self.dates[1:], strict=False)):
            raise ValueError("dates: give each date once, in ascending order")
        if any(one < 1 for one in self.capacity):
            raise ValueError("capacity: give whole numbers from 1")
        return self
