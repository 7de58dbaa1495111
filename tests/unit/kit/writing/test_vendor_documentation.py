"""The vendor documentation lists the checks that are made, and commands and settings that exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from typer.main import get_command

from folkmoot_kit.attacks.catalogue import ATTEMPTS
from folkmoot_kit.checks.plugin import catalogue
from folkmoot_kit.cli import app
from folkmoot_kit.writing.vendor_documentation import (
    ATTACKS,
    BEGIN,
    CHECKS,
    END,
    as_markdown,
    renewed,
)
from folkmoot_sdk.conformance.findings import Check, Severity

PATH = Path(__file__).resolve().parents[4] / "docs" / "plugins.md"
TEXT = PATH.read_text("utf-8")


def section(name: str) -> str:
    return TEXT[TEXT.index(BEGIN.format(name)) : TEXT.index(END.format(name))]


def test_the_document_lists_checks_and_attacks_as_the_kit_has_them() -> None:
    assert renewed(TEXT, catalogue(), ATTEMPTS.values()) == TEXT, (
        "run: python -m folkmoot_kit.writing.vendor_documentation docs/plugins.md"
    )
    listed = re.findall(r"^\| `([\w-]+)`", section(CHECKS), re.M)
    assert sorted(listed) == sorted({check.id for check in catalogue()})
    counted = re.findall(r"^\| [^|]+ \| (\d+) \|", section(ATTACKS), re.M)
    assert sum(map(int, counted)) == len(ATTEMPTS)


def test_a_check_that_changes_changes_the_document() -> None:
    one = Check("some-rule", "factor", "A | rule", "Because.", "Do so", Severity.WARNING)
    said = as_markdown([one, one])
    assert said.count("`some-rule` (warning) | A \\| rule | Because | Do so |") == 1
    marks = [mark.format(name) for name in (CHECKS, ATTACKS) for mark in (BEGIN, END)]
    document = "before\n{}\nold\n{}\nbetween\n{}\nold\n{}\nafter\n".format(*marks)
    again = renewed(document, [one], ATTEMPTS.values())
    assert again.startswith("before\n")
    assert "\nbetween\n" in again
    assert again.endswith("\nafter\n")
    assert "old\n<!--" not in again
    assert renewed(again, [one], ATTEMPTS.values()) == again


def test_every_finding_has_an_id_of_its_own_and_says_what_to_do() -> None:
    checks = set(catalogue())
    assert len({check.id for check in checks}) == len(checks)
    for check in checks:
        assert check.about in {"factor", "source", "plugin"}, check.id
        assert check.title, check.id
        assert check.why.endswith("."), check.id
        assert check.remedy, check.id


def test_commands_in_the_document_are_commands() -> None:
    known = set(get_command(app).commands)  # type: ignore[attr-defined]
    named = set(re.findall(r"`folkmoot-plugin ([a-z-]+)", TEXT))
    assert {"new", "run", "check"} <= named
    assert named <= known, named - known


def test_settings_in_the_document_are_toml() -> None:
    for block in re.findall(r"```toml\n(.*?)```", TEXT, re.DOTALL):
        tomllib.loads(block)
