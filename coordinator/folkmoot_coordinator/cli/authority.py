"""`folkmoot-coordinator authority`: the certificate authority's own renewal, and its change."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_home
from folkmoot_operator.console import application, print_json

authority_app = application(
    "authority", "The region's certificate authority: how long it lasts, its renewal, its change."
)


def add_to(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.add_typer(authority_app, name="authority")


@authority_app.command()
def status(home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """Show when the authority ends, and during a change which councils have not come along.

    Example: `folkmoot-coordinator authority status`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.membership.authorities import load_authorities
    from folkmoot_coordinator.membership.authority_change import who_is_left
    from folkmoot_coordinator.membership.certificate_lives import authority_lives
    from folkmoot_operator.moments import to_text

    place, database = open_home(home)
    now = system_clock()
    found, lives = load_authorities(place.keys), authority_lives(place, now)
    left = who_is_left(database, found, now) if found.following is not None else None
    if json_:
        changing = left and {
            "moved": list(left.moved),
            "behind": {one: to_text(until) for one, until in left.behind.items()},
            "invited": list(left.invited),
        }
        print_json({"authorities": [one.as_json() for one in lives], "change": changing})
        return
    for one in lives:
        typer.echo(f"{one.name}: {one}")
        if one.remedy:
            typer.echo(f"  {one.remedy}.")
    if left is None:
        typer.echo("The region does not change its authority.")
        return
    typer.echo(f"Come to the authority that follows: {', '.join(left.moved) or 'nobody yet'}")
    for council, until in left.behind.items():
        typer.echo(f"Not yet: {council}, whose certificate is valid until {to_text(until)}")
    for council in left.invited:
        typer.echo(f"Not yet: {council}, which is invited and has not enrolled")
    if left.is_nobody:
        typer.echo("Next: `folkmoot-coordinator authority finish`")


@authority_app.command()
def renew(home: HomeOption = Path()) -> None:
    """Give the authority a certificate that begins today; its key stays.

    Nothing is interrupted: nodes take the new certificate at their next renewal, and accept the
    ports by the one that they have until it ends.

    Example: `folkmoot-coordinator authority renew`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.membership.authority_change import renew as renew_authority
    from folkmoot_operator.moments import to_text

    place, database = open_home(home)
    renewed = renew_authority(place, database, system_clock())
    typer.echo(f"The authority is valid until {to_text(renewed.expires_at)}.")
    typer.echo("Nodes take the new certificate when they renew their own. Back up the keys.")


@authority_app.command()
def change(home: HomeOption = Path()) -> None:
    """Begin a change to a new authority, with a new key, that the present one has signed.

    Both are trusted until `authority finish`. Nodes come to the new one at their next renewal. A
    coordinator that serves takes the change up by itself.

    Example: `folkmoot-coordinator authority change`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.membership.authority_change import begin

    place, database = open_home(home)
    begin(place, database, system_clock())
    typer.echo("The change has begun: both authorities are trusted. Back up the keys.")
    typer.echo("Nodes come to the new one when they renew; `authority status` says who has not.")


@authority_app.command()
def finish(
    home: HomeOption = Path(),
    leave_behind: Annotated[
        bool,
        typer.Option(
            "--leave-behind", help="End it though councils have not come to the new authority."
        ),
    ] = False,
) -> None:
    """End a change: the authority before is trusted no more, and its key is destroyed.

    Exit code 5 if a council has not come to the new one. With --leave-behind such a council needs
    a new invitation (`invite`); its node keeps its ledger.

    Example: `folkmoot-coordinator authority finish`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.membership.authority_change import finish as end

    place, database = open_home(home)
    left = end(place, database, system_clock(), leave_behind=leave_behind)
    typer.echo("The change has ended. Back up the keys, and destroy older backups of them.")
    for council in (*left.behind, *left.invited):
        typer.echo(f"Left behind: {council}. Next: `folkmoot-coordinator invite {council}`")
