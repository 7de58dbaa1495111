"""What documents tell vendors and councils to write and to run is what programs take."""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path

import pytest
from click import Command, Group
from typer.main import get_command

from folkmoot_kit.cli import app as plugin
from folkmoot_kit.provenance import load_trusted_keys
from folkmoot_node.cli import app as node
from folkmoot_node.policies.release_policy import PluginInProcess
from folkmoot_node.settings.plugins import AllowedPlugin, PluginSettings
from folkmoot_operator.problems import ExitCode

ROOT = Path(__file__).resolve().parents[2]
VENDORS = (ROOT / "docs" / "plugins.md").read_text("utf-8")
RUNNING = (ROOT / "docs" / "running.md").read_text("utf-8")
COUNCILS = RUNNING[RUNNING.index("\n## Plugins of others") : RUNNING.index("\n## systemd")]
DIGEST = f"sha256:{'0' * 64}"


def rows(text: str, heading: str) -> list[list[str]]:
    """Cells of the first table that follows some words."""
    table = text[text.index(heading) :].partition("|---")[2].partition("\n")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def commands() -> list[str]:
    found = re.findall(r"^\$ (folkmoot-(?:plugin|node) .*)$", VENDORS + COUNCILS, re.M)
    assert len(found) > 12
    return found


@pytest.mark.parametrize("line", commands())
def test_commands_have_the_options_that_documents_give_them(line: str) -> None:
    program, *words = shlex.split(line)
    command: Command = get_command(plugin if program == "folkmoot-plugin" else node)
    while isinstance(command, Group) or hasattr(command, "commands"):
        command = command.commands[words.pop(0)]  # type: ignore[attr-defined]
    options = {name for parameter in command.params for name in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options
    needed = {
        parameter.opts[0]
        for parameter in command.params
        if parameter.required and parameter.opts[0].startswith("--")
    }
    assert needed <= set(words)


def test_exit_codes_are_all_told() -> None:
    assert [row[0] for row in rows(VENDORS, "one of these codes")] == [
        str(code.value) for code in ExitCode
    ]


@pytest.mark.parametrize(
    ("heading", "settings"),
    [
        ("Table `[plugins]`", PluginSettings),
        ("Table `[plugins.allowed.NAME]`", AllowedPlugin),
    ],
)
def test_keys_of_node_toml_are_all_told_with_their_defaults(
    heading: str, settings: type[PluginSettings] | type[AllowedPlugin]
) -> None:
    told = {
        name: default.strip("`").strip('"')
        for names, default, _ in rows(COUNCILS, heading)
        for name in re.findall(r"`(\w+)`", names)
    }
    assert set(told) == set(settings.model_fields)
    for name, default in told.items():
        if default not in ("", "none"):
            assert default == str(settings.model_fields[name].default).lower().strip(), name


def test_the_samples_of_keys_and_decisions_are_taken(tmp_path: Path) -> None:
    keys, decision = re.findall(r"```toml\n(.*?)```", COUNCILS, re.S)
    file = tmp_path / "trusted-keys.toml"
    numbered = iter(range(10))
    file.write_text(
        re.sub(r"ed25519:\.\.\.", lambda _: f"ed25519:{next(numbered):064x}", keys), "utf-8"
    )
    trusted = load_trusted_keys(file)
    assert [len(trusted.vendors), len(trusted.reviewers), len(trusted.reporters)] == [1, 1, 1]
    (table,) = tomllib.loads(decision.replace("sha256:...", DIGEST))["plugins_in_process"]
    assert PluginInProcess(**table).version == "1.2.0"
    table = re.search(r"```toml\n(\[plugins\.allowed.*?)```", VENDORS, re.S)
    assert table is not None
    (allowed,) = tomllib.loads(table[1].replace("sha256:...", DIGEST))["plugins"][
        "allowed"
    ].values()
    assert AllowedPlugin(**allowed).files
