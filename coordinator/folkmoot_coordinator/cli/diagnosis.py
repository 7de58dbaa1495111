"""`folkmoot-coordinator doctor`."""

from __future__ import annotations

from pathlib import Path

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption
from folkmoot_operator.console import print_json
from folkmoot_operator.problems import ExitCode


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("doctor")(doctor)


def doctor(home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """Check permissions, certificates, database, clock, ports and disk.

    Exit code 3 if a check failed. Each failed check says how to fix it.

    Example: `folkmoot-coordinator doctor --home region`
    """
    from folkmoot_coordinator.config import Home
    from folkmoot_coordinator.doctor import Verdict, examine

    findings = examine(Home(home))
    if json_:
        print_json(
            [
                {
                    "subject": finding.subject,
                    "verdict": finding.verdict.value,
                    "detail": finding.detail,
                    "remedy": finding.remedy,
                }
                for finding in findings
            ]
        )
    else:
        for finding in findings:
            typer.echo(f"{finding.verdict.value:8} {finding.subject}: {finding.detail}")
            if finding.remedy:
                typer.echo(f"{'':8} {finding.remedy}")
    if any(finding.verdict is Verdict.BAD for finding in findings):
        raise typer.Exit(ExitCode.SETTINGS)
