"""`init`, `enrol` and `renew`: from nothing to a member of a region, and staying one."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_node.cli.first_sources import give_again, give_first, look_at
from folkmoot_node.cli.options import HERE, AsJson, Home, moment
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.console import print_json, print_text

if TYPE_CHECKING:
    from folkmoot_node.federation.enrolment import Invitation


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command()(init)
    app.command()(enrol)
    app.command()(renew)


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
    signer: Annotated[
        str | None,
        typer.Option(
            "--sign",
            metavar="SIGNER",
            help="Sign the release policy that is in the folder already: name and role of the "
            "person who decides.",
        ),
    ] = None,
    invitation: Annotated[
        Path | None,
        typer.Option(
            "--enrol",
            metavar="INVITATION",
            help="Join the region that sent this invitation file.",
        ),
    ] = None,
    extracts: Annotated[
        Path | None,
        typer.Option(
            "--from",
            metavar="FOLDER",
            help="Look at the extracts in this folder, and propose sources, mappings and a policy.",
        ),
    ] = None,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="With --from, for a node that is there: write its sources, mappings and risk "
            "policy again, and keep those that stand there in the folder replaced.",
        ),
    ] = False,
) -> None:
    """Makes a node's home folder: keys, encrypted store, ledger, sample settings.

    Keys are made on this machine and stay here. The limits of privacy loss have no
    default: give them here, or write them into release-policy.toml before signing it.

    Policies that are in the folder already stay as they are. With --sign the release policy
    among them takes effect, as with `policy sign`; a sample that nobody has read is not
    signed. With --enrol the node joins its region, as with `enrol`.

    With --from it looks at a folder of extracts: it says which it recognises, writes sources
    into node.toml and mappings with questions as comments, and a risk policy of the factors
    whose inputs are there. The extracts stay where they are. No value of a record is written
    down but short codes that many rows hold.

    Example: folkmoot-node init --home /srv/folkmoot --council E08000009 --name Trafford
    --enrol invitation-E08000009.toml
    """
    from datetime import UTC, datetime

    from folkmoot.errors import ContractError
    from folkmoot.geography import GssCode
    from folkmoot_node.federation.enrolment import read_invitation
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.council_codes import doubt_about_council
    from folkmoot_node.operations.initialise import (
        RELEASE_POLICY_FILE,
        RISK_POLICY_FILE,
        initialise,
        next_steps,
    )
    from folkmoot_node.operations.sign_policy import require_written_policy, sign_policy
    from folkmoot_node.settings.node_toml import FILE_NAME
    from folkmoot_operator.problems import ExitCode, Problem

    if replace and extracts is None:
        raise typer.BadParameter("goes with --from", param_hint="--replace")
    if extracts is not None and (home / FILE_NAME).exists():
        give_again(home, council, extracts, replace=replace)
        return
    found = look_at(extracts, home) if extracts else []
    has_policy = (home / RISK_POLICY_FILE).exists()
    try:
        code = GssCode(council.strip().upper(), "--council")
        if signer is not None:
            if any(limit is not None for limit in (rho_per_round, rho_per_period, rho_lifetime)):
                raise ContractError(
                    "--sign", "signs the limits in the policy", "Leave out --rho-..."
                )
            require_written_policy(home / RELEASE_POLICY_FILE, code)
        # Everything that can be wrong with the files is found before anything is made.
        offer = read_invitation(invitation, code) if invitation else None
        doubt = doubt_about_council(code, "--council", datetime.now(UTC).date())
        typer.echo(initialise(home, council, name, rho_per_round, rho_per_period, rho_lifetime))
    except ContractError as error:
        raise Problem(
            error.problem, where=error.where, remedy=error.remedy, exit_code=ExitCode.USAGE
        ) from None
    if doubt:
        typer.echo(f"Warning: {doubt}.", err=True)
    if extracts is not None:
        give_first(home, extracts, found, keep_policy=has_policy)
    if signer is not None:
        with open_home(home) as node:
            typer.echo(f"The release policy is signed by {sign_policy(node, signer).signer}.")
    if invitation is not None and offer is not None:
        try:
            _enrol(home, offer, invitation, as_json=False, replace=False)
        except Problem:
            typer.echo(
                f"The node is made, and not enrolled yet: run `folkmoot-node enrol {invitation} "
                f"--home {home}` when what follows is put right.",
                err=True,
            )
            raise
    steps = next_steps(
        signed=signer is not None,
        enrolled=invitation is not None,
        described=extracts is not None,
        home=home,
    )
    for line in steps:
        typer.echo(line)


def enrol(
    invitation: Annotated[
        Path | None, typer.Argument(help="Invitation file from the region; none with --again.")
    ] = None,
    home: Home = HERE,
    replace: Annotated[
        bool,
        typer.Option(
            "--replace",
            help="Leave the region that this node belongs to for the one that invites, and write "
            "its addresses into node.toml.",
        ),
    ] = False,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Ask the region for a new certificate in place of one that has ended; a person "
            "there approves it.",
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Joins a region with the invitation it sent; or, with --again, asks for a new certificate.

    The node's private key never leaves this machine. The invitation works once, for this
    council, until it expires; if the answer was lost, run the command again. Exit code 5 if
    the node belongs to another region, unless --replace says that it leaves that.

    With --again nothing but the certificate changes: ledger, receipts and rounds stay. The node
    signs the request with the key of the certificate that has ended, and prints a fingerprint.
    Read it out to the region; run the command again when it has approved it. Exit code 5 until
    then.

    Example: folkmoot-node enrol invitation-E08000009.toml
    """
    if again:
        if invitation is not None or replace:
            raise typer.BadParameter(
                "takes neither an invitation nor --replace", param_hint="--again"
            )
        _enrol_again(home, as_json=as_json)
        return
    if invitation is None:
        raise typer.BadParameter("name the invitation's file, or give --again")
    from folkmoot_node.federation.enrolment import read_invitation
    from folkmoot_node.settings.node_toml import load_config

    offer = read_invitation(invitation, load_config(home).council)
    _enrol(home, offer, invitation, as_json=as_json, replace=replace)


