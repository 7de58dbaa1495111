"""Exit codes, and what programs may write into logs and metrics."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator, Mapping
from typing import Any

from documentation.docstrings import attributes
from documentation.markdown import escaped, table
from folkmoot_operator.problems import ExitCode

PACKAGES = ("folkmoot_operator", "folkmoot_web", "folkmoot_node", "folkmoot_coordinator")
_LISTS = ("_events", "_metrics")
"""How the name of a module ends that lists what its program may emit: `metrics`, `node_events`."""


def exit_codes_page() -> str:
    """The page of the exit codes."""
    said = attributes(ExitCode)
    rows = [(str(int(code)), f"`{code.name}`", said.get(code.name, "Done.")) for code in ExitCode]
    return (
        "# Exit codes\n\nEvery command ends with one of these, so that scripts and units can tell "
        "what to do.\n\n" + table(("Code", "Name", "What it means"), rows)
    )


def signals_page(packages: tuple[str, ...] = PACKAGES) -> str:
    """The page of log events and metrics: each with why it discloses nothing."""
    text = [
        "# Log events and metrics\n\nWhat the programs may write into logs and metrics, from the "
        "lists in the code. Nothing else is written; no value comes from a resident's record.\n"
    ]
    found = dict(signals(packages))
    if not found:
        text.append(
            "\nThe programs keep no such list yet. [What is logged](../docs/running.md) is said "
            "there.\n"
        )
    for title, entries in found.items():
        rows = [
            (f"`{one.name}`", escaped(_says(one)), _fields(one), escaped(one.discloses))
            for one in entries
        ]
        heads = ("Name", "What it says", "Fields", "Why it discloses nothing")
        text.append(f"\n## {title}\n\n" + table(heads, rows))
    return "".join(text)


def signals(packages: tuple[str, ...] = PACKAGES) -> Iterator[tuple[str, tuple[Any, ...]]]:
    """What each module that keeps such a list has in it: anything with `name` and `discloses`."""
    for package in packages:
        root = importlib.import_module(package)
        for module in pkgutil.walk_packages(root.__path__, f"{package}."):
            if not f"_{module.name.rpartition('.')[2]}".endswith(_LISTS):
                continue
            entries = {one.name: one for one in _entries(importlib.import_module(module.name))}
            if entries:
                yield module.name, tuple(entries[name] for name in sorted(entries))


def _entries(module: Any) -> Iterator[Any]:
    for value in vars(module).values():
        inside = value.values() if isinstance(value, Mapping) else (value,)
        for one in inside:
            if inspect.isclass(one):
                continue
            if isinstance(getattr(one, "name", None), str) and hasattr(one, "discloses"):
                yield one


def _says(one: Any) -> str:
    return str(getattr(one, "message", "") or getattr(one, "description", ""))


def _fields(one: Any) -> str:
    fields = getattr(one, "fields", None) or getattr(one, "labels", None) or ()
    if isinstance(fields, Mapping):
        return ", ".join(
            f"`{name}`: {getattr(kind, 'described', kind)}" for name, kind in fields.items()
        )
    return ", ".join(f"`{name}`" for name in fields)
