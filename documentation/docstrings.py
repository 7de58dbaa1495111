"""What docstrings say of the fields of a class: in a section `Attributes`, or under each field."""

from __future__ import annotations

import ast
import inspect
import itertools
import textwrap

from griffe import Docstring, DocstringSectionAttributes, DocstringSectionText

_NOT_OURS = frozenset({"abc", "builtins", "enum", "pydantic", "typing"})


def attributes(cls: type[object]) -> dict[str, str]:
    """Field to what the docstring of the class, or of one that it inherits from, says of it."""
    found: dict[str, str] = {}
    for one in reversed(cls.__mro__):
        if one.__module__.partition(".")[0] not in _NOT_OURS:
            found |= _attributes(one)
    return found


def summary(documented: object) -> str:
    """What a docstring says before its sections, as Markdown; empty without a docstring."""
    text = inspect.getdoc(documented) or ""
    return "\n\n".join(
        section.value
        for section in Docstring(text).parse("google", warnings=False)
        if isinstance(section, DocstringSectionText)
    )


def _attributes(cls: type) -> dict[str, str]:
    text = cls.__dict__.get("__doc__") or ""
    return _under_fields(cls) | {
        entry.name: " ".join(entry.description.split())
        for section in Docstring(inspect.cleandoc(text)).parse("google", warnings=False)
        if isinstance(section, DocstringSectionAttributes)
        for entry in section.value
    }


def _under_fields(cls: type) -> dict[str, str]:
    """Field to the text that stands on the line below it."""
    (parsed,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(parsed, ast.ClassDef)
    return {
        target.id: " ".join(text.value.value.split())
        for field, text in itertools.pairwise(parsed.body)
        if isinstance(field, ast.AnnAssign | ast.Assign)
        and isinstance(text, ast.Expr)
        and isinstance(text.value, ast.Constant)
        and isinstance(text.value.value, str)
        for target in ([field.target] if isinstance(field, ast.AnnAssign) else field.targets)
        if isinstance(target, ast.Name)
    }
