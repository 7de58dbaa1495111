"""Codes of places have one pattern, though contract and SDK may not import each other."""

from __future__ import annotations

import re
from pathlib import Path

import folkmoot.geography
import folkmoot_sdk.geography

ROOT = Path(__file__).parents[2]
HOMES = {"proto/folkmoot/geography.py", "plugins/sdk/folkmoot_sdk/geography.py"}
FOLDERS = ("proto", "plugins", "operator", "web", "node", "coordinator", "rehearsal")
LIKE_GSS = re.compile(r"\](?:\\d|\[0-9\])\{8\}|\](?:\\d|\[0-9\])\{6\}")
LIKE_POSTCODE = re.compile(r"(?:\\d|\[0-9\])\[A-Z\]\{2\}|\[A-Z\]\{1,2\}\)?\[0-9\]")


def other_patterns(text: str) -> list[str]:
    return [match[0] for like in (LIKE_GSS, LIKE_POSTCODE) for match in like.finditer(text)]


def test_contract_and_sdk_mean_the_same_by_a_gss_code() -> None:
    assert folkmoot.geography.GSS_CODE == folkmoot_sdk.geography.GSS_CODE


def test_nobody_has_another_pattern() -> None:
    found = {
        name: patterns
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if (name := path.relative_to(ROOT).as_posix()) not in HOMES
        and "/build/" not in name
        and (patterns := other_patterns(path.read_text("utf-8")))
    }
    assert found == {}


def test_such_patterns_are_recognised() -> None:
    for pattern in (r"[A-Z]\d{8}", "[EWSNKJ][0-9]{8}", "^[A-Z]{1,2}[0-9][A-Z0-9]?[0-9][A-Z]{2}$"):
        assert other_patterns(pattern), pattern
