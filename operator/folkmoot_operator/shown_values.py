"""Values as JSON has them, for people: one line of text, points of a list, or a table."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_DAY = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_LARGE = 1e6
"""Numbers from which on nobody reads a fraction."""


@dataclass(frozen=True, slots=True)
class LaidOut:
    """How a page shows a value; what does not apply is empty.

    Attributes:
        text: One line.
        points: Of a list.
        columns: Names of the columns of a table.
        cells: Its rows.
    """

    text: str = ""
    points: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    cells: tuple[tuple[str, ...], ...] = ()


def laid_out(value: Any) -> LaidOut:
    """How a page shows a value.

    Args:
        value: As JSON has it.
    """
    if isinstance(value, Mapping) and value:
        if all(isinstance(one, Mapping) for one in value.values()):
            return _table({"name": name, **one} for name, one in value.items())
        return LaidOut(points=tuple(f"{name}: {shown(one)}" for name, one in value.items()))
    if isinstance(value, list) and value:
        if all(isinstance(one, Mapping) for one in value):
            return _table(value)
        if len(value) > 1:
            return LaidOut(points=tuple(shown(one) for one in value))
    return LaidOut(text=shown(value))


def shown(value: Any) -> str:
    """A value for people, on one line: lists with commas, tables with colons.

    Args:
        value: As JSON has it; a tuple is a list.
    """
    match value:
        case None:
            return "nothing"
        case "":
            return "empty"
        case bool():
            return "yes" if value else "no"
        case float():
            return f"{value:,g}" if abs(value) < _LARGE else f"{value:,.0f}"
        case int():
            return f"{value:,}"
        case list() | tuple():
            return ", ".join(map(_inner, value)) or "none"
        case dict():
            return "; ".join(f"{name}: {_inner(one)}" for name, one in value.items()) or "none"
        case _:
            return _day_shown(str(value))


def _inner(value: Any) -> str:
    """A value inside another: what has parts itself is in brackets."""
    has_parts = isinstance(value, dict | list | tuple) and value
    return f"({shown(value)})" if has_parts else shown(value)


def day_of(value: object) -> datetime.date | None:
    """The day that a text is, as 2026-12-31; None for everything else, such as eight digits."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    try:
        return datetime.date.fromisoformat(value)
    except ValueError:
        return None


def _day_shown(text: str) -> str:
    day = day_of(text)
    return text if day is None else f"{day.day} {day:%B %Y}"


def _table(entries: Any) -> LaidOut:
    rows: Sequence[Mapping[str, Any]] = list(entries)
    columns = tuple(dict.fromkeys(name for one in rows for name in one))
    return LaidOut(
        columns=columns,
        cells=tuple(tuple(shown(one.get(column, "")) for column in columns) for one in rows),
    )