def renew(home: Home = HERE, as_json: AsJson = False) -> None:
    """Renews the node's certificate now.

    Every command that connects to the coordinator, and `serve`, does so in the last third of
    the certificate's time. Exit code 3 if the certificate has ended: then `enrol --again` asks
    the region for another.

    Example: folkmoot-node renew
    """
    from folkmoot_node.home import open_home

    with open_home(home) as node:
        before = node.identity().not_after
        renewed = node.renew_certificate().not_after
    until = moment(int(renewed.timestamp()))
    if as_json:
        print_json({"before": moment(int(before.timestamp())), "certificate_until": until})
        return
    typer.echo(f"The certificate lasts until {until}.")


def _enrol_again(home: Path, *, as_json: bool) -> None:
    """Asks for a certificate in place of one that has ended, or fetches it."""
    from folkmoot_node.federation.enrolment import Asked
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.rejoin_region import rejoin_region
    from folkmoot_operator.problems import ExitCode

    with open_home(home) as node:
        answer = rejoin_region(node, by=current_operator())
        council = node.config.council
    if isinstance(answer, Asked):
        if as_json:
            until = moment(answer.until)
            print_json({"waits": True, "fingerprint": answer.fingerprint, "until": until})
        else:
            typer.echo(f"The region has to approve it. Fingerprint: {answer.fingerprint}")
            print_text(
                "Ring the region on a number that you know, and read the fingerprint out. There: "
                f'`folkmoot-coordinator councils approve {council} --fingerprint "'
                f'{answer.fingerprint}"`. Then run this command again; the request is kept until '
                f"{moment(answer.until)}."
            )
        raise typer.Exit(ExitCode.REFUSED)
    until = moment(int(answer.not_after.timestamp()))
    if as_json:
        print_json({"waits": False, "certificate_until": until})
        return
    typer.echo(f"The certificate lasts until {until}. The ledger and the receipts are as before.")


def _enrol(home: Path, offer: Invitation, file: Path, *, as_json: bool, replace: bool) -> None:
    """Enrols, and prints what came of it."""
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.join_region import join_region

    with open_home(home) as node:
        membership = join_region(node, offer, by=current_operator(), replace=replace)
    until = moment(int(membership.certificate_until.timestamp()))
    if as_json:
        print_json({"region": offer.region, "council": offer.council, "certificate_until": until})
        return
    typer.echo(f"Enrolled {offer.council} in {offer.region}.")
    typer.echo(f"The certificate lasts until {until}; any command that connects renews it in time.")
    for note in membership.notes:
        print_text(note)
    typer.echo(f"Delete {file.name}: its token is used.")
