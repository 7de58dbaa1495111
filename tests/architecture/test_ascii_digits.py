r"""Only the digits 0 to 9 are digits: in codes, UPRNs, dates, ports and amounts.

`\d` in a pattern, `str.isdigit` and `int` take the digits of every script, and `isdigit` takes
superscripts too, which `int` does not.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("node", "coordinator", "operator", "web", "proto", "rehearsal", "plugins")
_BACKSLASH = re.compile(r"(?<!\\)(?:\\\\)*\\[dD]")
_ASKED_OF_WORDS = {
    "node/folkmoot_node/linkage/address_parser.py": "texts were cleaned to ASCII before",
    "node/folkmoot_node/linkage/address_rules.py": "the same",
    "plugins/extracts/folkmoot_plugin_extracts/amounts.py": "a currency's sign may be none",
    "rehearsal/folkmoot_rehearsal/typed_addresses.py": "addresses that it has made itself",
}
"""Modules that ask words whether they are numbers, and why no other script gets there."""


def foreign_digits(text: str) -> Iterator[str]:
    """Where a module takes the digits of other scripts."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            value = node.value if isinstance(node.value, str) else node.value.decode("latin-1")
            if _BACKSLASH.search(value) and not isinstance(node.value, bytes):
                yield f"line {node.lineno}: a pattern with \\d"
        elif isinstance(node, ast.Attribute) and node.attr in {"isdigit", "isnumeric"}:
            yield f"line {node.lineno}: {node.attr}"


def test_no_module_takes_the_digits_of_other_scripts() -> None:
    found = {}
    for folder in FOLDERS:
        for path in (ROOT / folder).rglob("*.py"):
            name = str(path.relative_to(ROOT))
            if ".venv" not in path.parts and (places := list(foreign_digits(path.read_text()))):
                found[name] = places
    assert set(found) == set(_ASKED_OF_WORDS), found


@pytest.mark.parametrize("line", [r're.compile(r"^\d+$")', r'x = r"[^\D]"', '"²".isdigit()'])
def test_it_would_be_seen(line: str) -> None:
    assert list(foreign_digits(line))


@pytest.mark.parametrize("line", ['re.compile("[0-9]+")', 'x = "delta"', "x.isascii()"])
def test_other_things_are_not_meant(line: str) -> None:
    assert not list(foreign_digits(line))
