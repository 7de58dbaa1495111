"""Typed parameters: frozen dataclasses filled from TOML, unknown keys refused."""

from __future__ import annotations

import dataclasses
import datetime
import difflib
import math
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar

from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.secret import FILE, VARIABLE, Secret, named_secret

T = TypeVar("T")


def parameter(
    *,
    default: Any = dataclasses.MISSING,
    default_factory: Any = dataclasses.MISSING,
    description: str = "",
    unit: str = "",
    minimum: float | None = None,
    maximum: float | None = None,
    choices: Sequence[Any] = (),
    validate: Callable[[Any], None] | None = None,
    secret: bool = False,
    variable: bool = False,
    name: str = "",
) -> Any:
    """A field of a parameters dataclass, with what a reader of the policy must know.

    Rules between several fields belong into `__post_init__`, which raises ValueError.

    Args:
        default: Value if the key is missing; without one the key is required.
        default_factory: As in `dataclasses.field`.
        description: One sentence.
        unit: `GBP`, `days`, `years`, ...
        minimum: Smallest valid value.
        maximum: Largest valid value.
        choices: The valid values, if they are few; of a list, those of its entries. An
            enumeration as annotation does the same, with names in Python.
        validate: Called with the value, after its type, range and choices were found right;
            raises ValueError, whose text completes a sentence: `has no vowel`.
        secret: True if the text in the settings is the path of a file that holds a secret. The
            field's type is `Secret`, or `Secret | None`.
        variable: With `secret`: True if the text is the name of an environment variable instead.
        name: Key in TOML, if it is not a Python identifier (`in`, `true`).
    """
    metadata = {
        "description": description,
        "unit": unit,
        "minimum": minimum,
        "maximum": maximum,
        "choices": tuple(choices),
        "validate": validate,
        "secret": (VARIABLE if variable else FILE) if secret else "",
        "name": name,
    }
    return dataclasses.field(default=default, default_factory=default_factory, metadata=metadata)


def nearest(word: str, valid: typing.Iterable[str]) -> str:
    """A hint that names the valid word nearest to `word`, and all of them if they are few."""
    words = sorted(valid)
    close = closest(word, words)
    hint = f"Did you mean {close!r}? " if close else ""
    return f"{hint}Valid: {', '.join(words) or 'none'}"


def closest(word: str, words: Sequence[str]) -> str:
    """The word that is spelt most like `word`; empty if none is."""
    close = difflib.get_close_matches(word, words, n=1, cutoff=0.5)
    return close[0] if close else ""


@dataclasses.dataclass(frozen=True, slots=True)
class Description:
    """One parameter, as a reader of a policy meets it.

    Attributes:
        key: Key in TOML.
        type: The type in words.
        required: True if it has no default.
        default: The default; None if it is required.
        unit: `GBP`, `days`, ...; empty for a pure number.
        minimum: Smallest valid value, or None.
        maximum: Largest valid value, or None.
        description: One sentence.
        choices: The valid values; none if they are not listed.
        secret: `file` or `variable` if the value names a secret, else empty.
    """

    key: str
    type: str
    required: bool
    default: Any
    unit: str
    minimum: float | None
    maximum: float | None
    description: str
    choices: tuple[Any, ...] = ()
    secret: str = ""


def describe(cls: type[Any]) -> tuple[Description, ...]:
    """The parameters of a dataclass, in the order of its fields."""
    hints = typing.get_type_hints(cls)
    found = []
    for entry in dataclasses.fields(cls):
        if not entry.init:
            continue
        default = entry.default
        if entry.default_factory is not dataclasses.MISSING:
            default = entry.default_factory()
        required = default is dataclasses.MISSING
        found.append(
            Description(
                key=entry.metadata.get("name") or entry.name,
                type=entry.metadata.get("type")
                or _secret_named(entry)
                or _named(hints[entry.name]),
                required=required,
                default=None if required else default,
                unit=entry.metadata.get("unit", ""),
                minimum=entry.metadata.get("minimum"),
                maximum=entry.metadata.get("maximum"),
                description=entry.metadata.get("description", ""),
                choices=entry.metadata.get("choices", ()),
                secret=entry.metadata.get("secret", ""),
            )
        )
    return tuple(found)


