"""Decisions about upheld objections, and which of them are in force on a day."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

Stated = bool | int | float | str | datetime.date
"""A value as the file keeps it: a date is text in ISO 8601 there."""


def _is_uprn(value: int) -> int:
    if not 1 <= value < 10**12:
        raise ValueError("a UPRN has 1 to 12 digits")
    return value


Uprn = Annotated[int, AfterValidator(_is_uprn)]
FieldName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
ObjectionId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Decision(_Model):
    """What one upheld objection of one household changes.

    Attributes:
        objection: Opaque id of the objection; it says nothing about anybody.
        decided_on: Day on which it was upheld.
        until: Last day on which it counts; None until it is withdrawn, since the source has
            been corrected.
        suppress: Fields that are not used: they count as unknown.
        correct: Fields that have another value; a category's is its code.
        withhold: Whether the household is left out of cohorts, and of counts from now on.
    """

    objection: ObjectionId
    decided_on: datetime.date
    until: datetime.date | None = None
    suppress: tuple[FieldName, ...] = ()
    correct: dict[FieldName, Stated] = {}
    withhold: bool = False

    @model_validator(mode="after")
    def _says_something(self) -> Decision:
        if not (self.suppress or self.correct or self.withhold):
            raise ValueError("give a field to suppress or to correct, or withhold the household")
        if len({*self.suppress, *self.correct}) != len(self.suppress) + len(self.correct):
            raise ValueError("a field is named twice; suppress it or correct it")
        if self.until is not None and self.until < self.decided_on:
            raise ValueError("until is before the day of the decision")
        return self

    @property
    def fields(self) -> tuple[str, ...]:
        """The fields that it is about."""
        return (*self.suppress, *self.correct)

    def counts_on(self, day: datetime.date) -> bool:
        """Whether it is in force on a day."""
        return self.decided_on <= day and (self.until is None or day <= self.until)

    def meets(self, other: Decision) -> bool:
        """Whether both are in force on some day."""
        last, its_last = self.until or datetime.date.max, other.until or datetime.date.max
        return self.decided_on <= its_last and other.decided_on <= last


class Decisions(_Model):
    """All decisions, by household.

    Attributes:
        households: By UPRN; no household without a decision.
    """

    households: dict[Uprn, tuple[Decision, ...]] = {}

    def in_force(self, day: datetime.date) -> InForce:
        """What counts on a day."""
        found = InForce({}, {}, set())
        for uprn, decisions in self.households.items():
            for decision in decisions:
                if not decision.counts_on(day):
                    continue
                for name in decision.suppress:
                    found.suppressed.setdefault(name, {})[uprn] = decision.decided_on
                for name, value in decision.correct.items():
                    corrected = Corrected(value, decision.decided_on)
                    found.corrected.setdefault(name, {})[uprn] = corrected
                if decision.withhold:
                    found.withheld.add(uprn)
        return found

    @property
    def all(self) -> Iterable[Decision]:
        """Each decision."""
        return (one for decisions in self.households.values() for one in decisions)


@dataclass(frozen=True, slots=True)
class Corrected:
    """A field's other value.

    Attributes:
        value: The value, as it was kept.
        decided_on: Day on which the objection was upheld.
    """

    value: Stated
    decided_on: datetime.date


@dataclass(frozen=True, slots=True)
class InForce:
    """The decisions that count on a day.

    Attributes:
        suppressed: By field, then UPRN, the day on which it was decided not to use it.
        corrected: By field, then UPRN, its other value.
        withheld: UPRNs of households that are left out of cohorts and new counts.
    """

    suppressed: dict[str, dict[int, datetime.date]]
    corrected: dict[str, dict[int, Corrected]]
    withheld: set[int]

    def __repr__(self) -> str:
        return "InForce(<redacted>)"

    @property
    def effects(self) -> int:
        """How many things they change: fields of households, and households withheld."""
        by_field: tuple[Mapping[str, Mapping[int, object]], ...] = self.suppressed, self.corrected
        changed = sum(len(uprns) for fields in by_field for uprns in fields.values())
        return changed + len(self.withheld)
