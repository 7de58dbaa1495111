"""Takes answers apart that nobody vouches for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


class Garbage(Exception):
    """An answer is not what was asked for. The text quotes nothing of it."""


def whole(body: Mapping[str, Any], key: str, low: int, high: int) -> int:
    """A whole number from `low` to `high`.

    Raises:
        Garbage: If it is none.
    """
    value = body.get(key)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise Garbage(f"`{key}` is no number in its range")
    return value


def entries(body: Mapping[str, Any], key: str, most: int) -> Sequence[Any]:
    """A list of at most `most` entries.

    Raises:
        Garbage: If it is none.
    """
    value = body.get(key)
    if not isinstance(value, list) or len(value) > most:
        raise Garbage(f"`{key}` is no list, or too long")
    return value


def table(value: object) -> Mapping[str, Any]:
    """A JSON object.

    Raises:
        Garbage: If it is none.
    """
    if not isinstance(value, dict):
        raise Garbage("an entry is no table")
    return value
