"""`policy`: read, sign and check what the council has decided."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.console import print_json
from folkmoot_operator.moments import day_text

if TYPE_CHECKING:
    from folkmoot_node.home import NodeHome


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    group = typer.Typer(
        help="The risk stratification policy and the release policy.", no_args_is_help=True
    )
    group.command()(show)
    group.command()(sign)
    group.command()(verify)
    group.command()(pin)
    group.command()(publish)
    app.add_typer(group, name="policy")


def show(home: Home = HERE, as_json: AsJson = False) -> None:
    """Shows both policies in plain words, with their digests.

    Example: folkmoot-node policy show --json
    """
    from folkmoot.privacy import epsilon_at
    from folkmoot_node.federation.identity import KeyFiles
    from folkmoot_node.policies.release_policy import load_unsigned
    from folkmoot_node.policies.risk_policy import load_policy
    from folkmoot_node.policies.trusted_signer import trusted_signer
    from folkmoot_node.settings.node_toml import load_config

    config = load_config(home)
    signer = trusted_signer(home, KeyFiles.of(config.home).policy_public_key)
    risk = load_policy(config.risk_policy)
    release, digest = load_unsigned(config.release_policy)
    loss = release.loss
    if as_json:
        print_json(
            {
                "risk_policy": {
                    "name": risk.name,
                    "purpose": risk.purpose,
                    "sha256": risk.digest.hex(),
                    "sunset": risk.sunset,
                    "bands": risk.band_names,
                },
                "release_policy": {
                    "council": release.council,
                    "sha256": digest.hex(),
                    "sunset": release.sunset,
                    "purposes": release.purposes,
                    "attributes": release.attributes,
                    "rho_per_round": str(loss.per_round),
                    "rho_per_period": str(loss.per_period),
                    "rho_lifetime": str(loss.lifetime),
                    "plugins_in_process": [one.model_dump() for one in release.plugins_in_process],
                },
                "signer": {
                    "key": signer.key.hex(),
                    "pinned": signer.is_pinned,
                    "file": str(signer.where),
                },
            }
        )
        return
    delta = release.maximum_delta
    person = loss.per_period.for_person(loss.households_per_person)
    typer.echo(f"Risk stratification policy: {risk.name}, until {risk.sunset}")
    typer.echo(f"  {config.risk_policy.name}  sha256 {risk.digest.hex()}")
    typer.echo(f"Release policy of {release.council}, until {release.sunset}")
    typer.echo(f"  {config.release_policy.name}  sha256 {digest.hex()}")
    typer.echo(f"  Purposes: {', '.join(release.purposes)}")
    typer.echo(f"  Attributes that may be tabulated: {', '.join(release.attributes)}")
    typer.echo(
        f"  At most {release.maximum_ways} attributes in a marginal and "
        f"{release.maximum_cells} cells in a round"
    )
    typer.echo(
        "  Each round needs an operator's approval"
        if release.operator_approval
        else "  Rounds within this policy are answered without asking anybody"
    )
    typer.echo(
        f"  A household's privacy loss: at most rho {loss.per_round} in a round "
        f"(epsilon {epsilon_at(loss.per_round, delta):.2f} at delta {delta}),"
    )
    typer.echo(
        f"  at most rho {loss.per_period} in {loss.period_months} months "
        f"(epsilon {epsilon_at(loss.per_period, delta):.2f}),"
    )
    typer.echo(
        f"  at most rho {loss.lifetime} ever (epsilon {epsilon_at(loss.lifetime, delta):.2f})."
    )
    typer.echo(
        f"  A person recorded in {loss.households_per_person} households: at most rho {person} "
        f"in {loss.period_months} months (epsilon {epsilon_at(person, delta):.2f})."
    )
    for one in release.plugins_in_process:
        typer.echo(f"  A plugin that may run in the node's own process: {one}")
    typer.echo(f"  Who may sign: {signer}")


def sign(
    signer: Annotated[str, typer.Option(help="Name and role of the person who decides.")],
    home: Home = HERE,
    key: Annotated[
        Path | None,
        typer.Option(help="Signing key kept elsewhere, instead of keys/policy-signing.key."),
    ] = None,
    yes: Annotated[
        bool,
        typer.Option("--yes", help="Sign without asking, also where that ends a running series."),
    ] = False,
) -> None:
    """Signs the release policy as it now stands.

    Where that, or a change of the risk stratification policy that is not scored yet, would end
    a series of rounds which the council takes part in, the command lists the series and asks
    first. Where there is no terminal it needs --yes (exit code 2). It warns where the risk
    stratification policy was fitted to residents' records and nobody has decided to publish it.

    Example: folkmoot-node policy sign --signer "A. Khan, Data Protection Officer"
    """
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.sign_policy import sign_policy
    from folkmoot_node.policies.signed_document import signature_path
    from folkmoot_operator.problems import Problem

    with open_home(home) as node:
        _warn_of_fitted(node)
        _ask_about_series(node, yes=yes)
        signed = sign_policy(node, signer, key)
        typer.echo(f"Signed by {signed.signer}: {signature_path(node.config.release_policy).name}")
        try:
            balance = node.balance()
        except Problem as not_begun:
            typer.echo(f"Note: {not_begun.problem}.")
            return
    start, end = day_text(balance.period_start), day_text(balance.period_end - 1)
    typer.echo(
        f"Accounting period {start} to {end}: rho {balance.spent} spent, "
        f"{balance.period_remaining} left."
    )
    typer.echo(
        f"For all time: rho {balance.lifetime} of {balance.lifetime_cap} spent, "
        f"{balance.lifetime_remaining} left."
    )


def _warn_of_fitted(node: NodeHome) -> None:
    """Warns where what is signed lets counts out that rest on a policy made from records."""
    from folkmoot_node.evidence.fitted_policies import advice, fitted_file

    known = fitted_file(node, node.config.risk_policy)
    if known is not None and not known[0].is_published:
        typer.echo(f"Warning: {known[0].what}.\nRemedy: {advice(known[1])}.", err=True)


def _ask_about_series(node: NodeHome, *, yes: bool) -> None:
    """Lists the running series that end with the policies as they now stand, and asks.

    Raises:
        Problem: Exit code USAGE, if there is no terminal to ask at.
    """
    import sys

    from folkmoot_node.answering.running_series import ended_by, running_series
    from folkmoot_node.policies.release_policy import load_unsigned
    from folkmoot_operator.problems import ExitCode, Problem

    running = running_series(node)
    if not running:
        return
    release, _ = load_unsigned(node.config.release_policy)
    found = ended_by(node, running, release, node.risk_policy())
    if not found:
        return
    for one in found:
        typer.echo(f"Warning: with these policies this council leaves {one}", err=True)
    if yes:
        return
    if not sys.stdin.isatty():
        raise Problem(
            "signing ends running series; nothing was signed",
            where=str(node.config.release_policy),
            remedy="Add --yes if that is meant, or change the policies back",
            exit_code=ExitCode.USAGE,
        )
    typer.confirm("Sign all the same?", abort=True, err=True)


def verify(home: Home = HERE, as_json: AsJson = False) -> None:
    """Checks the signature of the release policy. Exit code 3 if it does not hold.

    Example: folkmoot-node policy verify
    """
    from datetime import datetime

    from folkmoot_node.home import open_home

    with open_home(home) as node:
        signed, trusted = node.release_policy(), node.trusted_signer()
    if as_json:
        print_json(
            {
                "signer": signed.signer,
                "signed_at": signed.signed_at,
                "sha256": signed.digest.hex(),
                "key": trusted.key.hex(),
                "pinned": trusted.is_pinned,
            }
        )
    else:
        on = datetime.fromisoformat(signed.signed_at)
        typer.echo(
            f"The release policy was signed by {signed.signer} on {on:%d %B %Y at %H:%M} UTC."
        )
        typer.echo(f"Who may sign: {trusted}")


def pin(
    home: Home = HERE,
    key: Annotated[
        Path | None,
        typer.Option(
            help="Public key of the person who decides, 64 hexadecimal digits in a file; "
            "otherwise keys/policy-signing.pub."
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Put this key in the place of one that is pinned.")
    ] = False,
) -> None:
    """Pins who may sign this node's release policy, in a file that only root can change.

    As root, writes the file; as anybody else, prints the commands for root. From then on the
    node refuses a policy that any other key has signed. Compare the key with the person who
    decides before you pin it.

    Example: sudo folkmoot-node policy pin --home /srv/folkmoot
    """
    from folkmoot_node.operations.pin_signer import pin_signer

    for line in pin_signer(home, key, replace=replace):
        typer.echo(line)


def publish(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What is to be published.")],
    by: Annotated[str, typer.Option("--by", help="Name and role of the person who decides.")],
    reason: Annotated[
        str, typer.Option("--reason", help="Why it may be published, in words that name nobody.")
    ],
    home: Home = HERE,
) -> None:
    """Records that a person has decided to publish a fitted policy or a report of a back-test.

    Both are made from residents' records without noise, and stay at the council otherwise. The
    command writes who decided, why, and the file's digest into the audit log. It sends nothing,
    and whether the file is fit to be published is for that person to judge.

    Example: folkmoot-node policy publish proposed-policy.toml --by "A. Khan, Data Protection
    Officer" --reason "Weights only, no figures; assessment 12"
    """
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.publish_evidence import record_publication

    with open_home(home) as node:
        digest = record_publication(node, file, by, reason)
    typer.echo(f"Recorded the decision to publish {file} (sha256:{digest}).")
    typer.echo(
        "The guarantee of differential privacy does not cover this file: what it tells of "
        "residents was measured without noise."
    )
