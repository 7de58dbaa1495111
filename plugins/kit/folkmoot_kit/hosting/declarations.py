"""Checks what a process declares of its plugins, and makes the SDK's own objects of it."""

from __future__ import annotations

import dataclasses
import datetime
import json
import keyword
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from folkmoot_kit.channel import values
from folkmoot_kit.hosting import answers, texts
from folkmoot_kit.hosting.answers import Garbage
from folkmoot_sdk.errors import PluginError
from folkmoot_sdk.factor import Evidence, Input
from folkmoot_sdk.loading import Origin
from folkmoot_sdk.parameters import Description
from folkmoot_sdk.schema import Schema
from folkmoot_sdk.source import SourceOptions

T = TypeVar("T")

MOST_PLUGINS = 1_000
"""Factors, or kinds of source, of one process."""
MOST_INPUTS = 200
MOST_PARAMETERS = 200
MOST_FIELDS = 2_000
MOST_CODES = 10_000
LONGEST_SENTENCES = 10_000

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,62}")
_INPUTS: TypeAdapter[tuple[Input, ...]] = TypeAdapter(tuple[Input, ...])
_EVIDENCE: TypeAdapter[tuple[Evidence, ...]] = TypeAdapter(tuple[Evidence, ...])
_DESCRIPTIONS: TypeAdapter[tuple[Description, ...]] = TypeAdapter(tuple[Description, ...])
_SCHEMA = TypeAdapter(Schema)
_SAME_WORDS = {
    "true or false": bool,
    "a whole number": int,
    "a number": float,
    "a text": str,
    "a date (2026-04-01)": datetime.date,
    "a path": Path,
}


def inputs(value: object) -> tuple[Input, ...]:
    """The inputs that a factor declares.

    Raises:
        Garbage: If the value is no list of them.
    """
    return _validated(_INPUTS, value, MOST_INPUTS)


def evidence(value: object) -> tuple[Evidence, ...]:
    """The evidence that a factor declares.

    Raises:
        Garbage: If the value is no list of it.
    """
    return _validated(_EVIDENCE, value, MOST_INPUTS)


def schema(value: object) -> Schema:
    """The schema of a source.

    Raises:
        Garbage: If the value is none, or contradicts itself.
    """
    fields = answers.table(value).get("fields")
    if not isinstance(fields, list) or len(fields) > MOST_FIELDS:
        raise Garbage("a schema has no fields, or too many")
    return _validated(_SCHEMA, value, MOST_CODES)


def parameters(value: object, base: type[Any] | None = None) -> type[Any]:
    """A frozen dataclass with the parameters that a plugin declares.

    `folkmoot_sdk.parameters` describes it as it describes the plugin's own, and builds it of the
    values of a settings file; values of types that only the plugin knows stay as they are.

    Args:
        value: What `describe` gave, in values of JSON.
        base: Class whose fields the new one has already; `base` of `SourceOptions`.

    Raises:
        Garbage: If the value is no description of parameters.
    """
    inherited = {entry.name for entry in dataclasses.fields(base)} if base is not None else set()
    made: list[Any] = []
    described: tuple[Description, ...] = _validated(_DESCRIPTIONS, value, MOST_PARAMETERS)
    for at, entry in enumerate(described):
        if entry.key not in inherited:
            made.append(_field(at, entry))
    keys = [entry[2].metadata["name"] for entry in made]
    if len(set(keys)) != len(keys):
        raise Garbage("a parameter is declared twice")
    bases = () if base is None else (base,)
    return dataclasses.make_dataclass("Declared", made, bases=bases, frozen=True, kw_only=True)


def options(value: object) -> type[SourceOptions]:
    """A frozen dataclass with the options that a kind of source declares; see `parameters`.

    Raises:
        Garbage: If the value is no description of options.
    """
    made: type[SourceOptions] = parameters(value, SourceOptions)
    return made


def given(parameters_: object) -> dict[str, Any]:
    """The values of a declared dataclass that are not its defaults, as a settings file has them."""
    found = {}
    for entry in dataclasses.fields(parameters_):  # type: ignore[arg-type]
        value = getattr(parameters_, entry.name)
        if entry.default is not dataclasses.MISSING and _same(value, entry.default):
            continue
        found[entry.metadata.get("name") or entry.name] = (
            str(value) if isinstance(value, Path) else value
        )
    return found


def _same(value: object, default: object) -> bool:
    return type(value) is type(default) and value == default


def origin(value: object, known: Sequence[Origin]) -> Origin:
    """The origin that a process names, if it is one of those that it serves.

    Raises:
        Garbage: If it is none.
    """
    for one in known:
        if value == [one.distribution, one.version, one.entry_point]:
            return one
    raise Garbage("a plugin belongs to no distribution of the process")


def _field(at: int, entry: Description) -> tuple[str, Any, Any]:
    if not _KEY.fullmatch(entry.key):
        raise Garbage("the key of a parameter is none")
    plain = entry.key.isidentifier() and not keyword.iskeyword(entry.key)
    name = entry.key if plain else f"parameter_{at}"
    metadata = {
        one.name: getattr(entry, one.name)
        for one in dataclasses.fields(Description)
        if one.name not in ("key", "required", "default")
    }
    metadata["name"] = entry.key
    hint = _SAME_WORDS.get(entry.type, Any)
    if entry.required:
        return name, hint, dataclasses.field(metadata=metadata)
    default = _default(entry.default, hint)
    if getattr(type(default), "__hash__", None) is None:
        return name, hint, dataclasses.field(default_factory=lambda: default, metadata=metadata)
    return name, hint, dataclasses.field(default=default, metadata=metadata)


def _default(value: object, hint: object) -> Any:
    try:
        default = values.decode(value)
    except values.ValueFault:
        raise Garbage("the default of a parameter is none") from None
    if hint is Path and isinstance(default, str):
        return Path(default)
    return tuple(default) if isinstance(default, list) else default


def _validated(adapter: TypeAdapter[T], value: object, most: int) -> T:
    """Validates as JSON, in which an enumeration is its value and a tuple a list."""
    try:
        _bound(value, most)
        return adapter.validate_json(json.dumps(value), strict=True)
    except (ValidationError, PluginError, ValueError, KeyError, RecursionError):
        raise Garbage("a declaration is not as the SDK says") from None


def _bound(value: object, most: int) -> None:
    """Refuses long texts and lists, and texts that are not one line of print."""
    if isinstance(value, str):
        if texts.line(value, LONGEST_SENTENCES) != " ".join(value.split()):
            raise Garbage("a declaration has signs that do not print")
    elif isinstance(value, Mapping):
        for item in value.values():
            _bound(item, most)
    elif isinstance(value, list):
        if len(value) > most:
            raise Garbage("a declaration is too long")
        for item in value:
            _bound(item, most)
