"""`folkmoot-coordinator doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_home
from folkmoot_operator.console import hanging, print_json

if TYPE_CHECKING:
    from folkmoot_operator.checks import Finding

_INDENT = 9
"""Characters before a finding, which its verdict stands in."""


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("doctor")(doctor)


def doctor(
    home: HomeOption = Path(),
    json_: JsonOption = False,
    repair: Annotated[
        bool,
        typer.Option(
            "--fix", help="Then put right what loses nothing and decides nothing, after asking."
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --fix: do not ask.")] = False,
) -> None:
    """Check permissions, certificates, database, clock, names, ports, disk and the web site.

    Each failed check says how to fix it. --fix closes private files to other accounts and deletes
    what stopped processes have left; it looks again afterwards, and the audit log has what was
    done. Exit code 3 if a check failed.

    Example: `folkmoot-coordinator doctor --home region`
    """
    from folkmoot_coordinator.config import Home
    from folkmoot_coordinator.operations.doctor import examine
    from folkmoot_operator.checks import exit_code

    if repair and json_ and not yes:
        raise typer.BadParameter("give --yes too: nobody can be asked", param_hint="--json, --fix")
    findings = examine(Home(home))
    if not json_:
        _print(findings)
    repaired: list[str] = []
    if repair:
        repaired = _repair(home, yes=yes)
        if repaired:
            findings = examine(Home(home))
        if not json_ and repaired:
            still = [one for one in findings if one.remedy]
            typer.echo("Looked again. " + ("It still says:" if still else "Nothing is left."))
            _print(still)
    if json_:
        rows = [_row(one) for one in findings]
        print_json({"repaired": repaired, "checks": rows} if repair else rows)
    if code := exit_code(findings):
        raise typer.Exit(code)


def _repair(home: Path, *, yes: bool) -> list[str]:
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.database import audit_log
    from folkmoot_coordinator.operations.checks import repairs
    from folkmoot_operator.repairs import REPAIRED

    place, database = open_home(home)
    found = list(repairs(place))
    if not found:
        typer.echo("Nothing can be repaired by itself.", err=True)
        return []
    if not yes:
        for one in found:
            typer.echo(f"Would {one.what}.", err=True)
        typer.confirm("Do these?", abort=True, err=True)
    done = [one.what for one in found]
    for one in found:
        one.do()
    with database.writing() as session:
        audit_log.note(session, system_clock(), REPAIRED, {"what": done})
    for what in done:
        typer.echo(f"Done: {what}.", err=True)
    return done


def _verdict(finding: Finding) -> str:
    from folkmoot_operator.checks import State

    return {State.OK: "good", State.WARN: "warning", State.FAIL: "bad"}[finding.state]


def _row(finding: Finding) -> dict[str, Any]:
    return {
        "subject": finding.where or finding.name,
        "verdict": _verdict(finding),
        "detail": finding.what,
        "remedy": finding.remedy,
        "command": finding.command,
    }


def _print(findings: list[Finding]) -> None:
    for finding in findings:
        lines = hanging(f"{finding.where or finding.name}: {finding.what}", _INDENT)
        lines += hanging(finding.remedy, _INDENT)
        for number, line in enumerate(lines):
            verdict = _verdict(finding) if number == 0 else ""
            typer.echo(f"{verdict:{_INDENT}}{line}")
