"""`folkmoot-coordinator doctor`."""

from __future__ import annotations

from pathlib import Path

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption
from folkmoot_operator.console import print_json


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("doctor")(doctor)


def doctor(home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """Check permissions, certificates, database, clock, ports, disk and the web site.

    Exit code 3 if a check failed. Each failed check says how to fix it.

    Example: `folkmoot-coordinator doctor --home region`
    """
    from folkmoot_coordinator.config import Home
    from folkmoot_coordinator.operations.doctor import examine
    from folkmoot_operator.checks import State, exit_code

    verdicts = {State.OK: "good", State.WARN: "warning", State.FAIL: "bad"}
    findings = examine(Home(home))
    if json_:
        print_json(
            [
                {
                    "subject": finding.where or finding.name,
                    "verdict": verdicts[finding.state],
                    "detail": finding.what,
                    "remedy": finding.remedy,
                }
                for finding in findings
            ]
        )
    else:
        for finding in findings:
            subject = finding.where or finding.name
            typer.echo(f"{verdicts[finding.state]:8} {subject}: {finding.what}")
            if finding.remedy:
                typer.echo(f"{'':8} {finding.remedy}")
    if code := exit_code(findings):
        raise typer.Exit(code)
