"""What a policy says of a public attribute of households: `[attributes.NAME]`."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Annotated

from pydantic import Field, field_validator, model_validator

from folkmoot_node.settings.slug import Slug
from folkmoot_operator.settings import Settings

UNKNOWN = "unknown"
"""Code of the households whose value is not known. A round may ask for it or leave it out."""

Number = Annotated[float, Field(allow_inf_nan=False)]
_CODE = re.compile(r"[A-Za-z0-9_.+<>=-]{1,32}")
CODES_ARE = "1 to 32 letters, digits or . _ + < > = -"


def is_code(text: str) -> bool:
    """Whether a round can name households by it."""
    return _CODE.fullmatch(text) is not None


def ascending(breaks: tuple[float, ...]) -> tuple[float, ...]:
    """Breaks as they are; ValueError unless they ascend."""
    if any(low >= high for low, high in pairwise(breaks)):
        raise ValueError("the breaks must ascend")
    return breaks


class Condition(Settings):
    """One condition of a combined attribute: a number in a range, or a value that is stated.

    Attributes:
        field: The field.
        at_least: For a number: it is this or more.
        under: For a number: it is less than this.
        is_: For a boolean the value, for a category the codes, any of which it has.
    """

    field: Slug
    at_least: Number | None = None
    under: Number | None = None
    is_: Annotated[bool | tuple[str, ...] | None, Field(alias="is")] = None

    @model_validator(mode="after")
    def _says_something(self) -> Condition:
        in_range = self.at_least is not None or self.under is not None
        if in_range == (self.is_ is not None) or self.is_ == ():
            raise ValueError("give at_least, under or both for a number, else `is`")
        if self.at_least is not None and self.under is not None and self.at_least >= self.under:
            raise ValueError("at_least must be less than under, or no household meets it")
        return self


class AttributeEntry(Settings):
    """One `[attributes.NAME]` table: a public attribute of a household, for counts.

    Attributes:
        field: The field it is made from; None for the other kinds.
        breaks: For a number: the lower ends of all groups but the first, ascending. For a factor:
            those of all levels but the first, as factor scores, above 0 and at most 1.
        all_: Conditions, all of which a household must meet.
        factor: Factor of the policy, by whose score households are put into levels.
        levels: Codes of these levels, from the lowest; one more than breaks.
        outcome: Field that a source declares as an outcome: whether the event happened within
            `months` of a past date. Rounds alone ask for it: docs/validation.md.
        months: For an outcome: events later than this many months after the date do not count.
        moved_away: For an outcome: an outcome field whose event ends the observation of a
            household; without an event before, it is `unknown`.
        deceased: The same, of a death.
    """

    field: Slug | None = None
    breaks: tuple[Number, ...] = ()
    all_: Annotated[tuple[Condition, ...], Field(alias="all", max_length=10)] = ()
    factor: Slug | None = None
    levels: Annotated[tuple[str, ...], Field(max_length=20)] = ()
    outcome: Slug | None = None
    months: Annotated[int | None, Field(ge=1, le=60)] = None
    moved_away: Slug | None = None
    deceased: Slug | None = None

    _ascend = field_validator("breaks")(ascending)

    @model_validator(mode="after")
    def _is_one_kind(self) -> AttributeEntry:
        kinds = (self.field, self.all_, self.factor, self.outcome)
        if sum(bool(kind) for kind in kinds) != 1:
            raise ValueError(
                "give one of: a field, conditions under `all`, a factor with levels, or an outcome "
                "with months"
            )
        if self.all_ and self.breaks:
            raise ValueError("breaks belong to a field; conditions have at_least and under")
        if self.levels and self.factor is None:
            raise ValueError("levels belong to a factor")
        if self.outcome is None and (self.months or self.ends):
            raise ValueError("months, moved_away and deceased belong to an outcome")
        return self

    @model_validator(mode="after")
    def _has_levels(self) -> AttributeEntry:
        if self.factor is None:
            return self
        if not self.breaks or len(self.levels) != len(self.breaks) + 1:
            raise ValueError(
                "a factor needs breaks and one more of levels: breaks = [0.5], levels = "
                '["no", "yes"] are two'
            )
        if self.breaks[0] <= 0 or self.breaks[-1] > 1:
            raise ValueError("breaks of a factor are factor scores, above 0 and at most 1")
        for level in self.levels:
            if not is_code(level) or level == UNKNOWN:
                raise ValueError(f"the level {level!r} cannot be a code; use {CODES_ARE}")
        if len(set(self.levels)) != len(self.levels):
            raise ValueError("two levels have the same name")
        return self

    @model_validator(mode="after")
    def _has_a_horizon(self) -> AttributeEntry:
        if self.outcome is None:
            return self
        if self.months is None:
            raise ValueError("an outcome needs months, the horizon: from 1 to 60")
        if self.breaks:
            raise ValueError("an outcome has the codes no, yes and unknown, and no breaks")
        if self.outcome in self.ends:
            raise ValueError(f"{self.outcome!r} cannot be the event and end the observation")
        return self

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """The fields it is made from, each with its key in the table; outcomes are none."""
        if self.field is not None:
            return ((self.field, "field"),)
        return tuple((one.field, f"all[{at}].field") for at, one in enumerate(self.all_))

    @property
    def ends(self) -> tuple[str, ...]:
        """Outcome fields whose events end the observation of a household."""
        return tuple(filter(None, (self.moved_away, self.deceased)))

    @property
    def events(self) -> tuple[tuple[str, str], ...]:
        """The outcome fields it is made from, each with its key in the table."""
        named = {"outcome": self.outcome, "moved_away": self.moved_away, "deceased": self.deceased}
        return tuple((name, key) for key, name in named.items() if name)
