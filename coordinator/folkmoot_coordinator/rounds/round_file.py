"""The file an operator writes to open a round: ROUND.toml."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from folkmoot_coordinator.config import check_printable
from folkmoot_coordinator.rounds.objective import Objective
from folkmoot_operator.settings import Settings

CodeName = Annotated[str, Field(min_length=1, max_length=200), AfterValidator(check_printable)]


class AttributeEntry(Settings):
    """One attribute: a code list, or a file of areas by council.

    Attributes:
        name: Identifier.
        codes: Code list that all councils share.
        areas: CSV file of council, area, for nested areas the area each lies in, and names.
        others: Whether households with none of the codes have a cell, `(other)`; by
            default they do for areas, and are left out of the round for code lists.
        within: Attribute in whose codes these nest.
        parents: For each of `codes` the code of `within` that it lies in.
        names: What people call codes, for published tables; nodes do not receive it.
        vintage: Edition of the code list, for published tables, such as `2021`.
    """

    name: str
    codes: tuple[str, ...] | None = None
    areas: Path | None = None
    others: bool | None = None
    within: str = ""
    parents: tuple[str, ...] = ()
    names: dict[str, CodeName] = Field(default_factory=dict)
    vintage: Annotated[str, Field(max_length=60), AfterValidator(check_printable)] = ""

    @model_validator(mode="after")
    def _one_list(self) -> AttributeEntry:
        if (self.codes is None) == (self.areas is None):
            raise ValueError("give either codes or areas (a CSV file of council,area)")
        if len(self.parents) != (len(self.codes) if self.codes and self.within else 0):
            raise ValueError("give parents, one for each code, with codes within an attribute")
        return self


class MarginalEntry(Settings):
    """One `[[marginals]]` table: one table of counts that is asked for.

    Attributes:
        attributes: Names of the attributes by which households are counted; none for the total.
        weight: How much its precision counts beside that of the others.
    """

    attributes: tuple[str, ...]
    weight: int = 1


class EventEntry(Settings):
    """What a household must satisfy to be counted in a series.

    Attributes:
        attribute: A published attribute.
        codes: Its codes, any of which a household has.
    """

    attribute: str
    codes: tuple[str, ...]


class SeriesEntry(Settings):
    """Table `[series]`: the round is the first of a series.

    Attributes:
        rounds: Number of rounds planned.
        until: Last day of the series (UTC).
        event: What a household must satisfy to be counted.
    """

    rounds: int
    until: date
    event: EventEntry


class RoundFile(Settings):
    """The file ROUND.toml; paths are relative to it.

    Attributes:
        title: What the round is called, for people.
        purpose: What it is for; each council's release policy must permit it.
        policy: File of the risk policy under which the councils must have scored.
        policy_digest: Its SHA-256 as 64 hex digits, in place of the file.
        councils: GSS codes of those asked, or `all` who are members.
        minimum_councils: How many must answer before anything is published.
        rho: Privacy loss that each household of a council bears, with the discrete Gaussian.
        epsilon: The same, with the discrete Laplace.
        delta: For which epsilon is stated.
        mechanism: How noise is added.
        objective: What the noise is spread for: the least sum of errors, or the least maximum.
        deadline_hours: Hours for which the round stays open. Give this, or one of the next two.
        deadline_minutes: Minutes for which it stays open.
        deadline: When it ends.
        attributes: What households are counted by.
        marginals: The tables of counts that are asked for.
        series: Makes the round the first of a series.
    """

    title: str = ""
    purpose: str
    policy: Path | None = None
    policy_digest: str | None = Field(default=None, pattern="^[0-9a-fA-F]{64}$")
    councils: tuple[str, ...] | Literal["all"]
    minimum_councils: int
    rho: Decimal | float | str | None = None
    epsilon: Decimal | float | str | None = None
    delta: Decimal | float | str
    mechanism: Literal["discrete_gaussian", "discrete_laplace"] = "discrete_gaussian"
    objective: Objective = Objective.SUM
    deadline_hours: float | None = Field(default=None, gt=0, le=24 * 366)
    deadline_minutes: float | None = Field(default=None, gt=0, le=60 * 24 * 366)
    deadline: datetime | None = None
    attributes: tuple[AttributeEntry, ...] = ()
    marginals: tuple[MarginalEntry, ...]
    series: SeriesEntry | None = None

    @model_validator(mode="after")
    def _objective_of_mechanism(self) -> RoundFile:
        if self.mechanism == "discrete_laplace" and self.objective is not Objective.SUM:
            raise ValueError('give objective = "sum" with discrete_laplace, or none')
        return self

    @model_validator(mode="after")
    def _one_of_each(self) -> RoundFile:
        if (self.policy is None) == (self.policy_digest is None):
            raise ValueError("give either policy (a file) or policy_digest (64 hex digits)")
        given = [self.deadline_hours, self.deadline_minutes, self.deadline]
        if sum(value is not None for value in given) != 1:
            raise ValueError("give one of deadline_hours, deadline_minutes, deadline")
        pure = self.mechanism == "discrete_laplace"
        if (self.epsilon is None) == pure or (self.rho is None) != pure:
            raise ValueError(
                "give rho with the discrete Gaussian mechanism, epsilon with the discrete Laplace"
            )
        return self
