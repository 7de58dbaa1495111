"""What shipped plugins can be told: parameters of factors, options of sources, mapping files."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from documentation.docstrings import attributes, summary
from documentation.markdown import escaped, table
from documentation.settings_keys import toml
from folkmoot_plugin_extracts import mapping
from folkmoot_sdk.factor import RiskFactor
from folkmoot_sdk.loading import load
from folkmoot_sdk.parameters import Description, describe
from folkmoot_sdk.source import DataSource

_HEADINGS = ("Key", "What it says", "Type", "Default", "Unit", "Allowed")
_FILLED = frozenset({"base"})
"""Options that the node fills in; nobody writes them."""


def factors_page() -> str:
    """The page of the risk factors, in the order of their plugin."""
    text = [
        "# Risk factors\n\nWhat each shipped factor scores, what it needs to know, and its "
        "parameters in the risk policy: `[factors.parameters]` under its `[[factors]]`. A factor "
        "scores from 0 to 1, or not at all where it knows too little; its weight makes points of "
        "that.\n"
    ]
    for factor in load().factors.values():
        text.append(_factor(factor))
    return "".join(text)


def sources_page() -> str:
    """The page of the sources; those with the same options stand together."""
    together: dict[str, list[type[DataSource]]] = {}
    for source in load().sources.values():
        together.setdefault(repr(keys(source.Options)), []).append(source)
    text = [
        "# Sources\n\nWhat each kind of source can be told, in `[sources.options]` under its "
        "`[[sources]]` of `node.toml`.\n"
    ]
    for kinds in together.values():
        names = ", ".join(f"`{kind.kind}`" for kind in kinds)
        text.append(f"\n## {names}\n")
        text.extend(f"\n`{kind.kind}`: {_first(summary(kind))}\n" for kind in kinds)
        text.append("\n" + _table(keys(kinds[0].Options)))
    return "".join(text)


def mapping_page() -> str:
    """The page of the mapping file."""
    text = [
        "# Mapping files\n\nA mapping file says which column of an extract is which field, and how "
        "it is written. `folkmoot-node sources draft` writes a first version. [How to write "
        "one](../plugins/extracts/README.md).\n"
    ]
    seen: set[type] = set()
    for name, cls in _dataclasses(mapping.Mapping, "", seen):
        said = _said(cls)
        text.append(f"\n## `{name}`\n\n{summary(cls)}\n\n" if name else "\n")
        text.append(_table(keys(cls), said))
    return "".join(text)


def keys(cls: type[Any]) -> tuple[Description, ...]:
    """The keys of a dataclass of parameters that people write."""
    return tuple(one for one in describe(cls) if one.key not in _FILLED)


def undescribed() -> Iterator[str]:
    """Keys of factors, sources and mapping files without a description."""
    plugins = load()
    for factor in plugins.factors.values():
        yield from (f"{factor.name}.{k.key}" for k in keys(factor.Parameters) if not k.description)
    for kind, source in plugins.sources.items():
        yield from (f"{kind}.{k.key}" for k in keys(source.Options) if not k.description)
    for name, cls in _dataclasses(mapping.Mapping, "", set()):
        said = _said(cls)
        for key in keys(cls):
            if not (key.description or said[key.key]):
                yield f"mapping {name}.{key.key}"


def _factor(factor: type[RiskFactor]) -> str:
    text = [
        f"\n## `{factor.name}`\n\n{escaped(factor.description).replace(chr(92) + '`', '`')}\n\n"
    ]
    rows = [
        (
            f"`{one.name}`",
            one.type.value,
            one.unit,
            ", ".join(f"`{code}`" for code in one.codes),
        )
        for one in factor.inputs
    ]
    text.append(table(("Input", "Type", "Unit", "Codes"), rows))
    parameters = keys(factor.Parameters)
    text.append("\n" + (_table(parameters) if parameters else "It has no parameters.\n"))
    if factor.evidence:
        text.append("\nEvidence:\n\n")
        for one in factor.evidence:
            said = {f.name: getattr(one, f.name) for f in dataclasses.fields(one)}
            text.append(f"- {' '.join(_linked(str(value)) for value in said.values() if value)}\n")
    return "".join(text)


def _table(
    described: tuple[Description, ...], said: Mapping[str, str] = MappingProxyType({})
) -> str:
    rows = [
        (
            f"`{one.key}`",
            one.description or said.get(one.key, ""),
            escaped(one.type),
            "**required**" if one.required else _default(one.default),
            one.unit,
            _allowed(one),
        )
        for one in described
    ]
    return table(_HEADINGS, rows)


def _said(cls: type[Any]) -> dict[str, str]:
    """What a dataclass says of its keys, by how they are written."""
    said = attributes(cls)
    return {
        one.metadata.get("name") or one.name: said.get(one.name, "")
        for one in dataclasses.fields(cls)
    }


def _default(value: Any) -> str:
    if dataclasses.is_dataclass(value):
        return "that of its keys"
    return "none" if value in (None, "", (), {}) else f"`{toml(value)}`"


def _allowed(one: Description) -> str:
    said = []
    if one.minimum is not None:
        said.append(f"at least {one.minimum:g}")
    if one.maximum is not None:
        said.append(f"at most {one.maximum:g}")
    if one.choices:
        said.append(", ".join(f"`{toml(choice)}`" for choice in one.choices))
    if one.secret:
        said.append(f"names a {one.secret} that holds it")
    return "; ".join(said)


def _dataclasses(cls: type[Any], name: str, seen: set[type]) -> Iterator[tuple[str, type[Any]]]:
    if cls in seen:
        return
    seen.add(cls)
    yield name, cls
    hints = typing.get_type_hints(cls)
    for one in dataclasses.fields(cls):
        if not one.init or one.name in _FILLED:
            continue
        key = one.metadata.get("name") or one.name
        for inner, form in _inside(hints[one.name], key):
            below = f"{name}.{form}" if name else form
            yield from _dataclasses(inner, below, seen)


def _inside(hint: Any, key: str) -> Iterator[tuple[type[Any], str]]:
    if isinstance(hint, type) and dataclasses.is_dataclass(hint):
        yield hint, key
        return
    origin = typing.get_origin(hint)
    form = f"{key}.NAME" if origin is dict else f"{key}[]" if origin in (tuple, list) else key
    for argument in typing.get_args(hint):
        yield from _inside(argument, form)


def _first(text: str) -> str:
    return text.partition("\n\n")[0].replace("\n", " ")


def _linked(text: str) -> str:
    return f"<{text}>" if text.startswith("https://") else escaped(text)
