"""What was known of one household: each input with its source and date, or why not."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, cast

from folkmoot_node.scoring.bound import Binding, BoundField
from folkmoot_node.store import schema as table
from folkmoot_node.store.run_summary import RunSummary
from folkmoot_node.store.source_summary import SourceSummary
from folkmoot_sdk.schema import Field, FieldType

Value = bool | int | float | str | datetime.date | None


class Standing(Enum):
    """How an input of a household came to be known, or why it is not."""

    RECORDED = "recorded"
    """A record of the household states it."""
    BY_ABSENCE = "by_absence"
    """The source has no record of the household, and says something by that."""
    BY_AREA = "by_area"
    """A record of the household's area states it."""
    NO_SOURCE = "no_source"
    """No source provides it."""
    LICENCE_ENDED = "licence_ended"
    """It is bought, and may no longer be read."""
    NO_RECORD = "no_record"
    """The source has no record of the household."""
    REJECTED = "rejected"
    """A record of the household was rejected, or this value of it, and no other settles it."""
    NO_VALUE = "no_value"
    """The source's records of the household, or of its area, do not state it."""
    NOT_SHOWN = "not_shown"
    """Its source is sensitive, and whoever asks may not see it."""
    SUPPRESSED = "suppressed"
    """The household objected to it, and the objection was upheld."""
    CORRECTED = "corrected"
    """An objection was upheld, which states it."""
    LEFT_OUT = "left_out"
    """It was left out, to see the score without it; nothing is stored of that."""
    INSTEAD = "instead"
    """It was put in the place of another, to see the score with it; nothing is stored of that."""


@dataclass(frozen=True, slots=True)
class InputValue:
    """One input of a household.

    Attributes:
        field: Name of the field.
        description: What it is.
        value: The household's value; None if unknown.
        unit: Unit of the value.
        standing: How it came to be known, or why it is not.
        source: Source in `node.toml`; empty if no source provides the field.
        supplier: Who supplies the data.
        as_at: Date of the household's latest record in the source; of the source's latest
            record if the household has none with a date; None if the source has no dates.
        of_household: True if `as_at` is the date of the household's own record.
        licence_ended: Last day of a licence that has ended.
        without_home: Share of the source's records, from 0 to 1, that have found no household:
            one of them may be this household's.
        decided_on: Day on which an objection to it was upheld.
    """

    field: str
    description: str
    value: Value
    unit: str
    standing: Standing
    source: str = ""
    supplier: str = ""
    as_at: datetime.date | None = None
    of_household: bool = False
    licence_ended: datetime.date | None = None
    without_home: float = 0.0
    decided_on: datetime.date | None = None

    @property
    def words(self) -> str:
        """Where it comes from and of which date, or why it is not known."""
        match self.standing:
            case Standing.NO_SOURCE:
                return "no source provides it"
            case Standing.NOT_SHOWN:
                return "not shown: its source is sensitive"
            case Standing.LICENCE_ENDED:
                assert self.licence_ended is not None
                return f"not read: its licence ended on {self.licence_ended.isoformat()}"
            case Standing.SUPPRESSED:
                return "you objected to it, and we agreed not to use it"
            case Standing.CORRECTED:
                assert self.decided_on is not None
                return f"corrected after an objection on {self.decided_on.isoformat()}"
            case Standing.LEFT_OUT:
                return "left out, to see the score without it"
            case Standing.INSTEAD:
                return "put in, to see the score with it"
            case Standing.NO_RECORD:
                what = "no record of this household"
            case Standing.REJECTED:
                what = "its record was rejected"
            case Standing.NO_VALUE:
                what = "a record without this value" if self.of_household else "no value"
            case Standing.BY_ABSENCE:
                what = "no record for this household, which counts as this value"
            case Standing.BY_AREA:
                what = "of the household's area"
            case Standing.RECORDED:
                what = ""
        parts = (self.source, what, self._date())
        return ", ".join(part for part in parts if part)

    def _date(self) -> str:
        if self.as_at is None:
            return "" if self.standing is Standing.NO_RECORD else "undated"
        day = self.as_at.isoformat()
        return f"record of {day}" if self.of_household else f"data up to {day}"


def known_inputs(
    binding: Binding, run: RunSummary, row: Mapping[str, Any]
) -> dict[str, InputValue]:
    """Every input of every factor by name, in the order of the policy.

    Args:
        binding: The policy by which the household was scored.
        run: The run.
        row: The household, as `HouseholdStore.household` gives it.
    """
    sources = {summary.name: summary for summary in run.sources}
    found: dict[str, InputValue] = {}
    for bound in binding.factors:
        for wanted in bound.inputs:
            name = wanted.input.name
            provided = binding.fields.get(name)
            if provided is not None:
                found[name] = _provided(provided, sources[provided.source], row)
                continue
            end = run.unlicensed.get(name)
            standing = Standing.LICENCE_ENDED if end else Standing.NO_SOURCE
            found[name] = InputValue(name, "", None, wanted.input.unit, standing, licence_ended=end)
    return found


def _provided(bound: BoundField, source: SourceSummary, row: Mapping[str, Any]) -> InputValue:
    field = bound.field
    value = _value(field, row[table.field_column(field.name)])
    date = row.get(table.date_column(bound.source))
    return InputValue(
        field=field.name,
        description=field.description,
        value=value,
        unit=field.unit,
        standing=_standing(field, value, source, row),
        decided_on=row.get(table.suppressed_column(field.name))
        or row.get(table.corrected_column(field.name)),
        source=bound.source,
        supplier=source.supplier,
        as_at=date or source.latest_record,
        of_household=date is not None,
        without_home=_without_home(source, row),
    )


def _without_home(source: SourceSummary, row: Mapping[str, Any]) -> float:
    """Of a source that is neither about areas nor the frame."""
    is_joined = table.record_column(source.name) in row
    return 1 - source.share_linked if is_joined and not source.about_areas else 0.0


def _standing(
    field: Field, value: Value, source: SourceSummary, row: Mapping[str, Any]
) -> Standing:
    if row.get(table.suppressed_column(field.name)):
        return Standing.SUPPRESSED
    if row.get(table.corrected_column(field.name)):
        return Standing.CORRECTED
    if source.about_areas:
        return Standing.NO_VALUE if value is None else Standing.BY_AREA
    if row.get(table.rejected_column(field.name)):
        return Standing.REJECTED
    # The frame has a record of each household.
    if row.get(table.record_column(source.name), True):
        return Standing.NO_VALUE if value is None else Standing.RECORDED
    return Standing.NO_RECORD if value is None else Standing.BY_ABSENCE


def _value(field: Field, stored: Any) -> Value:
    if stored is None:
        return None
    if field.household_type is FieldType.CATEGORY:
        return field.codes[int(stored)]
    return cast(Value, stored)
