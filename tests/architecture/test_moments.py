"""Seconds become dates and texts in one module."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

TURNS_SECONDS = {
    "operator/folkmoot_operator/moments.py",
    "operator/folkmoot_operator/schedule.py",  # in the time zone of a schedule
}


def test_nobody_else_turns_seconds_into_dates() -> None:
    found = set()
    for folder in ("node", "coordinator", "operator", "web", "rehearsal", "proto", "plugins"):
        for path in (ROOT / folder).rglob("*.py"):
            names = {
                node.attr
                for node in ast.walk(ast.parse(path.read_text("utf-8")))
                if isinstance(node, ast.Attribute)
            }
            if names & {"fromtimestamp", "utcfromtimestamp"}:
                found.add(str(path.relative_to(ROOT)))
    assert found == TURNS_SECONDS
