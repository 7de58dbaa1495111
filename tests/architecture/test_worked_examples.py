"""The list of worked examples is complete, and says what each file says of itself."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SPEC = ROOT / "tests" / "spec"


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
