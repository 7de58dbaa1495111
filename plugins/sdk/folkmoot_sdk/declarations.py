"""What the class attributes of a plugin must say before anything is called.

`folkmoot_sdk.loading` refuses classes that fail these checks; `folkmoot_sdk.conformance`
goes on to call them.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
import typing
from typing import Any

from folkmoot_sdk.factor import Evidence, Input, RiskFactor
from folkmoot_sdk.schema import FieldType
from folkmoot_sdk.source import DataSource, SourceOptions

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def source_faults(entry: object) -> tuple[str, ...]:
    """What is wrong with the declaration of a data source; empty if nothing is."""
    if not (isinstance(entry, type) and issubclass(entry, DataSource)):
        return (f"{_shown(entry)} is not a subclass of folkmoot_sdk.DataSource",)
    faults = _class_faults(entry)
    faults += _name_faults(entry, "kind")
    options = getattr(entry, "Options", None)
    if not (isinstance(options, type) and issubclass(options, SourceOptions)):
        faults.append("`Options` is not a subclass of folkmoot_sdk.source.SourceOptions")
    else:
        faults += _dataclass_faults(options, "Options")
    return tuple(f"{entry.__qualname__}: {fault}" for fault in faults)


def factor_faults(entry: object) -> tuple[str, ...]:
    """What is wrong with the declaration of a risk factor; empty if nothing is."""
    if not (isinstance(entry, type) and issubclass(entry, RiskFactor)):
        return (f"{_shown(entry)} is not a subclass of folkmoot_sdk.RiskFactor",)
    faults = _class_faults(entry)
    faults += _name_faults(entry, "name")
    for attribute in ("title", "description", "domain"):
        text = getattr(entry, attribute, None)
        if not isinstance(text, str) or not text.strip():
            faults.append(f"`{attribute}` is not a text")
    if not isinstance(getattr(entry, "savvi_term", None), str):
        faults.append("`savvi_term` is not a text")
    evidence = getattr(entry, "evidence", None)
    if not isinstance(evidence, tuple) or not all(isinstance(e, Evidence) for e in evidence):
        faults.append("`evidence` is not a tuple of folkmoot_sdk.Evidence")
    faults += _input_faults(getattr(entry, "inputs", None))
    faults += _dataclass_faults(entry.Parameters, "Parameters")
    return tuple(f"{entry.__qualname__}: {fault}" for fault in faults)


def _shown(entry: object) -> str:
    return getattr(entry, "__qualname__", None) or f"an object of type {type(entry).__name__}"


def _class_faults(entry: type[Any]) -> list[str]:
    if not inspect.isabstract(entry):
        return []
    missing = ", ".join(sorted(entry.__abstractmethods__))
    return [f"does not implement {missing}"]


def _name_faults(entry: type[Any], attribute: str) -> list[str]:
    name = getattr(entry, attribute, None)
    if isinstance(name, str) and _NAME.fullmatch(name):
        return []
    return [f"`{attribute}` is not an identifier of lower-case letters, digits and underscores"]


def _dataclass_faults(entry: object, attribute: str) -> list[str]:
    if not (isinstance(entry, type) and dataclasses.is_dataclass(entry)):
        return [f"`{attribute}` is not a dataclass"]
    if not entry.__dataclass_params__.frozen:  # type: ignore[attr-defined]
        return [f"`{attribute}` is not frozen: write @dataclass(frozen=True)"]
    try:
        typing.get_type_hints(entry)
    except NameError as error:
        return [f"`{attribute}` has an annotation that cannot be resolved ({error})"]
    return []


def _input_faults(inputs: object) -> list[str]:
    if not isinstance(inputs, tuple) or not inputs:
        return ["`inputs` is not a tuple of at least one folkmoot_sdk.Input"]
    if not all(isinstance(entry, Input) for entry in inputs):
        return ["`inputs` holds something that is not a folkmoot_sdk.Input"]
    faults = []
    names = [entry.name for entry in inputs]
    if len(set(names)) != len(names):
        faults.append("`inputs` names a field twice")
    for entry in inputs:
        if entry.type is FieldType.AREA:
            faults.append(f"input {entry.name!r} is an area, which is never a scoring input")
        if (entry.type is FieldType.CATEGORY) != bool(entry.codes):
            faults.append(f"input {entry.name!r} needs codes if and only if it is a category")
        if entry.direction not in (None, "rises", "falls"):
            faults.append(f"input {entry.name!r} has a direction that is not `rises` or `falls`")
    return faults
