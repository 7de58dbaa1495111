"""`install`: which installed files the council has accepted."""

from __future__ import annotations

from typing import Annotated

import typer

from folkmoot_node.cli.options import AsJson
from folkmoot_operator.console import print_json


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    group = typer.Typer(help="The installed files that may add noise.", no_args_is_help=True)
    group.command()(accept)
    group.command()(verify)
    app.add_typer(group, name="install")


def accept(
    anyway: Annotated[
        bool,
        typer.Option("--anyway", help="Accept files, too, that are not what one wheel brought."),
    ] = False,
) -> None:
    """Accepts what is installed now, in a list that only root can change.

    From then on a process that adds noise compares each file with the list before it runs it, and
    stops at one that differs or is new. Accept after each installation, when you have checked
    the wheels. As anybody but root, prints the command for root.

    Example: sudo folkmoot-node install accept
    """
    from folkmoot_node.operations.accept_installation import accept as accept_

    for line in accept_(anyway=anyway):
        typer.echo(line)


def verify(as_json: AsJson = False) -> None:
    """Compares every installed file with what was accepted; takes some seconds.

    Exit code 7 if one differs, is new or missing; 3 if nothing was accepted.

    Example: folkmoot-node install verify
    """
    from folkmoot_node.operations.accept_installation import require_accepted
    from folkmoot_node.operations.accept_installation import verify as compare

    if as_json:
        found = compare()
        print_json(
            {
                "accepted": found is not None,
                "changed": list(found.changed) if found else [],
                "added": list(found.added) if found else [],
                "missing": list(found.missing) if found else [],
            }
        )
        if found is not None and not found:
            return
    typer.echo(require_accepted(), err=as_json)
