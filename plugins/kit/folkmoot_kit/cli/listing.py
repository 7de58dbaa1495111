"""`folkmoot-plugin list`: what is installed, and what is broken and why."""

from __future__ import annotations

import sys
import textwrap
from typing import TYPE_CHECKING, Any

import typer

from folkmoot_operator import console
from folkmoot_operator.problems import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from folkmoot_sdk.loading import BrokenPlugin

_WIDTH = 80


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("list")(list_)


def list_(json: bool = typer.Option(False, "--json", help="For programs to read.")) -> None:
    """List the installed plugins: sources, factors, parameters, and what is broken.

    They are loaded in a confined process, so a plugin that nobody knows can be looked at.

    Example: `folkmoot-plugin list --json`
    """
    from folkmoot_kit.hosting import open_installed
    from folkmoot_kit.writing.inventory import inventory

    with open_installed(show_messages=True) as plugins:
        found = inventory(plugins)
        if json:
            console.print_json(found)
        else:
            _print(found, plugins.broken)
        if plugins.broken:
            raise typer.Exit(ExitCode.FAULT)


def _print(found: dict[str, Any], broken: Sequence[BrokenPlugin]) -> None:
    if not found["plugins"] and not broken:
        typer.echo("No plugin is installed.")
    for plugin in found["plugins"]:
        typer.echo(f"{plugin['distribution']} {plugin['version']}")
        for source in plugin["sources"]:
            typer.echo(f"  source {source['kind']}")
            _print_parameters(source["options"])
        for factor in plugin["factors"]:
            typer.echo(f"  factor {factor['name']}: {factor['title']}")
            inputs = [
                entry["name"] + ("" if entry["required"] else " (optional)")
                for entry in factor["inputs"]
            ]
            _print_folded(f"    inputs: {', '.join(inputs)}")
            _print_parameters(factor["parameters"])
    for one in broken:
        _print_folded(f"BROKEN {one}")


def _print_parameters(parameters: list[dict[str, Any]]) -> None:
    for entry in parameters:
        value = "required" if entry["required"] else f"= {entry['default']}"
        if entry["secret"]:
            value = "required, a secret" if entry["required"] else "a secret"
        unit = f" {entry['unit']}" if entry["unit"] else ""
        choices = f" (one of {', '.join(map(str, entry['choices']))})" if entry["choices"] else ""
        _print_folded(f"    {entry['key']} {value}{unit}: {entry['description']}{choices}")


def _print_folded(line: str) -> None:
    """Prints a line, broken between words on a terminal and whole elsewhere."""
    if sys.stdout.isatty():
        line = textwrap.fill(line, _WIDTH, subsequent_indent=" " * 8, break_on_hyphens=False)
    typer.echo(line)
