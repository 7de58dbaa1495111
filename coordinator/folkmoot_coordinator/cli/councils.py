"""`folkmoot-coordinator invite` and `councils`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_home, read_council
from folkmoot_operator.console import console, minute, print_json
from folkmoot_operator.problems import ExitCode, Problem

councils_app = typer.Typer(rich_markup_mode="markdown")


def add_to(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command("invite")(invite)
    app.add_typer(councils_app, name="councils")


def invite(
    councils: Annotated[list[str], typer.Argument(metavar="GSS...", help="GSS codes of councils.")],
    out: Annotated[Path, typer.Option("--out", help="Folder for the invitation files.")] = Path(),
    home: HomeOption = Path(),
    json_: JsonOption = False,
) -> None:
    """Invite councils: write a file for each, with a token that works once and expires.

    Example: `folkmoot-coordinator invite E08000009 --out invitations`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.membership.certificate_authority import Authority
    from folkmoot_coordinator.membership.invitations import invite as make_invitation
    from folkmoot_coordinator.signing import SigningKey
    from folkmoot_operator.moments import to_text
    from folkmoot_operator.output_places import require_folder, writing_to

    codes = [read_council(council) for council in councils]
    require_folder(out)  # a new invitation ends the one before
    place, database = open_home(home)
    settings, now = place.settings(), system_clock()
    authority = Authority.load(place.keys).pem.decode()
    signing_key = SigningKey.load(place.keys).public
    written = []
    for code in codes:
        invitation = make_invitation(
            database, settings, code, authority=authority, signing_key=signing_key, now=now
        )
        with writing_to(out):
            path = invitation.write(out)
        expires = to_text(invitation.expires_at)
        written.append({"council": code, "file": str(path), "expires": expires})
        if not json_:
            typer.echo(f"Invitation of {code} written to {path}")
    if json_:
        print_json(written)
        return
    typer.echo(f"It works once, until {expires}. Hand it over privately.")
    typer.echo(f"Next, at the council: `folkmoot-node enrol {path.name}`")


@councils_app.callback(invoke_without_command=True)
def councils(context: typer.Context, home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """The councils that have enrolled; without a command, list them.

    Example: `folkmoot-coordinator councils --json`
    """
    if context.invoked_subcommand is None:
        list_(home, json_)
    elif any(
        (source := context.get_parameter_source(name)) is not None and source.name == "COMMANDLINE"
        for name in ("home", "json_")
    ):
        # They would be taken for options of the command, and have no effect.
        raise typer.BadParameter(f"give options after `{context.invoked_subcommand}`")


@councils_app.command("list")
def list_(home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """List the councils that have enrolled.

    Example: `folkmoot-coordinator councils list --json`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.membership.councils import enrolled
    from folkmoot_operator.moments import to_text

    place, database = open_home(home)
    settings = place.settings()
    councils = enrolled(database, system_clock())
    if json_:
        print_json(
            [
                {
                    "council": council.code,
                    "name": settings.names.get(council.code),
                    "enrolled_at": to_text(council.enrolled_at),
                    "last_seen": to_text(council.last_seen) if council.last_seen else None,
                    "valid_certificates": council.valid_certificates,
                    "certificate_expires": to_text(council.expires_at)
                    if council.expires_at
                    else None,
                }
                for council in councils
            ]
        )
        return
    if not councils:
        typer.echo("No council has enrolled. Invite one: `folkmoot-coordinator invite GSS-CODE`")
        return
    from rich.table import Table

    table = Table("Council", "Enrolled (UTC)", "Last seen (UTC)", "Certificate until (UTC)")
    for council in councils:
        last_seen, expires = council.last_seen, council.expires_at
        table.add_row(
            settings.label(council.code),
            minute(to_text(council.enrolled_at)),
            minute(to_text(last_seen) if last_seen else None, "never"),
            minute(to_text(expires) if expires else None, "none valid"),
        )
    console().print(table)


@councils_app.command()
def revoke(
    council: Annotated[str, typer.Argument(metavar="GSS", help="The council's GSS code.")],
    home: HomeOption = Path(),
) -> None:
    """Withdraw a council's certificates and unused invitations, at once.

    Example: `folkmoot-coordinator councils revoke E08000009`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.membership.councils import revoke as withdraw

    code = read_council(council)
    _, database = open_home(home)
    certificates, invitations = withdraw(database, code, system_clock())
    if not certificates and not invitations:
        raise Problem(
            "has neither a valid certificate nor an unused invitation",
            where=code,
            remedy="`folkmoot-coordinator councils list` shows who is enrolled",
            exit_code=ExitCode.USAGE,
        )
    typer.echo(f"{code}: certificates withdrawn: {certificates}, invitations: {invitations}")
