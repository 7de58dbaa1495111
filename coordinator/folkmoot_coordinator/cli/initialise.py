"""`folkmoot-coordinator init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from folkmoot_coordinator.cli.options import HomeOption
from folkmoot_operator.problems import ExitCode, Problem


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("init")(init)


def init(
    name: Annotated[str, typer.Option("--name", help="Name of the region, for people.")],
    host: Annotated[
        list[str],
        typer.Option(
            "--host",
            help="Host name or IP address that nodes dial; repeat for more. The first goes "
            "into invitations.",
        ),
    ],
    home: HomeOption = Path(),
    listen: Annotated[
        str | None,
        typer.Option(
            "--listen",
            help="Address to listen on.",
            show_default="the loopback host if that is the only host, else 0.0.0.0",
        ),
    ] = None,
    collection_port: Annotated[
        int, typer.Option("--collection-port", min=1, max=65535, help="Port of enrolled nodes.")
    ] = 7443,
    enrolment_port: Annotated[
        int, typer.Option("--enrolment-port", min=1, max=65535, help="Port of new nodes.")
    ] = 7444,
    database_url: Annotated[
        str | None,
        typer.Option(
            "--database",
            metavar="URL",
            help="Where state is kept, such as postgresql+psycopg://user@host/name; an empty "
            "database that is there.",
            show_default="SQLite in the folder",
        ),
    ] = None,
) -> None:
    """Make a coordinator: settings, certificate authority, signing key, database.

    Example: `folkmoot-coordinator init --home region --name "Greater Manchester"
    --host folkmoot.example.gov.uk`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.config import CoordinatorSettings, settings_text
    from folkmoot_coordinator.database.connection import Database
    from folkmoot_coordinator.home import Home
    from folkmoot_coordinator.membership.certificate_authority import Authority
    from folkmoot_coordinator.signing import SigningKey
    from folkmoot_operator.network_addresses import check_dialled_host, check_host
    from folkmoot_operator.ownership import Holdings, require_own
    from folkmoot_operator.private_files import make_private_folder, write_private
    from folkmoot_operator.settings import parse, require_text

    place = Home(home)
    require_text(home.resolve())
    made = (place.settings_file, place.keys, place.database_file)
    if any(path.exists() for path in made):
        raise Problem(
            "there is a coordinator here already, or part of one",
            where=str(home),
            remedy="Choose another folder; a new authority would shut out every council "
            "enrolled with this one. To restore one, put back its keys, database and settings. If "
            f"an `init` broke off here, remove {place.keys} and {place.database_file} first",
            exit_code=ExitCode.SETTINGS,
        )
    for option, hosts, check in (
        ("--host", host, check_dialled_host),
        ("--listen", [listen] if listen is not None else [], check_host),
    ):
        for one in hosts:
            try:
                check(one)
            except ValueError as error:
                raise Problem(
                    str(error),
                    where=f"{option} {one}",
                    remedy="Give a host name or an IP address; ports have options of their own",
                    exit_code=ExitCode.SETTINGS,
                ) from None
    text = settings_text(
        name,
        tuple(host),
        listen or _default_listen(host),
        collection_port,
        enrolment_port,
        database_url,
    )
    settings = parse(CoordinatorSettings, text.encode(), "the options given")
    if home.exists():
        require_own(Holdings(home), closed=False)
    make_private_folder(home, tighten=True)
    make_private_folder(place.keys, tighten=True)
    now = system_clock()
    Authority.create(place.keys, settings.region, now)
    SigningKey.create(place.keys)
    database = Database(place.database_url(settings))
    database.create()
    database.close()
    # Written last: a home with settings is a whole home.
    write_private(place.settings_file, text.encode(), replace=False)
    typer.echo(f"Coordinator of {settings.region} made in {home}")
    typer.echo(f"  nodes dial   {settings.collection.address} (mutual TLS)")
    typer.echo(f"  to enrol     {settings.enrolment.address}")
    kept = database.address if database_url else place.database_file
    typer.echo(
        f"Back up {place.keys} and the database, {kept}, together and often: the "
        "councils and every answer are in the database, and whoever holds the keys can admit "
        "councils. `folkmoot-coordinator backup` does, once [backup] in coordinator.toml names who "
        "can open backups."
    )
    typer.echo("Next: `folkmoot-coordinator invite GSS-CODE`, then `serve`")


def _default_listen(hosts: list[str]) -> str:
    from folkmoot_operator.network_addresses import is_loopback

    if all(map(is_loopback, hosts)):
        return "::1" if hosts[0] == "::1" else "127.0.0.1"
    return "0.0.0.0"  # noqa: S104  a region's councils come from elsewhere
