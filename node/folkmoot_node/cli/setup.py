"""`init` and `enrol`: from nothing to a member of a region."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home, moment
from folkmoot_operator.console import print_json


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command()(init)
    app.command()(enrol)


def init(
    council: Annotated[str, typer.Option(help="GSS code of the council, such as E08000009.")],
    name: Annotated[str, typer.Option(help="Name of the council.")],
    home: Home = HERE,
    rho_per_round: Annotated[
        str | None,
        typer.Option(help="Most privacy loss (zCDP rho) for one round; the council decides."),
    ] = None,
    rho_per_period: Annotated[
        str | None,
        typer.Option(help="Most privacy loss in an accounting period; the council decides."),
    ] = None,
    rho_lifetime: Annotated[
        str | None,
        typer.Option(help="Most privacy loss over all periods; the council decides."),
    ] = None,
) -> None:
    """Makes a node's home folder: keys, encrypted store, ledger, sample settings.

    Keys are made on this machine and stay here. The limits of privacy loss have no
    default: give them here, or write them into release-policy.toml before signing it.

    Example: folkmoot-node init --home /srv/folkmoot --council E08000009 --name Trafford
    """
    from folkmoot.errors import ContractError
    from folkmoot_node.operations.initialise import initialise
    from folkmoot_operator.problems import ExitCode, Problem

    try:
        for line in initialise(home, council, name, rho_per_round, rho_per_period, rho_lifetime):
            typer.echo(line)
    except ContractError as error:
        raise Problem(
            error.problem, where=error.where, remedy=error.remedy, exit_code=ExitCode.USAGE
        ) from None


def enrol(
    invitation: Annotated[Path, typer.Argument(help="Invitation file from the region.")],
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Joins a region with the invitation it sent.

    The node's private key never leaves this machine. The invitation works once, for this
    council, until it expires; if the answer was lost, run the command again.

    Example: folkmoot-node enrol invitation-E08000009.toml
    """
    from folkmoot_node.federation.enrolment import enrol as exchange
    from folkmoot_node.federation.enrolment import read_invitation
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.initialise import name_coordinator

    with open_home(home) as node:
        offer = read_invitation(invitation, node.config.council)
        settings = node.config.coordinator
        identity = exchange(offer, node.keys, node.egress, settings.proxy if settings else None)
        note = name_coordinator(node.config, offer.address, offer.enrolment_address)
    until = moment(int(identity.not_after.timestamp()))
    if as_json:
        print_json({"region": offer.region, "council": offer.council, "certificate_until": until})
        return
    typer.echo(f"Enrolled {offer.council} in {offer.region}.")
    typer.echo(f"The certificate lasts until {until}; `serve` renews it while running.")
    if note:
        typer.echo(note)
    typer.echo(f"Delete {invitation.name}: its token is used.")
