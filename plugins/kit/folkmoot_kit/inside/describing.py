"""Loads the plugins of some distributions, and says in plain values what they declare."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from enum import Enum
from importlib.metadata import Distribution
from typing import Any

from folkmoot_kit.channel import values
from folkmoot_sdk.hooks import PROJECT
from folkmoot_sdk.loading import Origin, Plugins, load
from folkmoot_sdk.parameters import Description, describe


def load_from(distributions: Sequence[str], folders: Sequence[str]) -> Plugins:
    """Loads the plugins of distributions that are installed in folders."""
    points = []
    for name in distributions:
        for found in Distribution.discover(name=name, path=list(folders)):
            points += [point for point in found.entry_points if point.group == PROJECT]
            break
    return load(points)


def declarations(plugins: Plugins) -> dict[str, Any]:
    """What the loaded plugins declare, in values of JSON."""
    return {
        "factors": [
            {
                "origin": _origin(plugins.factor_origins[name]),
                "name": factor.name,
                "title": factor.title,
                "description": factor.description,
                "domain": factor.domain,
                "savvi_term": factor.savvi_term,
                "evidence": plain(factor.evidence),
                "inputs": plain(factor.inputs),
                "parameters": [_parameter(entry) for entry in describe(factor.Parameters)],
            }
            for name, factor in plugins.factors.items()
        ],
        "sources": [
            {
                "origin": _origin(plugins.source_origins[kind]),
                "kind": source.kind,
                "parameters": [_parameter(entry) for entry in describe(source.Options)],
            }
            for kind, source in plugins.sources.items()
        ],
        "broken": [
            {
                "origin": _origin(entry.origin),
                "hook": entry.hook,
                "problem": entry.problem,
                "remedy": entry.remedy,
            }
            for entry in plugins.broken
        ],
    }


def plain(value: object) -> Any:
    """Dataclasses of the SDK as tables, enumerations as their values."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            entry.name: plain(getattr(value, entry.name))
            for entry in dataclasses.fields(value)
            if entry.init
        }
    if isinstance(value, Enum):
        return plain(value.value)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return str(value)


def _parameter(entry: Description) -> dict[str, Any]:
    described: dict[str, Any] = plain(dataclasses.replace(entry, default=None))
    try:
        described["default"] = values.encode(entry.default)
    except values.ValueFault:
        described["default"] = str(entry.default)
    return described


def _origin(origin: Origin) -> list[str]:
    return [origin.distribution, origin.version, origin.entry_point]
