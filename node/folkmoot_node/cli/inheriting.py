"""`ledger inherit`: the new node of councils that merged."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.console import print_json


def inherit(
    before: Annotated[
        list[Path],
        typer.Argument(metavar="HOME...", help="Homes of the nodes of the councils that merged."),
    ],
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Begins this node's ledger with what the councils that merged into this one had spent.

    Each household was in one of them, so it counts as much as the one that spent most: in the
    accounting periods that go on, and for all time. Run it after `init`, before anything is
    spent: exit code 5 if this node's ledger has entries. The nodes before must have
    been stopped, their evidence must hold, and nothing may be missing there. Their folders are
    only read: keep them.

    Example: folkmoot-node ledger inherit /srv/old-north /srv/old-south
    """
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.follow_councils import follow_councils

    with open_home(home) as node:
        found = follow_councils(node, before, by=current_operator())
        head = node.ledger.head()
    for note in found.notes:
        typer.echo(f"Warning: {note}.", err=True)
    if as_json:
        print_json(
            {
                "going_on": str(found.going_on),
                "lifetime": str(found.lifetime),
                "councils": [
                    {
                        "council": one.council,
                        "going_on": str(one.going_on),
                        "lifetime": str(one.lifetime),
                        "head_of_all_logs": one.head,
                    }
                    for one in found.before
                ],
                "head": str(head),
            }
        )
        return
    for one in found.before:
        typer.echo(f"{one.council} had spent rho {one.going_on} now, {one.lifetime} in all.")
    typer.echo(f"This node begins with rho {found.going_on} spent now, {found.lifetime} in all.")
    typer.echo(f"Ledger head {head}")
