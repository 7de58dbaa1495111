"""`folkmoot-node casework services` and `casework messages`: the directory, and what is sent."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.console import application, print_json

if TYPE_CHECKING:
    from folkmoot_node.casework.referring.room import Room

services_app = application(
    "services", "The directory of services to which households are referred."
)
messages_app = application(
    "messages", "Messages to services: links, and never whom they are about."
)


def register(casework: typer.Typer) -> None:
    """Adds the commands to those of casework."""
    casework.add_typer(services_app, name="services")
    casework.add_typer(messages_app, name="messages")


@services_app.command("import")
def take(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON as Open Referral UK has it.")],
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Adds the services of a file, or changes those that are there: all of them, or none.

    What the council has entered itself (contact, capacity) stays.

    Example: folkmoot-node casework services import services.json
    """
    from folkmoot_node.casework.referrals.directory import read_directory

    room = _room(home)
    done = room.services.take(read_directory(file), _by())
    if as_json:
        print_json(asdict(done))
        return
    typer.echo(f"Services: {done.added} added, {done.changed} changed, {done.same} as they were.")


@services_app.command("list")
def listed(
    everything: Annotated[bool, typer.Option("--all", help="Retired services too.")] = False,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Lists the services, with the places that are left this week.

    Example: folkmoot-node casework services list
    """
    room = _room(home)
    found = []
    for one in room.services.listed(retired=everything):
        places, left = room.referrals.order(one.service_id)
        found.append(
            {
                "id": one.service_id,
                "name": one.name,
                "organization": one.document.organization.name,
                "status": "retired" if one.retired_at else one.document.status,
                "capacity": one.capacity,
                "left": left,
                "waiting": len(places),
            }
        )
    if as_json:
        print_json({"services": found})
        return
    for each in found:
        free = "no limit" if each["left"] is None else f"{each['left']} places left this week"
        typer.echo(f"{each['id']}  {each['name']}: {each['status']}, {free}")
    if not found:
        typer.echo(
            "There is no service. Import them: `folkmoot-node casework services import FILE`"
        )


@services_app.command()
def retire(
    service: Annotated[str, typer.Argument(metavar="ID", help="As `services list` shows it.")],
    undo: Annotated[bool, typer.Option("--undo", help="It takes referrals again.")] = False,
    home: Home = HERE,
) -> None:
    """Refers nobody to a service any more. Referrals that it has go on.

    Example: folkmoot-node casework services retire k7m2p9x4w3hd
    """
    from folkmoot_operator.problems import ExitCode, Problem

    room = _room(home)
    if service not in {one.service_id for one in room.services.listed(retired=True)}:
        raise Problem(
            f"there is no service {service}",
            where="the directory of services",
            remedy="See `folkmoot-node casework services list --all`",
            exit_code=ExitCode.USAGE,
        )
    room.services.retire(service, _by(), undo=undo)
    typer.echo("The service takes referrals again." if undo else "The service is retired.")


@messages_app.command("send")
def send(home: Home = HERE, as_json: AsJson = False) -> None:
    """Sends what waits now. While the site runs, it does that by itself every minute.

    Example: folkmoot-node casework messages send
    """
    room = _room(home)
    if not room.postbox.is_on:
        typer.echo("Messages are off: node.toml has no table [casework.mail].")
        return
    sent, failed = room.postbox.send_due()
    if as_json:
        print_json({"sent": sent, "not_sent": failed})
        return
    typer.echo(f"{sent} sent, {failed} not sent.")
    for referral_id, why in room.postbox.failed():
        typer.echo(f"Given up: referral {referral_id}: {why}")


def _by() -> str:
    from folkmoot_operator.accounts import current_operator

    return f"command of {current_operator()}"


def _room(home: Path) -> Room:
    from folkmoot_node.casework.settings import load_config_as_reader, require_casework

    require_casework()
    from folkmoot_node.casework.desk import open_desk
    from folkmoot_node.casework.referring.room import open_room

    return open_room(open_desk(load_config_as_reader(home)))
