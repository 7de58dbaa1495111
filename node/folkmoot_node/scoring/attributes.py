"""Public attributes of a household, by which counts are made.

The codes of an attribute come from the policy and from declared code lists, never from
the data.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from itertools import pairwise

from folkmoot_node.policies.attribute_entries import (
    CODES_ARE,
    UNKNOWN,
    AttributeEntry,
    Condition,
    is_code,
)
from folkmoot_node.policies.risk_policy import BAND, RiskPolicy
from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.schema import Field, FieldType

NO, YES = "no", "yes"
"""Codes of booleans, of combined conditions and of outcomes."""


@dataclass(frozen=True, slots=True)
class BoundOutcome:
    """What an attribute of an outcome is made from.

    Attributes:
        event: The outcome field.
        ends: Outcome fields whose events end the observation of a household.
        until: Last day of the horizon; None in a run of today, which does not have it.
    """

    event: str
    ends: tuple[str, ...]
    until: datetime.date | None

    @property
    def fields(self) -> tuple[str, ...]:
        """All outcome fields that it needs."""
        return (self.event, *self.ends)


@dataclass(frozen=True, slots=True)
class BoundAttribute:
    """An attribute with its code list.

    Attributes:
        name: Identifier.
        field: The field it is made from; None for `band` and for those of the kinds below.
        codes: Codes in order; None for an area, whose codes come from the round.
        breaks: Lower ends of all groups but the first; empty unless a number or a factor is
            grouped.
        conditions: Those that it combines, each with its field; empty for other attributes.
        factor: Factor whose levels it has; empty for other attributes.
        outcome: What it is made from, if it says whether something happened after a past date.
    """

    name: str
    field: Field | None
    codes: tuple[str, ...] | None
    breaks: tuple[float, ...] = ()
    conditions: tuple[tuple[Condition, Field], ...] = ()
    factor: str = ""
    outcome: BoundOutcome | None = None

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields it is made from; none for `band`, factors and outcomes."""
        alone = () if self.field is None else (self.field,)
        return (*alone, *(field for _, field in self.conditions))


def band_attribute(policy: RiskPolicy) -> BoundAttribute:
    """The attribute `band`."""
    return BoundAttribute(BAND, None, policy.band_names)


def level_attribute(name: str, entry: AttributeEntry, factor: str) -> BoundAttribute:
    """An attribute that says in which level a factor's score is; its codes end with `unknown`."""
    return BoundAttribute(name, None, (*entry.levels, UNKNOWN), breaks=entry.breaks, factor=factor)


def outcome_attribute(
    name: str, event: str, ends: tuple[str, ...], until: datetime.date | None
) -> BoundAttribute:
    """An attribute that says whether an event happened after a past date.

    Its codes are `no`, `yes` and `unknown`: of a household whose observation ended before the
    horizon did, and without the event, nobody knows.

    Args:
        name: Identifier.
        event: The outcome field.
        ends: Outcome fields whose events end the observation of a household.
        until: Last day of the horizon; None in a run of today.
    """
    outcome = BoundOutcome(event, ends, until)
    return BoundAttribute(name, None, (NO, YES, UNKNOWN), outcome=outcome)


def combined_attribute(
    name: str, conditions: tuple[tuple[Condition, Field], ...], where: str
) -> BoundAttribute:
    """An attribute that says whether a household meets several conditions at once.

    Its codes are `no`, `yes` and `unknown`, by Kleene's strong logic: a household that fails one
    condition is `no`, whatever else is unknown about it; it is `unknown` if it fails none, and
    one is unknown.

    Args:
        name: Identifier.
        conditions: Each with the field that it is about.
        where: The table of the policy, for messages.

    Raises:
        Problem: Exit code SETTINGS, if a condition does not fit its field.
    """
    for at, (condition, field) in enumerate(conditions):
        _check_condition(condition, field, f"{where}.all[{at}]")
    return BoundAttribute(name, None, (NO, YES, UNKNOWN), conditions=conditions)


def _check_condition(condition: Condition, field: Field, where: str) -> None:
    kind, stated = field.household_type, condition.is_
    if kind in {FieldType.INTEGER, FieldType.NUMBER}:
        fits, remedy = stated is None, "Give at_least, under or both"
    elif kind is FieldType.BOOLEAN:
        fits, remedy = isinstance(stated, bool), "Give is = true or is = false"
    elif kind is FieldType.CATEGORY:
        fits = isinstance(stated, tuple) and set(stated) <= set(field.codes)
        remedy = f"Give is = [...] with some of its codes: {', '.join(field.codes)}"
    else:
        fits, remedy = False, "Name a number, boolean or category"
    if not fits:
        raise Problem(
            f"field {field.name!r} is {kind.value}, and the condition is for another kind of "
            "field or for a code it does not have",
            where=where,
            remedy=remedy,
            exit_code=ExitCode.SETTINGS,
        )


def bind_attribute(name: str, entry: AttributeEntry, field: Field, where: str) -> BoundAttribute:
    """Gives an attribute its codes.

    Categories have the field's codes, booleans `no` and `yes`, grouped numbers one code
    for each group: `under_16`, `16_24`, `75_over`. All but areas end with `unknown`.

    Raises:
        Problem: Exit code SETTINGS, if the field cannot be tabulated as asked.
    """
    kind = field.household_type
    grouped = kind in {FieldType.INTEGER, FieldType.NUMBER}
    if grouped != bool(entry.breaks):
        raise Problem(
            f"field {field.name!r} is {'a number' if grouped else kind.value}, which "
            f"{'needs' if grouped else 'has no'} breaks",
            where=f"{where}.breaks",
            remedy="Give the lower ends of the groups, ascending" if grouped else "Remove the key",
            exit_code=ExitCode.SETTINGS,
        )
    if kind is FieldType.AREA:
        return BoundAttribute(name, field, None)
    if kind is FieldType.DATE:
        raise Problem(
            f"field {field.name!r} is a date, which has no public codes",
            where=f"{where}.field",
            remedy="Name a category, boolean, number or area",
            exit_code=ExitCode.SETTINGS,
        )
    if grouped:
        codes = group_codes(entry.breaks, whole=kind is FieldType.INTEGER)
    elif kind is FieldType.BOOLEAN:
        codes = (NO, YES)
    else:
        codes = field.codes
    for code in codes:
        if not is_code(code):
            raise Problem(
                f"code {code!r} of field {field.name!r} cannot be used in a round",
                where=where,
                remedy=f"Map it to {CODES_ARE}",
                exit_code=ExitCode.SETTINGS,
            )
    if UNKNOWN not in codes:
        codes = (*codes, UNKNOWN)
    return BoundAttribute(name, field, codes, entry.breaks)


def group_codes(breaks: tuple[float, ...], *, whole: bool) -> tuple[str, ...]:
    """Codes of the groups between `breaks`.

    Args:
        breaks: Lower ends of all groups but the first, ascending.
        whole: True if the values are whole numbers: `16_24` is 16 to 24. Otherwise
            `16_to_25` is from 16 to below 25.
    """
    whole = whole and all(value == int(value) for value in breaks)
    inner = []
    for low, high in pairwise(breaks):
        if not whole:
            inner.append(f"{_text(low)}_to_{_text(high)}")
        elif high - low == 1:
            inner.append(_text(low))
        else:
            inner.append(f"{_text(low)}_{_text(high - 1)}")
    return (f"under_{_text(breaks[0])}", *inner, f"{_text(breaks[-1])}_over")


def _text(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)
