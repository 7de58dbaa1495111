"""The threat model names tests that are there, and the limitations say where more is said."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def rows(page: str) -> list[list[str]]:
    text = (ROOT / "docs" / page).read_text("utf-8")
    lines = [line for line in text.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for at, row in enumerate(cells) if not _is_head(cells, at)]


def _is_head(cells: list[list[str]], at: int) -> bool:
    rules = [not "".join(row).strip("-") for row in cells]
    return rules[at] or (at + 1 < len(cells) and rules[at + 1])


def test_each_threat_is_stopped_by_tests_that_are_there_or_is_said_not_to_be() -> None:
    threats = [row for row in rows("threats.md") if "tests/" in row[-1] or "Not stopped" in row[1]]
    assets = [row for row in rows("threats.md") if row not in threats]
    assert len(assets) == 7, f"a threat without a test: {assets}"
    assert len(threats) >= 30
    for row in threats:
        for path in re.findall(r"`(tests/[^`]+)`", row[-1]):
            assert (ROOT / path).is_file(), f"{row[0]}: {path}"


def test_every_limitation_leads_to_more() -> None:
    limitations = rows("limitations.md")
    assert len(limitations) >= 20
    for what, more in limitations:
        assert more.startswith("[") or what == "The interface is English", what


def test_commands_for_auditors_exist() -> None:
    from typer.main import get_command

    from folkmoot_coordinator.cli import app as region
    from folkmoot_node.cli import app as node

    text = (ROOT / "docs" / "checking.md").read_text("utf-8")
    found = re.findall(r"`folkmoot-(node|coordinator) ([a-z ]+)`", text)
    assert len(found) == 11
    for program, words in found:
        command = get_command(node if program == "node" else region)
        for word in words.split():
            command = command.commands[word]  # type: ignore[attr-defined]
