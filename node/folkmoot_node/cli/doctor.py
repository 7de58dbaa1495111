"""`doctor`: finding out why the node does not run, and repairing what can be repaired at once."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.console import hanging, print_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from folkmoot_node.home import NodeHome
    from folkmoot_operator.checks import Check, Finding


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command()(doctor)


def doctor(
    home: Home = HERE,
    as_json: AsJson = False,
    offline: Annotated[
        bool, typer.Option("--offline", help="Do not try to reach the coordinator.")
    ] = False,
    repair: Annotated[
        bool,
        typer.Option(
            "--fix", help="Then put right what loses nothing and decides nothing, after asking."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --fix: do not ask.")] = False,
) -> None:
    """Checks settings, keys, policies, plugins, scores, evidence, the way to the coordinator and
    the coordinator.

    A check that failed or warns says how to fix it. --fix closes private files to other accounts,
    deletes what stopped processes have left, and finishes a pause that was interrupted; it looks
    again afterwards, and the audit log has what was done. Exit code 3 if a check failed.

    Example: folkmoot-node doctor --fix
    """
    from folkmoot_node.operations.doctor import examine
    from folkmoot_operator.checks import exit_code

    if repair and as_json and not yes:
        raise typer.BadParameter("give --yes too: nobody can be asked", param_hint="--json, --fix")
    findings = list(examine(home, offline=offline, further=_casework))
    if not as_json:
        _print(findings)
    repaired: list[str] = []
    if repair:
        repaired = _repair(home, yes=yes)
        if repaired:
            findings = list(examine(home, offline=offline, further=_casework))
        if not as_json and repaired:
            still = [one for one in findings if one.remedy]
            typer.echo("Looked again. " + ("It still says:" if still else "Nothing is left."))
            _print(still)
    if as_json:
        rows = [_row(one) for one in findings]
        print_json({"repaired": repaired, "checks": rows} if repair else rows)
    if code := exit_code(findings):
        raise typer.Exit(code)


def _repair(home: Path, *, yes: bool) -> list[str]:
    """Repairs what can be repaired; a node that cannot be opened is left to people."""
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.repairs import repair as put_right
    from folkmoot_node.operations.repairs import repairs
    from folkmoot_operator.accounts import current_operator

    who = current_operator()
    with open_home(home) as node:
        found = list(repairs(node, who))
        if not found:
            typer.echo("Nothing can be repaired by itself.", err=True)
            return []
        if not yes:
            for one in found:
                typer.echo(f"Would {one.what}.", err=True)
            typer.confirm("Do these?", abort=True, err=True)
        done = put_right(node, found, who)
    for what in done:
        typer.echo(f"Done: {what}.", err=True)
    return done


def _row(item: Finding) -> dict[str, Any]:
    return {
        "check": item.name,
        "ok": item.ok,
        "state": item.state.name.lower(),
        "detail": _detail(item),
        "remedy": item.remedy,
        "command": item.command,
    }


def _detail(item: Finding) -> str:
    return f"{item.where}: {item.what}" if item.where else item.what


def _print(findings: list[Finding]) -> None:
    from folkmoot_operator.checks import State

    marks = {
        State.OK: ("ok", typer.colors.GREEN),
        State.WARN: ("warn", typer.colors.YELLOW),
        State.FAIL: ("FAIL", typer.colors.RED),
    }
    for item in findings:
        mark, colour = marks[item.state]
        lines = hanging(f"{item.name}: {_detail(item)}")
        lines += hanging(f"Remedy: {item.remedy}") if item.remedy else []
        for number, line in enumerate(lines):
            shown = typer.style(mark, fg=colour) if number == 0 else ""
            typer.echo(f"{shown}{' ' * (5 - (len(mark) if number == 0 else 0))}{line}")


def _casework(node: NodeHome) -> Iterator[Check]:
    """The checks of casework, where it is set up."""
    if node.config.casework is None:
        return
    from folkmoot_node.casework.settings import require_casework
    from folkmoot_operator.checks import Check
    from folkmoot_operator.problems import Problem

    def look() -> str:
        require_casework()
        return "what it needs is installed"

    yield Check("casework", look)
    with contextlib.suppress(Problem):
        require_casework()
        from folkmoot_node.casework.checks import casework_checks

        yield from casework_checks(node)
