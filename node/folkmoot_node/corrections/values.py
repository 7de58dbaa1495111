"""Values that a person gives for a household's field, checked as a source's values are."""

from __future__ import annotations

import datetime
import math

from folkmoot_operator.problems import ExitCode, Problem
from folkmoot_sdk.parameters import nearest
from folkmoot_sdk.schema import Combine, Field, FieldType

Value = bool | int | float | str | datetime.date
"""A known value of a household: a category's is its code."""

_WORDS = {"yes": True, "true": True, "no": False, "false": False}
_COUNTED = {Combine.COUNT, Combine.COUNT_DISTINCT}
_MAX_INTEGER = 2**63 - 1


def checked_value(field: Field, value: Value) -> Value:
    """A value as a household can have it.

    Args:
        field: The field.
        value: What a person gave; a date may be text in ISO 8601, as files keep it.

    Returns:
        bool, int, float, date or, for a category, one of its codes.

    Raises:
        Problem: Exit code DATA, naming the field and what it takes, never the value.
    """
    found = _typed(field, value)
    if found is None:
        raise _wrong(field)
    return found


def value_of_text(field: Field, text: str) -> Value:
    """A value as a person types it: `yes`, `12.50`, `2026-03-31`, a code.

    Args:
        field: The field.
        text: What was typed.

    Raises:
        Problem: Exit code DATA, naming the field and what it takes, never the value.
    """
    typed = text.strip()
    found: Value | None = typed
    try:
        match field.household_type:
            case FieldType.BOOLEAN:
                found = _WORDS.get(typed.casefold())
            case FieldType.INTEGER:
                found = int(typed.replace(",", ""))
            case FieldType.NUMBER:
                found = float(typed.replace(",", ""))
    except ValueError:
        found = None
    if found is None:
        raise _wrong(field)
    return checked_value(field, found)


def can_be_corrected(field: Field) -> bool:
    """Whether a decision may be about a field: areas say where a home is, and are never scored."""
    return field.household_type is not FieldType.AREA


def _typed(field: Field, value: Value) -> Value | None:
    match field.household_type:
        case FieldType.BOOLEAN:
            return value if isinstance(value, bool) else None
        case FieldType.CATEGORY:
            return value if isinstance(value, str) and value in field.codes else None
        case FieldType.DATE:
            return _day(value)
        case FieldType.INTEGER | FieldType.NUMBER:
            return _number(field, value)
        case _:
            return None


def _day(value: Value) -> datetime.date | None:
    if isinstance(value, str):
        try:
            return datetime.date.fromisoformat(value)
        except ValueError:
            return None
    is_day = isinstance(value, datetime.date) and not isinstance(value, datetime.datetime)
    return value if is_day else None  # type: ignore[return-value]


def _number(field: Field, value: Value) -> int | float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if abs(value) > _MAX_INTEGER or not math.isfinite(value):
        return None
    low, high = _limits(field)
    if (low is not None and value < low) or (high is not None and value > high):
        return None
    if field.household_type is FieldType.NUMBER:
        return float(value)
    return int(value) if value == int(value) else None


def _limits(field: Field) -> tuple[float | None, float | None]:
    """The limits of a household's value: those of a record do not bound a sum from above."""
    if field.combine in _COUNTED:
        return 0, None
    return field.minimum, None if field.combine is Combine.SUM else field.maximum


def _wrong(field: Field) -> Problem:
    return Problem(
        f"the value is none that the field {field.name!r} can have",
        where=f"field {field.name}",
        remedy=f"Give {_expected(field)}",
        exit_code=ExitCode.DATA,
    )


def _expected(field: Field) -> str:
    match field.household_type:
        case FieldType.BOOLEAN:
            return "yes or no"
        case FieldType.CATEGORY:
            return f"one of its codes: {', '.join(field.codes)}"
        case FieldType.DATE:
            return "a date such as 2026-03-31"
        case FieldType.AREA:
            return "nothing: areas are corrected in the source that is the household frame"
    what = "a whole number" if field.household_type is FieldType.INTEGER else "a number"
    low, high = _limits(field)
    what += "" if low is None else f" from {low:g}"
    what += "" if high is None else f" up to {high:g}"
    return f"{what} {field.unit}".strip()


def unknown_field(name: str, fields: list[str], where: str) -> Problem:
    """The problem of a field that the policy does not use.

    Args:
        name: The name that was given.
        fields: Those that there are.
        where: Who gave it, for the message.
    """
    return Problem(
        f"the policy uses no field {name!r}",
        where=where,
        remedy=f"{nearest(name, fields)}. What the policy does not use needs no decision: it "
        "counts for nothing",
        exit_code=ExitCode.DATA,
    )
