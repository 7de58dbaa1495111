"""`upgrade try`: another version of the node, before it is put in place."""

from __future__ import annotations

import datetime
from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer

from folkmoot_node.cli.options import HERE, Home, Reason
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.console import console
from folkmoot_operator.problems import ExitCode


def register(app: typer.Typer) -> None:
    """Adds the command to the application."""
    group = typer.Typer(help="Another version of the node.", no_args_is_help=True)
    group.command("try")(try_)
    app.add_typer(group, name="upgrade")


def try_(
    python: Annotated[
        Path,
        typer.Option(
            help="The interpreter of the other version: "
            "/opt/folkmoot/releases/VERSION/bin/python3.11.",
            dir_okay=False,
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            help="Private CSV file for the households that differ: personal data.", dir_okay=False
        ),
    ] = None,
    reference_date: Annotated[
        datetime.datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="Date on which ages and durations are computed."),
    ] = None,
    home: Home = HERE,
    reason: Reason = None,
) -> None:
    """Scores a copy of this node by another version, and compares every household with this one's.

    Both versions score the same files for the same date, each in a process of its own; the copy is
    deleted afterwards. The store stays as it is, and nothing leaves. Who moves from which band to
    which is shown here and kept nowhere, unless you name a file. Where casework is set up, its
    policy says who may write one, its log has an entry before there is a file, and --out needs
    --reason. The other version must also read the ledger.

    Exit code 0 if every score is the same, 4 if one differs, else that of the version that failed.

    Example: folkmoot-node upgrade try --python /opt/folkmoot/releases/0.2.0/bin/python3.11
    """
    from rich.table import Column, Table

    from folkmoot_node.home import open_home
    from folkmoot_node.operations.try_upgrade import try_upgrade
    from folkmoot_operator.output_places import require_no_link, require_safe_folder

    if out is not None:
        require_no_link(out)
        require_safe_folder(out)
    with open_home(home) as node:
        date = reference_date.date() if reference_date else None
        logged = out is not None and node.config.casework is not None
        if logged:
            from folkmoot_node.casework.settings import require_casework

            require_casework()
            from folkmoot_node.casework import command_reading

            command_reading.require_export_permitted(node.config, reason, clock=node.clock)

        def note() -> Collection[int]:
            if not logged:
                return ()
            what = {"bands": [], "of": "another version tried"}
            noted = command_reading.note_households(node.config, reason, what, clock=node.clock)
            return noted.restricted

        found = try_upgrade(
            node, python, current_operator(), out=out, reference_date=date, note=note
        )
    typer.echo(
        f"This version {found.here}, the other {found.there}: {found.households:,} households."
    )
    if not found.changed:
        typer.echo("Every score, band and attribute is the same.")
        return
    typer.echo(
        f"{found.changed:,} households differ, their scores by up to {found.largest:.2f} points."
    )
    if found.moves:
        table = Table("Band here", "Band there", Column("Households", justify="right"))
        for move in found.moves:
            names = (move.here or "(not scored)", move.there or "(not scored)")
            table.add_row(*names, f"{move.households:,}")
        console().print(table)
    else:
        typer.echo("Nobody changes band.")
    if out is not None:
        typer.echo(f"Who they are is in {out}: delete it when you have looked.")
    raise typer.Exit(ExitCode.DATA)
