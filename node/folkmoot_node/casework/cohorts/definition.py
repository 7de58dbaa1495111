"""What a cohort is: conditions that all apply, what for, whose, on what basis, until when.

The same as a TOML file, as a form on a page, and as JSON in the database.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from folkmoot_operator.settings import Settings, parse, read, toml_text

MAX_CONDITIONS = 20
_Line = StringConstraints(min_length=1, pattern=r"^[^\x00-\x1f\x7f]*$", strip_whitespace=True)
_Name = Annotated[str, _Line, Field(max_length=100)]
Bound = int | float | datetime.date
"""What numbers and dates are compared with."""
Value = bool | int | float | datetime.date | str
"""What a condition can ask for."""


class Mark(StrEnum):
    """What is known of a household besides the conditions."""

    OBJECTED = "objected"
    """An objection was upheld: it is in no cohort."""
    IN_CASE = "in_case"
    """It has a case that is not closed, for the same purpose."""
    SUPPORTED = "supported"
    """A case for the same purpose was closed with an outcome lately."""
    DEATH_REPORTED = "death_reported"
    """A source says that somebody has died: records may still have that person."""
    DECIDED_AGAINST = "decided_against"
    """Somebody has decided to open no case, of this cohort."""


ALWAYS_LEFT_OUT = Mark.OBJECTED
"""No cohort can have those that objected, whatever its rule says."""
LEFT_OUT = (Mark.OBJECTED, Mark.IN_CASE, Mark.SUPPORTED)
"""Unless a cohort says otherwise; the other marks are shown."""


class Kind(StrEnum):
    """What a condition can be about; the keys of a file."""

    FIELD = "field"
    """An input of a factor, as the sources gave it."""
    ATTRIBUTE = "attribute"
    """An attribute of the risk stratification policy."""
    FACTOR = "factor"
    """The points that a factor adds to the score."""
    RESULT = "result"
    """The score, the band or the completeness."""


class Condition(Settings):
    """One `[[conditions]]` table: what it is about, and one comparison or a range.

    Attributes:
        field: An input of factors.
        attribute: An attribute of the risk stratification policy.
        factor: A factor, whose points are compared.
        result: `score` in points, `band`, or `completeness` from 0 to 1.
        above: It is more than this: a number or a date.
        at_least: It is this or more.
        under: It is less than this.
        at_most: It is this or less.
        is_: It is exactly this: yes or no, a code, a number or a date.
        in_: It is one of these codes.
        is_known: Whether it is known at all.
    """

    field: _Name | None = None
    attribute: _Name | None = None
    factor: _Name | None = None
    result: Literal["score", "band", "completeness"] | None = None
    above: Bound | None = None
    at_least: Bound | None = None
    under: Bound | None = None
    at_most: Bound | None = None
    is_: Annotated[Value | None, Field(alias="is")] = None
    in_: Annotated[tuple[str, ...] | None, Field(alias="in", min_length=1)] = None
    is_known: bool | None = None

    @field_validator("above", "at_least", "under", "at_most", "is_", mode="before")
    @classmethod
    def _is_plain(cls, value: Any) -> Any:
        if isinstance(value, float) and not abs(value) < float("inf"):
            raise ValueError("it must be a number that is not infinite")
        if isinstance(value, datetime.datetime):
            raise ValueError("give a date without a time")
        return value

    @field_validator("above", "at_least", "under", "at_most", mode="before")
    @classmethod
    def _is_no_boolean(cls, value: Any) -> Any:
        if isinstance(value, str):  # JSON has no dates
            try:
                return datetime.date.fromisoformat(value)
            except ValueError:
                raise ValueError("it must be a number or a date") from None
        if isinstance(value, bool):
            raise ValueError("it must be a number or a date; for yes or no use `is`")
        return value

    @model_validator(mode="after")
    def _is_one_comparison(self) -> Condition:
        if len([one for one in Kind if getattr(self, one) is not None]) != 1:
            raise ValueError("give one of field, attribute, factor and result")
        low = [one for one in (self.above, self.at_least) if one is not None]
        high = [one for one in (self.under, self.at_most) if one is not None]
        others = [one for one in (self.is_, self.in_, self.is_known) if one is not None]
        if len(low) > 1 or len(high) > 1:
            raise ValueError("give above or at_least, and under or at_most, not both")
        if bool(low or high) + len(others) != 1:
            raise ValueError(
                "give a range by above, at_least, under and at_most; or one of is, in and is_known"
            )
        if low and high:
            self._check_range(low[0], high[0])
        return self

    def _check_range(self, low: Bound, high: Bound) -> None:
        if isinstance(low, datetime.date) != isinstance(high, datetime.date):
            raise ValueError("both ends must be numbers, or both dates")
        both_in = self.at_least is not None and self.at_most is not None
        if low > high or (low == high and not both_in):  # type: ignore[operator]
            raise ValueError("no household can meet it: the lower end is above the upper one")

    @property
    def kind(self) -> Kind:
        """What it is about."""
        return next(one for one in Kind if getattr(self, one) is not None)

    @property
    def name(self) -> str:
        """Its field, attribute, factor or result."""
        return str(getattr(self, self.kind))

    @property
    def bounds(self) -> Iterator[tuple[str, Bound]]:
        """Key and value of the ends of its range."""
        for key in ("above", "at_least", "under", "at_most"):
            value = getattr(self, key)
            if value is not None:
                yield key, value

    def as_json(self) -> dict[str, Any]:
        """Its keys as in the file; dates as ISO 8601."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Conditions(Settings):
    """Who belongs to a cohort.

    Attributes:
        conditions: All of which a household must meet.
        leave_out: Marks with which a household is left out.
        supported_within_days: How long ago a case may have been closed for `supported`.
    """

    conditions: Annotated[tuple[Condition, ...], Field(min_length=1, max_length=MAX_CONDITIONS)]
    leave_out: tuple[Mark, ...] = LEFT_OUT
    supported_within_days: Annotated[int, Field(ge=1, le=3660)] = 365

    @field_validator("leave_out")
    @classmethod
    def _objections_count(cls, value: tuple[Mark, ...]) -> tuple[Mark, ...]:
        return tuple(one for one in Mark if one in value or one is ALWAYS_LEFT_OUT)

    def conditions_json(self) -> str:
        """The conditions and rules alone, as JSON in one form."""
        values = self.model_dump(
            mode="json", by_alias=True, exclude_none=True, include=set(Conditions.model_fields)
        )
        return json.dumps(values, sort_keys=True, ensure_ascii=False)

    @property
    def digest(self) -> str:
        """SHA-256 of conditions and rules, hexadecimal: the same for the same households."""
        return hashlib.sha256(self.conditions_json().encode()).hexdigest()


