"""Each stage of the page on the guarantee names tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_each_stage_names_a_test_that_is_there() -> None:
    text = (ROOT / "docs" / "guarantee.md").read_text("utf-8")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", text, re.MULTILINE)[2:]
    assert len(rows) >= 12
    for stage, bound, held in rows:
        assert "to be stated" not in bound, stage
        named = re.findall(r"`(tests/[^`]+)`", held)
        assert named or "contracts of imports" in held, stage
        for path in named:
            assert (ROOT / path).is_file(), f"{stage}: {path}"
