"""`folkmoot-node casework`: the pages on which people at the council work, and who may."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_node.cli import casework_services
from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.console import application, print_json

if TYPE_CHECKING:
    from folkmoot_node.casework.desk import Desk

casework_app = application("casework", "From a score to help: cases, and who may see what.")
accounts_app = application("accounts", "Accounts of the casework site, and their roles.")
casework_app.add_typer(accounts_app, name="accounts")

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="What they sign in with, such as an email address.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    casework_services.register(casework_app)
    app.add_typer(casework_app, name="casework")


@casework_app.command()
def init(home: Home = HERE, as_json: AsJson = False) -> None:
    """Sets casework up at this node: settings, a sample policy, and the key of its database.

    Read and change the policy before you sign it.

    Example: folkmoot-node casework init
    """
    from folkmoot_node.casework.settings import require_casework

    require_casework()
    from folkmoot_node.casework.initialise import initialise

    made = initialise(home)
    if as_json:
        print_json({"policy": str(made.policy), "settings": str(made.settings)})
        return
    typer.echo(f"Wrote {made.policy}, and [casework] into {made.settings}.")
    typer.echo("Next: read the policy, then `folkmoot-node casework accounts add NAME --role ...`")


@casework_app.command()
def serve(home: Home = HERE) -> None:
    """Serves the casework site until stopped (SIGTERM or Ctrl-C). Prints its address.

    Example: folkmoot-node casework serve
    """
    from folkmoot_node.casework.settings import require_casework

    require_casework()
    from folkmoot_node.casework.serving import serve_casework
    from folkmoot_node.settings.node_toml import load_config

    with contextlib.suppress(KeyboardInterrupt):
        serve_casework(load_config(home), lambda address: typer.echo(f"Casework: {address}"))


@accounts_app.command("add")
def add(
    name: NameArgument,
    role: Annotated[list[str], typer.Option("--role", help="A role of the policy; repeat.")],
    shown: Annotated[str, typer.Option(help="Their name for other people.")] = "",
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Adds an account, and prints a link with which its owner chooses a password.

    Example: folkmoot-node casework accounts add jo@example.gov.uk --role caseworker --shown Jo
    """
    from folkmoot_operator.accounts import current_operator

    desk = _desk(home)
    by = f"command of {current_operator()}"
    link = desk.state.accounts.add(name, shown or name, role, by=by)
    if as_json:
        print_json({"name": name, "link": link})
        return
    typer.echo(f"Give this link to {name}; it works once, for three days:")
    typer.echo(link)


def _desk(home: Path) -> Desk:
    from folkmoot_node.casework.settings import require_casework
    from folkmoot_node.settings.node_toml import load_config

    require_casework()
    from folkmoot_node.casework.desk import open_desk

    return open_desk(load_config(home))
