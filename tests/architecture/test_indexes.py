"""Lists of chapters and decisions are complete, and say what each file says of itself."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "tests" / "spec"
DECISIONS = ROOT / "docs" / "decisions"
STATUS = re.compile(r"^Status: (accepted|superseded by \[\d+\]\(\d{4}-[\w-]+\.md\))$", re.M)


def listed(index: Path) -> list[str]:
    """The items of the lists of an index."""
    return [line for line in index.read_text("utf-8").splitlines() if line.startswith("- [")]


def test_chapters_of_the_specification_are_listed() -> None:
    chapters = []
    for path in sorted(SPEC.glob("*/test_*.py")):
        summary = (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "").splitlines()[0]
        title, _, about = summary.partition(": ")
        item = f"- [{title.rstrip('.')}]({path.relative_to(SPEC)})"
        chapters.append(f"{item}: {about}" if about else item)
    assert listed(SPEC / "README.md") == chapters, "\n".join(["expected:", *chapters])


def test_decisions_are_listed() -> None:
    decisions = []
    for path in sorted(DECISIONS.glob("[0-9]*.md")):
        text = path.read_text("utf-8")
        heading = re.match(r"# (\d+)\. (.+)\n", text)
        status = STATUS.search(text)
        assert heading, f"{path.name} begins with its number and title"
        assert status, f"{path.name} has no line `Status: accepted`"
        assert int(heading[1]) == int(path.name[:4]), path.name
        item = f"- [{heading[1]}. {heading[2]}]({path.name})"
        decisions.append(item if status[1] == "accepted" else f"{item}: {status[1]}")
    assert listed(DECISIONS / "README.md") == decisions, "\n".join(["expected:", *decisions])


@pytest.mark.parametrize("line", ["Status: accepted", "Status: superseded by [26](0026-stages.md)"])
def test_a_status_is_seen(line: str) -> None:
    assert STATUS.search(f"# 1. Title\n\n{line}\n\ntext")
    assert not STATUS.search(f"{line}, perhaps")
