"""`folkmoot-coordinator view` and `folkmoot-coordinator accounts`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_site
from folkmoot_operator.console import application

accounts_app = application("accounts", "Accounts of the region's site, and their roles.")

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="What they sign in with, such as an email address.")
]
RoleOption = Annotated[
    list[str],
    typer.Option(
        "--role",
        help="`reader`, `analyst` (asks questions) or `approver` (approves those of others); may "
        "be repeated.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command("view")(view)
    app.add_typer(accounts_app, name="accounts")


class _Stopped(Exception):
    """Somebody asked the process to end."""


def view(home: HomeOption = Path()) -> None:
    """Serve the region's web site until stopped (SIGTERM or Ctrl-C).

    Prints its address when it answers. `serve` runs the site too, where coordinator.toml has a
    table [viewer] without `enabled = false`. It needs no signing key.

    Example: `folkmoot-coordinator view --home region`
    """
    import signal

    from folkmoot_coordinator.home import Home
    from folkmoot_coordinator.viewer.serving import serve_viewer
    from folkmoot_operator import log_output

    def stop(*_: object) -> None:
        raise _Stopped

    place = Home(home)
    log_output.configure(place.settings().log, place.path, "folkmoot-coordinator-site")
    # The server takes signals while it serves, and passes them on when it has ended in order.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with contextlib.suppress(_Stopped):
        serve_viewer(place, lambda address: print(f"Serving {address}", flush=True))


@accounts_app.command("add")
def add(
    name: NameArgument,
    role: RoleOption,
    shown: Annotated[
        str | None,
        typer.Option("--shown", help="Their name for people; by default NAME.", show_default=False),
    ] = None,
    home: HomeOption = Path(),
    json_: JsonOption = False,
) -> None:
    """Add an account, and print the link with which its owner chooses a password.

    The link works once, for three days. It is not kept: `accounts link` makes another.

    Example: `folkmoot-coordinator accounts add jo@example.gov.uk --role analyst --shown Jo`
    """
    from folkmoot_web.account_commands import add_account

    add_account(open_site(home).accounts, name, shown, role, as_json=json_)


@accounts_app.command("list")
def list_(home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """List all accounts with their roles.

    Example: `folkmoot-coordinator accounts list --json`
    """
    from folkmoot_web.account_commands import list_accounts

    list_accounts(
        open_site(home).accounts,
        "No account yet. Add one: `folkmoot-coordinator accounts add NAME --role analyst`",
        as_json=json_,
    )


@accounts_app.command("roles")
def roles(
    name: NameArgument, role: RoleOption, home: HomeOption = Path(), json_: JsonOption = False
) -> None:
    """Give an account other roles, in place of those it has.

    Example: `folkmoot-coordinator accounts roles jo@example.gov.uk --role reader --role approver`
    """
    from folkmoot_web.account_commands import change_roles

    change_roles(open_site(home).accounts, name, role, as_json=json_)


@accounts_app.command("disable")
def disable(
    name: NameArgument,
    undo: Annotated[bool, typer.Option("--undo", help="Let it sign in again.")] = False,
    home: HomeOption = Path(),
    json_: JsonOption = False,
) -> None:
    """Refuse sign-in to an account, and end its sessions.

    Example: `folkmoot-coordinator accounts disable jo@example.gov.uk`
    """
    from folkmoot_web.account_commands import disable_account

    disable_account(open_site(home).accounts, name, undo=undo, as_json=json_)


@accounts_app.command("link")
def link(name: NameArgument, home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """Print a new link with which an account's owner chooses a password.

    Earlier links stop working. The present password works until another is chosen.

    Example: `folkmoot-coordinator accounts link jo@example.gov.uk`
    """
    from folkmoot_web.account_commands import new_link

    new_link(open_site(home).accounts, name, as_json=json_)