class Definition(Conditions):
    """A cohort, as its file says.

    Attributes:
        title: What it is called.
        purpose: What for; cases that are opened from it have the same purpose.
        owner: Who answers for it.
        lawful_basis: Under which the council may do that.
        ends: The last day on which it is run and decided on.
    """

    title: Annotated[str, _Line, Field(max_length=120)]
    purpose: _Name
    owner: _Name
    lawful_basis: Annotated[str, _Line, Field(max_length=300)]
    ends: datetime.date

    def as_toml(self) -> str:
        """The file."""
        lines = [f"{key} = {_toml(getattr(self, key))}" for key in _HEAD]
        lines.append(f"leave_out = {_toml(list(self.leave_out))}")
        lines.append(f"supported_within_days = {self.supported_within_days}")
        for one in self.conditions:
            written = one.model_dump(by_alias=True, exclude_none=True)
            lines += ["", "[[conditions]]", *(f"{k} = {_toml(v)}" for k, v in written.items())]
        return "\n".join(lines) + "\n"


_HEAD = ("title", "purpose", "owner", "lawful_basis", "ends")


def load_definition(path: Path) -> Definition:
    """Reads a cohort's file.

    Raises:
        Problem: Exit code SETTINGS, naming each key that is wrong.
    """
    return parse(Definition, read(path), str(path))


def definition_of(text: str) -> Definition:
    """A definition from its JSON, as the database keeps it."""
    return Definition.model_validate_json(text)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return toml_text(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return value.isoformat() if isinstance(value, datetime.date) else repr(value)
