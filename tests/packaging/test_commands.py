"""Commands: quick to answer, each with an example, late imports."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import typer
from click import Group
from typer.main import get_command

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ["folkmoot-node", "folkmoot-coordinator", "folkmoot-rehearse", "folkmoot-plugin"]
HEAVY = (
    "polars", "duckdb", "opendp", "grpc", "sqlalchemy", "cryptography", "numpy", "pyarrow",
    "prefect", "distributed",
)  # fmt: skip


def commands(app: typer.Typer) -> list[tuple[str, str]]:
    found = []

    def walk(command: object, path: str) -> None:
        if isinstance(command, Group) or hasattr(command, "commands"):
            for name, below in command.commands.items():  # type: ignore[attr-defined]
                walk(below, f"{path} {name}".strip())
        else:
            found.append((path, command.help or ""))  # type: ignore[attr-defined]

    walk(get_command(app), "")
    return found


def applications() -> dict[str, typer.Typer]:
    from folkmoot_coordinator.cli import app as coordinator
    from folkmoot_kit.cli import app as plugin
    from folkmoot_node.cli import app as node

    return {
        "folkmoot-node": node,
        "folkmoot-coordinator": coordinator,
        "folkmoot-plugin": plugin,
    }


@pytest.mark.parametrize("program", ["folkmoot-node", "folkmoot-coordinator", "folkmoot-plugin"])
def test_every_command_has_an_example(program: str) -> None:
    found = commands(applications()[program])
    assert len(found) > 8
    for path, text in found:
        assert program in text, f"{program} {path} shows no example"


@pytest.mark.parametrize("package", ["folkmoot_node", "folkmoot_coordinator", "folkmoot_kit"])
def test_help_imports_nothing_heavy(package: str) -> None:
    code = (
        f"import sys; import {package}.cli; "
        f"print([name for name in {HEAVY!r} if name in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


@pytest.mark.parametrize("program", PROGRAMS)
def test_each_says_its_version(program: str) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name(program)), "--version"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == f"{program} {(ROOT / 'VERSION').read_text().strip()}\n"


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_unknown_option_is_a_usage_error(program: str) -> None:
    done = subprocess.run(
        [str(Path(sys.executable).with_name(program)), "--no-such-option"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
