"""What commands of a product do about accounts of its site, and what they print."""

from __future__ import annotations

import typer
from rich.markup import escape
from rich.table import Table

from folkmoot_operator.accounts import current_operator
from folkmoot_operator.console import minute, print_json
from folkmoot_operator.moments import to_text
from folkmoot_operator.tables import print_table
from folkmoot_web.sign_in.accounts import Account, Accounts


def add_account(
    accounts: Accounts, name: str, shown: str | None, roles: list[str], *, as_json: bool
) -> None:
    """Adds an account, and prints the link with which its owner chooses a password.

    Args:
        accounts: Of the site.
        name: What they sign in with.
        shown: Their name for people; the same if None.
        roles: Roles of the product.
        as_json: Whether a program reads what is printed.
    """
    _print_link(name, accounts.add(name, shown or name, roles, by=_who()), as_json=as_json)


def list_accounts(accounts: Accounts, none_yet: str, *, as_json: bool) -> None:
    """Prints all accounts with their roles.

    Args:
        accounts: Of the site.
        none_yet: What is said where there is none.
        as_json: Whether a program reads what is printed.
    """
    found = accounts.list()
    if as_json:
        print_json([_as_json(one) for one in found])
        return
    if not found:
        typer.echo(none_yet)
        return
    table = Table("Account", "Name", "Roles", "State", "Last sign-in (UTC)")
    for one in found:
        state = (
            "disabled" if one.is_disabled
            else one.issuer or ("active" if one.has_password else "no password yet")
        )  # fmt: skip
        seen = minute(to_text(one.signed_in_at) if one.signed_in_at else None, "never")
        table.add_row(*map(escape, (one.name, one.display_name, ", ".join(one.roles), state, seen)))
    print_table(table)


def change_roles(accounts: Accounts, name: str, roles: list[str], *, as_json: bool) -> None:
    """Gives an account other roles, in place of those it has."""
    accounts.set_roles(name, roles, by=_who())
    chosen = sorted(set(roles))
    if as_json:
        print_json({"name": name, "roles": chosen})
        return
    typer.echo(f"{name} has the roles {', '.join(chosen)} now.")


def disable_account(accounts: Accounts, name: str, *, undo: bool, as_json: bool) -> None:
    """Refuses sign-in to an account and ends its sessions, or lets it sign in again."""
    (accounts.enable if undo else accounts.disable)(name, by=_who())
    if as_json:
        print_json({"name": name, "disabled": not undo})
        return
    typer.echo(f"{name} can sign in again." if undo else f"{name} cannot sign in any more.")


def new_link(accounts: Accounts, name: str, *, as_json: bool) -> None:
    """Prints a new link with which an account's owner chooses a password."""
    _print_link(name, accounts.new_link(name, by=_who()), as_json=as_json)


def _as_json(one: Account) -> dict[str, object]:
    return {
        "name": one.name,
        "shown": one.display_name,
        "roles": list(one.roles),
        "provider": one.issuer,
        "has_password": one.has_password,
        "disabled": one.is_disabled,
        "created_at": to_text(one.created_at),
        "signed_in_at": to_text(one.signed_in_at) if one.signed_in_at else None,
    }


def _who() -> str:
    return f"command of {current_operator()}"


def _print_link(name: str, address: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"name": name, "link": address})
        return
    typer.echo(f"{name} chooses a password here, within three days:")
    typer.echo(f"  {address}")
    typer.echo("Whoever has the link can choose it: send it to its owner alone.")
