"""The settings file is changed where it is meant, and nowhere else."""

from __future__ import annotations

import tomllib

import pytest

from folkmoot_node.settings.plugin_tables import with_table, without_table
from folkmoot_operator.problems import ExitCode, Problem

DIGEST = "sha256:" + "a" * 64
TEXT = """\
# The council's own words
schema = 1 # stays

[plugins.allowed.other]   # and this
version = "1"
[plugins.allowed.other.requires]
numpy = "2.0"

[scoring]
frame = "tax"
"""
TABLE = f"""\
[plugins.allowed.energy-debt]
version = "1.2.0"
content = "{DIGEST}"

[plugins.allowed.energy-debt.requires]
httpx = "1.0 {DIGEST}"
"""


def test_a_table_is_added_at_the_end() -> None:
    found = with_table(TEXT, "energy-debt", TABLE, "node.toml")
    assert found == f"{TEXT}\n{TABLE}"


def test_one_that_was_there_is_replaced_and_its_requirements_go() -> None:
    once = with_table(TEXT, "energy-debt", TABLE, "node.toml")
    newer = TABLE.partition("\n[plugins.allowed.energy-debt.requires]")[0].replace("1.2.0", "1.3")
    twice = with_table(once, "Energy_Debt", newer, "node.toml")
    assert tomllib.loads(twice)["plugins"]["allowed"]["energy-debt"] == {
        "version": "1.3",
        "content": DIGEST,
    }
    assert twice.startswith(TEXT)


@pytest.mark.parametrize("name", ["other", "Other", '"other"', " other "])
def test_a_table_is_taken_out_whatever_its_name_looks_like(name: str) -> None:
    text = TEXT.replace("plugins.allowed.other]", f"plugins.allowed.{name}]")
    text = text.replace("plugins.allowed.other.requires]", f"plugins.allowed.{name}.requires]")
    found = without_table(text, "other", "node.toml")
    assert found == TEXT[: TEXT.index("[plugins")] + TEXT[TEXT.index("[scoring]") :]


def test_taking_out_what_was_added_leaves_the_rest() -> None:
    added = with_table(TEXT, "energy-debt", TABLE, "node.toml")
    assert tomllib.loads(without_table(added, "energy-debt", "node.toml")) == tomllib.loads(TEXT)


@pytest.mark.parametrize(
    "text",
    [
        'plugins.allowed.energy-debt.version = "1"\n',
        '[plugins]\nallowed = {energy-debt = {version = "1"}}\n',
        '[plugins.allowed]\nenergy-debt = {version = "1"}\n',
        '[plugins.allowed]\nenergy-debt.version = "1"\n',
    ],
)
def test_what_is_written_otherwise_is_left_to_a_person(text: str) -> None:
    for change in (
        lambda: with_table(text, "energy-debt", TABLE, "node.toml"),
        lambda: without_table(text, "energy-debt", "node.toml"),
    ):
        with pytest.raises(Problem, match="by hand|cannot change") as raised:
            change()
        assert raised.value.exit_code is ExitCode.SETTINGS
        assert "node.toml: plugins.allowed" in raised.value.where


def test_a_header_in_a_text_is_no_header_of_a_table() -> None:
    text = 'note = """\n[plugins.allowed.other]\n"""\n[plugins.allowed.other]\nversion = "1"\n'
    with pytest.raises(Problem, match="cannot change"):
        without_table(text, "other", "node.toml")
