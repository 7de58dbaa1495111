"""Table `[linkage.people]` of `node.toml`: how people are found for records without a UPRN."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from enum import Enum
from typing import Annotated

from pydantic import Field, StringConstraints, field_validator, model_validator

from folkmoot_operator.settings import Settings

POPULATION = 200_000
"""People of a council's area where the settings do not say: about the mean of the United Kingdom's
lower-tier councils and London boroughs (ONS, mid-year population estimates)."""
CHUNK = 20_000
"""Records that are compared at a time; bounds memory."""


class SeveralHouseholds(Enum):
    """Where a record counts whose person lives in several households at once."""

    ALL = "all"
    LATEST = "latest"


@dataclass(frozen=True, slots=True)
class PersonRules:
    """How certain a link must be, and what happens for people in several households.

    Attributes:
        accept: Least probability, from 0 to 1, at which a record is linked.
        review: Least probability of a candidate for review, at most `accept`.
        several_households: Where a record counts whose person lives in several at once.
        nhs_numbers: Whether NHS numbers are compared.
        population: People who live in the council's area.
        estimate: Whether weights are estimated from the council's own records.
        reference_date: Records of known people that are younger do not count.
        threads: Threads of the database.
        chunk: Records that are compared at a time.
    """

    accept: float = 0.99
    review: float = 0.5
    several_households: SeveralHouseholds = SeveralHouseholds.ALL
    nhs_numbers: bool = False
    population: int = POPULATION
    estimate: bool = False
    reference_date: datetime.date = datetime.date.max
    threads: int = 2
    chunk: int = CHUNK


Probability = Annotated[float, Field(gt=0, lt=1)]


class PersonSettings(Settings):
    """Table `[linkage.people]`; if it is there, records are linked to known people.

    Attributes:
        sources: Names of the sources that say where people live, the most trusted first.
        accept: Smallest probability of a link.
        review: Smallest probability at which a record that is not linked goes to clerical
            review; below it it is unlinked.
        several_households: Where a record counts whose person lives in several households at
            once: in `all`, or in the one of the `latest` record by the first source.
        nhs_number_basis: Why it is lawful to use NHS numbers; they are neither asked for nor
            compared if it is missing.
        candidates: Candidates of a record in the review file at most.
        population: People who live in the council's area (ONS, mid-year population estimates);
            `POPULATION` if None. Never a count of the run's records.
        estimate: Whether weights are estimated from the council's own records, in this node.
    """

    sources: Annotated[tuple[str, ...], Field(min_length=1)]
    accept: Probability = 0.99
    review: Probability = 0.5
    several_households: SeveralHouseholds = SeveralHouseholds.ALL
    nhs_number_basis: (
        Annotated[str, StringConstraints(strip_whitespace=True, min_length=10, max_length=500)]
        | None
    ) = None
    candidates: Annotated[int, Field(ge=1, le=20)] = 5
    population: Annotated[int, Field(ge=1_000, le=10_000_000)] | None = None
    estimate: bool = False

    @field_validator("sources")
    @classmethod
    def _each_once(cls, sources: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(sources)) < len(sources):
            raise ValueError("a source is named twice; name each once, the most trusted first")
        return sources

    @model_validator(mode="after")
    def _review_comes_before_a_link(self) -> PersonSettings:
        if self.review > self.accept:
            raise ValueError("review is above accept; nothing could be reviewed")
        return self

    @property
    def nhs_numbers(self) -> bool:
        """Whether NHS numbers are used."""
        return self.nhs_number_basis is not None

    def rules(self, reference_date: datetime.date, threads: int) -> PersonRules:
        """As the linkage takes them."""
        return PersonRules(
            accept=self.accept,
            review=self.review,
            several_households=self.several_households,
            nhs_numbers=self.nhs_numbers,
            population=self.population or POPULATION,
            estimate=self.estimate,
            reference_date=reference_date,
            threads=threads,
        )
