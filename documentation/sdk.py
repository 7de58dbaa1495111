"""The SDK's public names, from its docstrings, without importing it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import griffe

from documentation.markdown import table

SDK = Path(__file__).resolve().parents[1] / "plugins" / "sdk"
_PARTS = {"parameters": "Arguments", "attributes": "Attributes", "raises": "Raises"}


def page(root: Path = SDK) -> str:
    """The page of the SDK."""
    text = [
        "# The SDK\n\nWhat a plugin may import from `folkmoot_sdk`. [How to write a "
        "plugin](../plugins/sdk/README.md).\n"
    ]
    for name, one in public(root):
        text.append(f"\n## {name}\n\n")
        text.append(_documented(one))
        if one.is_class:
            text.append(_values(one))
            for member in _members(one):
                text.append(f"\n### {name}.{member.name}\n\n{_documented(member)}")
    return "".join(text)


def public(root: Path = SDK) -> Iterator[tuple[str, Any]]:
    """The names that the package exports, with what griffe knows of each."""
    package = griffe.load("folkmoot_sdk", search_paths=[root], docstring_parser="google")
    for name in sorted(str(one) for one in package.exports or ()):
        if not name.startswith("__"):
            found = package[name]
            yield name, found.final_target if found.is_alias else found


def undescribed(root: Path = SDK) -> Iterator[str]:
    """Public names without a docstring."""
    for name, one in public(root):
        if one.docstring is None:
            yield name
        if one.is_class:
            yield from (f"{name}.{m.name}" for m in _members(one) if m.docstring is None)


def _members(cls: Any) -> Iterator[Any]:
    described = {
        entry.name
        for section in (cls.docstring.parsed if cls.docstring else [])
        if section.kind.value == "attributes"
        for entry in section.value
    }
    for member in cls.members.values():
        if member.name.startswith("_") or member.name in described or member.is_alias:
            continue
        if member.is_function or "property" in member.labels or member.docstring is not None:
            yield member


def _values(cls: Any) -> str:
    """The members of an enumeration."""
    if not any(str(base).endswith("Enum") for base in cls.bases):
        return ""
    rows = [
        (f"`{cls.name}.{one.name}`", f"`{one.value}`", one.docstring.value if one.docstring else "")
        for one in cls.members.values()
        if one.is_attribute and one.value is not None
    ]
    if not any(said for _, _, said in rows):
        return table(("Member", "In files"), [row[:2] for row in rows])
    return table(("Member", "In files", "What it means"), rows)


def _documented(one: Any) -> str:
    text = []
    if one.is_function:
        text.append(f"```python\n{_signature(one)}\n```\n\n")
    elif one.is_attribute and one.annotation is not None:
        text.append(f"```python\n{one.name}: {one.annotation}\n```\n\n")
    for section in one.docstring.parsed if one.docstring else []:
        kind = section.kind.value
        if kind == "text":
            text.append(f"{section.value}\n\n")
        elif kind in _PARTS:
            text.append(f"**{_PARTS[kind]}**\n\n")
            rows = [
                (f"`{getattr(entry, 'name', '') or entry.annotation}`", entry.description)
                for entry in section.value
            ]
            text.append(table(("Name", "What it is"), rows) + "\n")
        elif kind in ("returns", "yields"):
            said = " ".join(entry.description for entry in section.value)
            text.append(f"**{kind.capitalize()}** {said}\n\n")
        elif kind == "examples":
            text.extend(f"{_example(*entry)}\n\n" for entry in section.value)
    return "".join(text)


def _example(kind: Any, value: str) -> str:
    return f"```python\n{value}\n```" if kind.value == "examples" else value


def _signature(function: Any) -> str:
    text = f"{function.signature()}"
    if len(text) <= 88:
        return text
    head, _, rest = text.partition("(")
    arguments, _, result = rest.rpartition(")")
    parts: list[str] = [""]
    depth = 0
    for character in arguments:
        depth += (character in "([{") - (character in ")]}")
        if character == "," and not depth:
            parts.append("")
        else:
            parts[-1] += character
    body = "".join(f"    {part.strip()},\n" for part in parts if part.strip())
    return f"{head}(\n{body}){result}"
