"""What `doctor` prints and asks, the same in each program: only what it looks at differs."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_operator.console import hanging, print_json

if TYPE_CHECKING:
    from folkmoot_operator.checks import Finding
    from folkmoot_operator.repairs import Repair

Fix = Annotated[
    bool,
    typer.Option(
        "--fix", help="Then put right what loses nothing and decides nothing, after asking."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", help="With --fix: do not ask.")]
Repairs = AbstractContextManager[tuple[list["Repair"], Callable[[], list[str]]]]
"""What can be repaired, while the program's folder is open, and what does and records it."""


def diagnose(
    examine: Callable[[], Iterable[Finding]],
    repairs: Callable[[], Repairs],
    *,
    fix: bool,
    yes: bool,
    as_json: bool,
) -> None:
    """Looks, repairs if it is asked to, looks again, and says what was found.

    Args:
        examine: Looks at everything once.
        repairs: Opens the program's folder, and finds what can be repaired.
        fix: Whether to repair.
        yes: Whether not to ask before.
        as_json: Whether for programs.

    Raises:
        Exit: Exit code SETTINGS, if a check failed.
    """
    from folkmoot_operator.checks import exit_code

    if fix and as_json and not yes:
        raise typer.BadParameter("give --yes too: nobody can be asked", param_hint="--json, --fix")
    findings = list(examine())
    if not as_json:
        _print(findings)
    repaired = _repair(repairs, yes=yes) if fix else []
    if repaired:
        findings = list(examine())
        if not as_json:
            still = [one for one in findings if one.remedy]
            typer.echo("Looked again. " + ("It still says:" if still else "Nothing is left."))
            _print(still)
    if as_json:
        rows = [_row(one) for one in findings]
        print_json({"repaired": repaired, "checks": rows} if fix else rows)
    if code := exit_code(findings):
        raise typer.Exit(code)


def _repair(repairs: Callable[[], Repairs], *, yes: bool) -> list[str]:
    with repairs() as (found, put_right):
        if not found:
            typer.echo("Nothing can be repaired by itself.", err=True)
            return []
        if not yes:
            for one in found:
                typer.echo(f"Would {one.what}.", err=True)
            typer.confirm("Do these?", abort=True, err=True)
        done = put_right()
    for what in done:
        typer.echo(f"Done: {what}.", err=True)
    return done


def _row(finding: Finding) -> dict[str, Any]:
    from folkmoot_operator.checks import State

    verdicts = {State.OK: "good", State.WARN: "warning", State.FAIL: "bad"}
    return {
        "check": finding.name,
        "ok": finding.ok,
        "state": finding.state.name.lower(),
        # The coordinator's names of the same in 0.1.0, which programs may read.
        "subject": finding.where or finding.name,
        "verdict": verdicts[finding.state],
        "detail": _detail(finding),
        "remedy": finding.remedy,
        "command": finding.command,
    }


def _detail(finding: Finding) -> str:
    return f"{finding.where}: {finding.what}" if finding.where else finding.what


def _print(findings: list[Finding]) -> None:
    from folkmoot_operator.checks import State

    marks = {
        State.OK: ("ok", typer.colors.GREEN),
        State.WARN: ("warn", typer.colors.YELLOW),
        State.FAIL: ("FAIL", typer.colors.RED),
    }
    for finding in findings:
        mark, colour = marks[finding.state]
        lines = hanging(f"{finding.name}: {_detail(finding)}")
        lines += hanging(f"Remedy: {finding.remedy}") if finding.remedy else []
        for number, line in enumerate(lines):
            shown = typer.style(mark, fg=colour) if number == 0 else ""
            typer.echo(f"{shown}{' ' * (5 - (len(mark) if number == 0 else 0))}{line}")
