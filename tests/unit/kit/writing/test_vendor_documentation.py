"""The vendor documentation lists the checks that are made, and commands and settings that exist."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from typer.main import get_command

from folkmoot_kit.checks.plugin import catalogue
from folkmoot_kit.cli import app
from folkmoot_kit.writing.vendor_documentation import BEGIN, END, as_markdown, renewed
from folkmoot_sdk.conformance.findings import Check, Severity

PATH = Path(__file__).resolve().parents[4] / "docs" / "plugins.md"
TEXT = PATH.read_text("utf-8")


def test_the_document_lists_every_check_as_the_kit_has_it() -> None:
    assert renewed(TEXT, catalogue()) == TEXT, (
        "run: python -m folkmoot_kit.writing.vendor_documentation docs/plugins.md"
    )
    listed = re.findall(r"^\| `([\w-]+)`", TEXT[TEXT.index(BEGIN) : TEXT.index(END)], re.M)
    assert sorted(listed) == sorted({check.id for check in catalogue()})


def test_a_check_that_changes_changes_the_document() -> None:
    one = Check("some-rule", "factor", "A | rule", "Because.", "Do so", Severity.WARNING)
    said = as_markdown([one, one])
    assert said.count("`some-rule` (warning) | A \\| rule | Because | Do so |") == 1
    document = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    again = renewed(document, [one])
    assert again.startswith("before\n")
    assert again.endswith("\nafter\n")
    assert "old" not in again
    assert renewed(again, [one]) == again


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
