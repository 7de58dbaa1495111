"""Typed parameters: frozen dataclasses filled from TOML, unknown keys refused."""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import types
import typing
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from folkmoot_sdk.errors import PluginError

T = TypeVar("T")


def parameter(
    *,
    default: Any = dataclasses.MISSING,
    default_factory: Any = dataclasses.MISSING,
    description: str = "",
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    name: str = "",
) -> Any:
    """A field of a parameters dataclass, with what a reader of the policy must know.

    Args:
        default: Value if the key is missing; without one the key is required.
        default_factory: As in `dataclasses.field`.
        description: One sentence.
        unit: `GBP`, `days`, `years`, ...
        minimum: Smallest valid value.
        maximum: Largest valid value.
        name: Key in TOML, if it is not a Python identifier (`in`, `true`).
    """
    metadata = {
        "description": description,
        "unit": unit,
        "minimum": minimum,
        "maximum": maximum,
        "name": name,
    }
    return dataclasses.field(default=default, default_factory=default_factory, metadata=metadata)


def nearest(word: str, valid: typing.Iterable[str]) -> str:
    """A hint that names the valid word nearest to `word`, and all of them if they are few."""
    words = sorted(valid)
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    hint = f"Did you mean {close[0]!r}? " if close else ""
    return f"{hint}Valid: {', '.join(words) or 'none'}"


def build(cls: type[T], values: Mapping[str, Any], where: str) -> T:
    """Makes a dataclass from TOML values.

    Nested dataclasses, `dict[str, X]`, `tuple[X, ...]`, enumerations (by value), dates
    and paths are filled as their annotations say.

    Raises:
        PluginError: Naming the key and the nearest valid one, if a key is unknown,
            missing, of the wrong type or out of range.
    """
    if not isinstance(values, Mapping):
        raise PluginError(where, "is not a table", "Write it as a TOML table")
    hints = typing.get_type_hints(cls)
    keys = {
        (entry.metadata.get("name") or entry.name): entry
        for entry in dataclasses.fields(cls)  # type: ignore[arg-type]
        if entry.init
    }
    for key in values:
        if key not in keys:
            raise PluginError(f"{where}.{key}", "is an unknown key", nearest(str(key), keys))
    filled = {}
    for key, entry in keys.items():
        if key in values:
            filled[entry.name] = _convert(hints[entry.name], values[key], f"{where}.{key}")
            _check_range(filled[entry.name], entry.metadata, f"{where}.{key}")
        elif (
            entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING
        ):
            raise PluginError(f"{where}.{key}", "is missing", "Add the key")
    try:
        return cls(**filled)
    except ValueError as error:
        raise PluginError(where, str(error), "Correct the values") from error


def _check_range(value: Any, metadata: Mapping[str, Any], where: str) -> None:
    low, high = metadata.get("minimum"), metadata.get("maximum")
    if (low is not None and value < low) or (high is not None and value > high):
        raise PluginError(where, f"{value} is out of range", f"Give {low} to {high}")


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        for option in arguments:
            if option is type(None):
                continue
            try:
                return _convert(option, value, where)
            except PluginError as error:
                last = error
        raise last
    if origin is tuple and isinstance(value, list):
        return tuple(_convert(arguments[0], item, f"{where}[{at}]") for at, item in enumerate(value))
    if origin in (dict, Mapping) and isinstance(value, Mapping):
        return {key: _convert(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return build(hint, value, where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        by_value = {member.value: member for member in hint}
        if value in by_value:
            return by_value[value]
        raise PluginError(where, f"{value!r} is not valid", nearest(str(value), by_value))
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Any:
        return value
    plain = {bool: "true or false", int: "a whole number", float: "a number", str: "a text",
             datetime.date: "a date (2026-04-01)"}
    if isinstance(hint, type) and hint in plain:
        if type(value) is hint:
            return value
        raise PluginError(where, f"is a {type(value).__name__}", f"Give {plain[hint]}")
    raise PluginError(where, "has the wrong type", f"Give {hint}")
