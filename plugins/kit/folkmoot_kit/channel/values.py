"""Plain values as JSON: what TOML can hold, what a household's input can be.

Tables, dates, times and numbers that JSON lacks are wrapped, so that each value comes back as
the type it was.
"""

from __future__ import annotations

import datetime
import math
from collections.abc import Callable, Mapping
from typing import Any

_TABLE = "table"
_DEEPEST = 32


class ValueFault(ValueError):
    """A value that cannot cross, or is none."""


def encode(value: object, depth: int = 0) -> Any:
    """The value in JSON's types.

    Raises:
        ValueFault: If TOML does not have its type, or it is nested too deeply.
    """
    if depth > _DEEPEST:
        raise ValueFault("is nested too deeply")
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else {"number": repr(value)}
    if isinstance(value, list | tuple):
        return [encode(item, depth + 1) for item in value]
    if isinstance(value, Mapping):
        return {_TABLE: {str(key): encode(item, depth + 1) for key, item in value.items()}}
    if isinstance(value, datetime.datetime):
        return {"moment": value.isoformat()}
    if isinstance(value, datetime.date):
        return {"date": value.isoformat()}
    if isinstance(value, datetime.time):
        return {"time": value.isoformat()}
    raise ValueFault(f"has type {type(value).__name__}, which TOML does not have")


def decode(value: object, depth: int = 0) -> Any:
    """The value that `encode` was given; tuples come back as lists.

    Raises:
        ValueFault: If `encode` gives no such thing.
    """
    if depth > _DEEPEST:
        raise ValueFault("is nested too deeply")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list):
        return [decode(item, depth + 1) for item in value]
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueFault("is no value")
    ((kind, content),) = value.items()
    if kind == _TABLE and isinstance(content, dict):
        return {key: decode(item, depth + 1) for key, item in content.items()}
    read = _READ.get(kind)
    if read is None or not isinstance(content, str):
        raise ValueFault("is no value")
    try:
        return read(content)
    except ValueError:
        raise ValueFault("is no value") from None


_READ: Mapping[str, Callable[[str], Any]] = {
    "number": float,
    "moment": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
}