def build(cls: type[T], values: Mapping[str, Any], where: str) -> T:
    """Makes a dataclass from TOML values.

    Nested dataclasses, `dict[str, X]`, `tuple[X, ...]`, enumerations (by value), dates
    and paths are filled as their annotations say. A secret is named by a text, or is a `Secret`
    that the node has read already; paths of secrets refer to the value of `base`, if there is
    one.

    Raises:
        PluginError: Naming the key and the nearest valid one, if a key is unknown,
            missing, of the wrong type, out of range, no valid choice or refused by `validate`.
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
    base = Path(str(values.get("base", "")))
    for key, entry in keys.items():
        if key in values:
            place = f"{where}.{key}"
            if secret := entry.metadata.get("secret"):
                filled[entry.name] = _secret(values[key], secret, base, place)
                continue
            filled[entry.name] = _convert(hints[entry.name], values[key], place)
            _check_range(filled[entry.name], entry.metadata, place)
            _check_choice(filled[entry.name], entry.metadata, place)
            _check_valid(filled[entry.name], entry.metadata, place)
        elif entry.default is dataclasses.MISSING and entry.default_factory is dataclasses.MISSING:
            raise PluginError(f"{where}.{key}", "is missing", "Add the key")
    try:
        return cls(**filled)
    except ValueError as error:
        raise PluginError(where, str(error), "Correct the values") from error


def _check_range(value: Any, metadata: Mapping[str, Any], where: str) -> None:
    low, high = metadata.get("minimum"), metadata.get("maximum")
    if isinstance(value, bool) or not isinstance(value, int | float):
        return
    if (low is not None and value < low) or (high is not None and value > high):
        span = f"{low} or more" if high is None else f"{high} or less"
        if low is not None and high is not None:
            span = f"{low} to {high}"
        raise PluginError(where, f"{value} is out of range", f"Give {span}")


def _secret(value: Any, means: str, base: Path, where: str) -> Secret:
    return value if isinstance(value, Secret) else named_secret(value, means, base, where)


def _check_choice(value: Any, metadata: Mapping[str, Any], where: str) -> None:
    choices = metadata.get("choices")
    if not choices:
        return
    for at, one in enumerate(value if isinstance(value, tuple) else (value,)):
        if one not in choices:
            place = f"{where}[{at}]" if isinstance(value, tuple) else where
            raise PluginError(place, f"{one!r} is not valid", nearest(str(one), map(str, choices)))


def _check_valid(value: Any, metadata: Mapping[str, Any], where: str) -> None:
    validate = metadata.get("validate")
    if validate is None:
        return
    try:
        validate(value)
    except ValueError as error:
        raise PluginError(where, str(error), "Correct the value") from error


_PLAIN = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    datetime.date: "a date (2026-04-01)",
}


def _convert(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return _convert_union(arguments, value, where)
    if origin is tuple and isinstance(value, list):
        return tuple(
            _convert(arguments[0], item, f"{where}[{at}]") for at, item in enumerate(value)
        )
    if origin in (dict, Mapping) and isinstance(value, Mapping):
        return {key: _convert(arguments[1], item, f"{where}.{key}") for key, item in value.items()}
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return build(hint, value, where)
    if isinstance(hint, type) and issubclass(hint, Enum):
        by_value = {member.value: member for member in hint}
        if isinstance(value, str | int) and value in by_value:
            return by_value[value]
        raise PluginError(where, f"{value!r} is not valid", nearest(str(value), by_value))
    if hint is Path and isinstance(value, str):
        return Path(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is Any:
        return value
    if isinstance(hint, type) and type(value) is hint and hint in _PLAIN:
        # NaN compares false with every bound and would pass every range check.
        if isinstance(value, float) and not math.isfinite(value):
            raise PluginError(where, f"{value} is not a number", "Give a finite number")
        return value
    raise PluginError(where, f"is {_TOML.get(type(value), 'not valid')}", f"Give {_named(hint)}")


def _convert_union(options: tuple[Any, ...], value: Any, where: str) -> Any:
    """The first option that fits; else the fault found deepest in the value."""
    faults = []
    for option in options:
        if option is type(None):
            continue
        try:
            return _convert(option, value, where)
        except PluginError as error:
            faults.append(error)
    deepest = max(faults, key=lambda fault: len(fault.where))
    if deepest.where == where and len(faults) > 1:
        raise PluginError(
            where,
            f"is {_TOML.get(type(value), 'not valid')}",
            "Give " + " or ".join(_named(o) for o in options if o is not type(None)),
        )
    raise deepest


_TOML = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    list: "a list",
    dict: "a table",
    datetime.date: "a date",
    datetime.datetime: "a date with a time",
    datetime.time: "a time",
}


def _secret_named(entry: dataclasses.Field[Any]) -> str:
    means = entry.metadata.get("secret")
    if not means:
        return ""
    return "the path of a file" if means == FILE else "the name of an environment variable"


def _named(hint: Any) -> str:
    """A type hint in the words of a person who writes TOML."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is tuple:
        return f"a list, each entry {_named(arguments[0])}"
    if origin in (dict, Mapping):
        return f"a table, each value {_named(arguments[1])}"
    if origin in (typing.Union, types.UnionType):
        return " or ".join(_named(option) for option in arguments if option is not type(None))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return " or ".join(f'"{member.value}"' for member in hint)
    if dataclasses.is_dataclass(hint):
        return "a table"
    if hint is Path:
        return "a path"
    return _PLAIN.get(hint, str(hint))
