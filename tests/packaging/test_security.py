"""Each promise and each bound of SECURITY.md names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECTIONS = dict(
    re.findall(
        r"^## ([^\n]+)\n(.*?)(?=^## |\Z)",
        (ROOT / "SECURITY.md").read_text("utf-8"),
        re.MULTILINE | re.DOTALL,
    )
)


def statements(section: str) -> list[str]:
    """The bullets of a section, each with its continuation lines."""
    return [
        re.sub(r"\s+", " ", one).strip()
        for one in re.findall(r"^- (.*?)(?=^- |^\n|^#|\Z)", SECTIONS[section], re.M | re.S)
    ]


def named_tests(statement: str) -> list[str]:
    return re.findall(r"`(tests/[^`]+\.py)`", statement)


@pytest.mark.parametrize("section", ["What is promised", "What is bounded"])
def test_each_promise_names_a_test(section: str) -> None:
    found = statements(section)
    assert len(found) >= 8
    assert [one for one in found if not named_tests(one)] == []


@pytest.mark.parametrize("section", SECTIONS)
def test_what_is_named_is_there(section: str) -> None:
    missing = [path for path in named_tests(SECTIONS[section]) if not (ROOT / path).is_file()]
    assert missing == []


def test_each_attack_holds_something_that_is_said() -> None:
    """An attack that no sentence mentions is one whose promise a reader cannot find."""
    named = set(named_tests("".join(SECTIONS.values())))
    attacks = {
        str(path.relative_to(ROOT)) for path in (ROOT / "tests" / "attack").rglob("test_*.py")
    }
    assert attacks <= named
