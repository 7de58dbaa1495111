"""`folkmoot-coordinator view` and `folkmoot-coordinator accounts`."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_site
from folkmoot_operator.console import application, console, minute, print_json

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

    from folkmoot_coordinator.config import Home
    from folkmoot_coordinator.logs import configure
    from folkmoot_coordinator.viewer.serving import serve_viewer

    def stop(*_: object) -> None:
        raise _Stopped

    configure()
    # The server takes signals while it serves, and passes them on when it has ended in order.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    with contextlib.suppress(_Stopped):
        serve_viewer(Home(home), lambda address: print(f"Serving {address}", flush=True))


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
    state = open_site(home)
    link = state.accounts.add(name, shown or name, role, by=_who())
    _print_link(name, link, json_)


@accounts_app.command("list")
def list_(home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """List all accounts with their roles.

    Example: `folkmoot-coordinator accounts list --json`
    """
    from folkmoot_operator.moments import to_text

    found = open_site(home).accounts.list()
    if json_:
        print_json(
            [
                {
                    "name": one.name,
                    "shown": one.display_name,
                    "roles": list(one.roles),
                    "provider": one.issuer,
                    "has_password": one.has_password,
                    "disabled": one.is_disabled,
                    "created_at": to_text(one.created_at),
                    "signed_in_at": to_text(one.signed_in_at) if one.signed_in_at else None,
                }
                for one in found
            ]
        )
        return
    if not found:
        typer.echo(
            "No account yet. Add one: `folkmoot-coordinator accounts add NAME --role analyst`"
        )
        return
    from rich.markup import escape
    from rich.table import Table

    table = Table("Account", "Name", "Roles", "State", "Last sign-in (UTC)")
    for one in found:
        state = (
            "disabled" if one.is_disabled
            else one.issuer or ("active" if one.has_password else "no password yet")
        )  # fmt: skip
        seen = minute(to_text(one.signed_in_at) if one.signed_in_at else None, "never")
        table.add_row(*map(escape, (one.name, one.display_name, ", ".join(one.roles), state, seen)))
    console().print(table)


@accounts_app.command("roles")
def roles(
    name: NameArgument, role: RoleOption, home: HomeOption = Path(), json_: JsonOption = False
) -> None:
    """Give an account other roles, in place of those it has.

    Example: `folkmoot-coordinator accounts roles jo@example.gov.uk --role reader --role approver`
    """
    open_site(home).accounts.set_roles(name, role, by=_who())
    if json_:
        print_json({"name": name, "roles": sorted(set(role))})
        return
    typer.echo(f"{name} has the roles {', '.join(sorted(set(role)))} now.")


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
    accounts = open_site(home).accounts
    (accounts.enable if undo else accounts.disable)(name, by=_who())
    if json_:
        print_json({"name": name, "disabled": not undo})
        return
    typer.echo(f"{name} can sign in again." if undo else f"{name} cannot sign in any more.")


@accounts_app.command("link")
def link(name: NameArgument, home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """Print a new link with which an account's owner chooses a password.

    Earlier links stop working. The present password works until another is chosen.

    Example: `folkmoot-coordinator accounts link jo@example.gov.uk`
    """
    _print_link(name, open_site(home).accounts.new_link(name, by=_who()), json_)


def _who() -> str:
    from folkmoot_operator.accounts import current_operator

    return f"command of {current_operator()}"


def _print_link(name: str, address: str, json_: bool) -> None:
    if json_:
        print_json({"name": name, "link": address})
        return
    typer.echo(f"{name} chooses a password here, within three days:")
    typer.echo(f"  {address}")
    typer.echo("Whoever has the link can choose it: send it to its owner alone.")
