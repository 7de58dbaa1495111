"""Every key of a settings file, from its pydantic model: type, default, unit, what is allowed."""

from __future__ import annotations

import datetime
import enum
import json
import re
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any, Literal

import annotated_types
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.types import StringConstraints
from pydantic_core import PydanticUndefined

from documentation.docstrings import attributes, summary
from documentation.markdown import escaped, table

UNITS = {
    "seconds": "seconds", "minutes": "minutes", "hours": "hours", "days": "days",
    "weeks": "weeks", "months": "months", "years": "years",
    "bytes": "bytes", "kib": "KiB", "mib": "MiB", "gib": "GiB",
    "share": "share, 0 to 1", "rho": "rho (zCDP)", "port": "port", "percent": "per cent",
}  # fmt: skip
"""The last word of a key says its unit: `poll_seconds`, `memory_mib`."""
_WORDS: dict[Any, str] = {
    str: "text", int: "whole number", float: "number", bool: "true or false", bytes: "bytes",
    Decimal: "number", Path: "path", datetime.date: "date", datetime.time: "time of day",
    datetime.datetime: "date and time", Any: "any", object: "any",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a settings file.

    Attributes:
        name: The key, as it is written.
        type: Its type in words.
        default: As TOML; None if the key has to be given.
        unit: Empty if it has none.
        allowed: What values are allowed, in words; empty if the type says it all.
        description: What it does; empty if the model does not say, which a test refuses.
    """

    name: str
    type: str
    default: str | None
    unit: str
    allowed: str
    description: str


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a settings file.

    Attributes:
        name: As it is written: empty for the file's own keys, `[a.b]` or `[[a]]`.
        model: The pydantic model, for messages.
        summary: What the model says of itself.
        keys: The keys.
    """

    name: str
    model: str
    summary: str
    keys: tuple[Key, ...]


Also = Mapping[type[BaseModel], tuple[type[BaseModel], Mapping[str, str]]]
"""Models whose tables have more keys, which another model reads; with what stands for a key
of the other model where it is missing, in words."""


def tables(model: type[BaseModel], also: Also = MappingProxyType({})) -> Iterator[Table]:
    """The tables of a settings file, in the order of the model, each once."""
    yield from _tables(model, "", also, many=False, seen=set())


def page(title: str, words: str, model: type[BaseModel], also: Also = MappingProxyType({})) -> str:
    """The page of one settings file."""
    text = [f"# {title}\n\n{words}\n"]
    for one in tables(model, also):
        text.append(f"\n## {_heading(one)}\n\n" if one.name else "\n")
        if one.name:
            text.append(f"{one.summary}\n\n")
        rows = [
            (
                f"`{key.name}`",
                key.description,
                key.type,
                "**required**" if key.default is None else key.default,
                key.unit,
                key.allowed,
            )
            for key in one.keys
        ]
        text.append(table(("Key", "What it says", "Type", "Default", "Unit", "Allowed"), rows))
    return "".join(text)


def missing(model: type[BaseModel], also: Also = MappingProxyType({})) -> list[str]:
    """The keys that the model does not describe, as `Model.key`."""
    return [
        f"{one.model}.{key.name}"
        for one in tables(model, also)
        for key in one.keys
        if not key.description
    ]


def _heading(one: Table) -> str:
    return f"`{one.name}`"


def _tables(
    model: type[BaseModel], name: str, also: Also, *, many: bool, seen: set[tuple[str, type]]
) -> Iterator[Table]:
    if (name, model) in seen or name.count(".") > 6:
        return
    seen.add((name, model))
    said = attributes(model)
    keys = []
    inside: list[tuple[type[BaseModel], str, bool]] = []
    fields = dict(model.model_fields)
    given: Mapping[str, str] = {}
    if model in also:
        other, given = also[model]
        said = attributes(other) | said
        fields |= {key: one for key, one in other.model_fields.items() if key not in fields}
    for field_name, field in fields.items():
        key = field.alias or field_name
        nested = list(_models(field.annotation))
        keys.append(
            Key(
                key,
                type_in_words(field.annotation, field.metadata),
                given.get(key) or _default(field, bool(nested)),
                UNITS.get(key.rstrip("_").rpartition("_")[2], ""),
                _allowed(field),
                field.description or said.get(field_name, "") or _of_table(nested),
            )
        )
        inside.extend((one, f"{name}.{key}" if name else key, repeated) for one, repeated in nested)
    bracketed = (f"[[{name}]]" if many else f"[{name}]") if name else ""
    yield Table(bracketed, model.__qualname__, summary(model), tuple(keys))
    for one, below, repeated in inside:
        yield from _tables(one, below, also, many=repeated, seen=seen)


def _of_table(nested: list[tuple[type[BaseModel], bool]]) -> str:
    """A key that is a table is described by the table's model."""
    return re.split(r"(?<=[.])\s", summary(nested[0][0]), maxsplit=1)[0] if nested else ""


def _models(hint: Any, *, many: bool = False) -> Iterator[tuple[type[BaseModel], bool]]:
    origin = typing.get_origin(hint)
    if isinstance(hint, type) and issubclass(hint, BaseModel):
        yield hint, many
    elif origin is Annotated:
        yield from _models(typing.get_args(hint)[0], many=many)
    elif origin in (tuple, list, frozenset, set):
        for argument in typing.get_args(hint)[:1]:
            yield from _models(argument, many=True)
    elif origin is dict:
        yield from _models(typing.get_args(hint)[1], many=many)
    elif origin in (typing.Union, types.UnionType):
        for argument in typing.get_args(hint):
            yield from _models(argument, many=many)


def type_in_words(hint: Any, metadata: typing.Sequence[Any] = ()) -> str:
    """A type as a person would say it; `metadata` is what stands beside it in `Annotated`."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return type_in_words(arguments[0], arguments[1:])
    if origin is Literal:
        return "one of those allowed" if len(arguments) > 1 else type_in_words(type(arguments[0]))
    if origin in (typing.Union, types.UnionType):
        words = [type_in_words(one) for one in arguments if one is not type(None)]
        return " or ".join(dict.fromkeys(words))
    if origin in (tuple, list, frozenset, set):
        return f"list of {_plural(type_in_words(arguments[0]))}"
    if origin is dict:
        return f"table from {type_in_words(arguments[0])} to {type_in_words(arguments[1])}"
    if isinstance(hint, type):
        if issubclass(hint, BaseModel):
            return "table"
        if issubclass(hint, enum.Enum):
            return "one of those allowed"
        for known in hint.__mro__:
            if known in _WORDS and known is not object:
                return _WORDS[known]
        return hint.__name__
    return _WORDS.get(hint, str(hint))


def _plural(words: str) -> str:
    head, _, rest = words.partition(" ")
    if words in ("text", "any") or words.startswith(("list", "one of", "true")):
        return {"text": "texts"}.get(words, words)
    if words in ("whole number", "path", "number", "date", "table"):
        return f"{words}s"
    return f"{head}s {rest}".strip() if rest else f"{words}s"


def _default(field: FieldInfo, nested: bool) -> str | None:
    if field.is_required():
        return None
    value = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value is PydanticUndefined:
        return "none"
    if nested or isinstance(value, BaseModel):
        return "that of its keys" if isinstance(value, BaseModel) else "none"
    return f"`{toml(value)}`"


def toml(value: Any) -> str:
    """A default as it would be written."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, enum.Enum):
        return toml(value.value)
    if isinstance(value, int | float | Decimal):
        return format(value, "_") if isinstance(value, int) and value >= 10_000 else str(value)
    if isinstance(value, list | tuple | set | frozenset):
        items = sorted(value, key=str) if isinstance(value, set | frozenset) else value
        return f"[{', '.join(toml(one) for one in items)}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return json.dumps(str(value), ensure_ascii=False)


def _allowed(field: FieldInfo) -> str:
    said = list(_bounds(field.metadata))
    said += _allowed_by(field.annotation)
    return "; ".join(dict.fromkeys(said))


def _allowed_by(hint: Any) -> list[str]:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is Annotated:
        return [*_bounds(arguments[1:]), *_allowed_by(arguments[0])]
    if origin is Literal:
        return [", ".join(f"`{toml(one)}`" for one in arguments)]
    if origin in (typing.Union, types.UnionType, tuple, list, frozenset, set, dict):
        return [word for one in arguments if one is not Ellipsis for word in _allowed_by(one)]
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return [", ".join(f"`{toml(one)}`" for one in hint)]
    return []


def _bounds(metadata: typing.Iterable[Any]) -> Iterator[str]:
    for one in metadata:
        if isinstance(one, FieldInfo):
            yield from _bounds(one.metadata)
        elif isinstance(one, annotated_types.Ge):
            yield f"at least {one.ge}"
        elif isinstance(one, annotated_types.Gt):
            yield f"more than {one.gt}"
        elif isinstance(one, annotated_types.Le):
            yield f"at most {one.le}"
        elif isinstance(one, annotated_types.Lt):
            yield f"less than {one.lt}"
        elif isinstance(one, annotated_types.MinLen):
            yield f"{one.min_length} or more long"
        elif isinstance(one, annotated_types.MaxLen):
            yield f"{one.max_length} long at most"
        elif isinstance(one, StringConstraints):
            if one.pattern:
                yield f"the form `{escaped_code(str(one.pattern))}`"
            if one.max_length:
                yield f"{one.max_length} long at most"
        elif getattr(one, "pattern", None):
            yield f"the form `{escaped_code(one.pattern)}`"


def escaped_code(text: str) -> str:
    """Text within the backticks of a table's cell."""
    return escaped(text).replace("\\", "") if "`" in text else text
