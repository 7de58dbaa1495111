"""`folkmoot-node casework`: the pages on which people at the council work, and who may."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_node.cli import casework_outcomes, casework_services
from folkmoot_node.cli.casework_audit import audit_app
from folkmoot_node.cli.casework_cohorts import cohort_app
from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.console import application, print_json

if TYPE_CHECKING:
    from folkmoot_node.settings.node_toml import NodeConfig
    from folkmoot_web.sign_in.accounts import Accounts

casework_app = application("casework", "From a score to help: cases, and who may see what.")
accounts_app = application("accounts", "Accounts of the casework site, and their roles.")
policy_app = application("policy", "The casework policy: who may do what with households.")
casework_app.add_typer(accounts_app, name="accounts")
casework_app.add_typer(policy_app, name="policy")
casework_app.add_typer(audit_app, name="audit")
casework_app.add_typer(cohort_app, name="cohort")

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="What they sign in with, such as an email address.")
]
RoleOption = Annotated[
    list[str], typer.Option("--role", help="A role of the casework policy; may be repeated.")
]


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    casework_outcomes.register(casework_app)
    casework_services.register(casework_app)
    app.add_typer(casework_app, name="casework")


GroupOption = Annotated[
    str | None,
    typer.Option(
        "--group",
        help="Let `casework serve` run under an account of its own: the group of that account "
        "and of the node's, as `casework share` does.",
    ),
]


@casework_app.command()
def init(
    home: Home = HERE,
    group: GroupOption = None,
    listen: Annotated[str, typer.Option(help="Address and port of the site.")] = "127.0.0.1:8444",
    as_json: AsJson = False,
) -> None:
    """Sets casework up at this node: settings, a sample policy, and the key of its database.

    Read and change the policy before you sign it.

    Example: folkmoot-node casework init
    """
    from folkmoot_node.casework.settings import require_casework

    require_casework()
    from folkmoot_node.casework.initialise import initialise
    from folkmoot_node.casework.own_account import share_with_group

    made = initialise(home, listen=listen)
    if group is not None:
        share_with_group(home, group)
    if as_json:
        print_json({"policy": str(made.policy), "settings": str(made.settings)})
        return
    typer.echo(f"Wrote {made.policy}, and [casework] into {made.settings}.")
    typer.echo("Next: read and change the policy; the person who decides then signs it:")
    typer.echo('  folkmoot-node casework policy sign --signer "NAME, ROLE"')
    typer.echo("Then add people: `folkmoot-node casework accounts add NAME --role ...`")


@casework_app.command("share")
def share(
    group: Annotated[
        str, typer.Argument(help="The group: that of the site's account and of the node's.")
    ],
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Lets `casework serve` run under an account of its own, by a group.

    The group may read the scores with their key, settings and policies, and write cases with
    their log. It may not read other keys, the ledger, answers, extracts or files of review. Run
    it again where files were restored or replaced: `doctor` says which.

    Example: folkmoot-node casework share folkmoot-casework
    """
    from folkmoot_node.casework.settings import require_casework

    require_casework()
    from folkmoot_node.casework.own_account import share_with_group, shared_places

    config = share_with_group(home, group)
    places = {str(one.path): f"{one.mode:o}" for one in shared_places(config)}
    if as_json:
        print_json({"group": group, "shared": places})
        return
    typer.echo(f"The group {group} may use what casework needs in {config.home}:")
    for path, mode in places.items():
        typer.echo(f"  {mode:>4} {path}")


@casework_app.command()
def serve(home: Home = HERE) -> None:
    """Serves the casework site until stopped (SIGTERM or Ctrl-C). Prints its address.

    Example: folkmoot-node casework serve
    """
    from folkmoot_node.casework.settings import require_casework

    require_casework()
    from folkmoot_node.casework.serving import serve_casework
    from folkmoot_node.signals.lines import lines_of_node
    from folkmoot_operator import log_output

    config = _config(home)
    # Not to the node's file: casework may run under an account that cannot write there.
    log = config.log.model_copy(update={"file": None})
    log_output.configure(log, config.home, "folkmoot-casework", lines=lines_of_node())
    with contextlib.suppress(KeyboardInterrupt):
        serve_casework(config, lambda address: typer.echo(f"Casework: {address}"))


@policy_app.command("show")
def show_policy(home: Home = HERE, as_json: AsJson = False) -> None:
    """Shows who may do what in casework, whether that is signed, and what to think about.

    Example: folkmoot-node casework policy show
    """
    from folkmoot_node.casework.settings import require_casework

    require_casework()
    from folkmoot_node.casework.authority.showing import policy_in_words, policy_shown

    shown = policy_shown(_config(home))
    if as_json:
        print_json(shown.as_json())
        return
    for line in policy_in_words(shown):
        typer.echo(line)


@policy_app.command("sign")
def sign_policy(
    signer: Annotated[str, typer.Option(help="Name and role of the person who decides.")],
    home: Home = HERE,
    key: Annotated[
        Path | None,
        typer.Option(help="Signing key kept elsewhere, instead of keys/policy-signing.key."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Signs the casework policy as it now stands. The site takes it when it is started again.

    Example: folkmoot-node casework policy sign --signer "A. Khan, Data Protection Officer"
    """
    from folkmoot_node.casework.settings import require_casework

    require_casework()
    from folkmoot_node.casework.authority.conflicts import conflicts_of
    from folkmoot_node.casework.authority.signed_policy import load_own_policy
    from folkmoot_node.casework.authority.signing import sign_casework_policy
    from folkmoot_node.casework.desk import open_casework_state

    config = _config(home)
    known = load_own_policy(config)
    signed = sign_casework_policy(config, open_casework_state(config, known), signer, key)
    warnings = list(conflicts_of(signed.known.policy))
    if as_json:
        print_json(
            {
                "signer": signed.signature.signer,
                "sha256": signed.known.digest.hex(),
                "sunset": signed.known.policy.sunset,
                "warnings": warnings,
            }
        )
        return
    typer.echo(
        f"Signed by {signed.signature.signer}; it goes on until {signed.known.policy.sunset}."
    )
    for text in warnings:
        typer.echo(f"Warning: {text}.", err=True)


@accounts_app.command("add")
def add(
    name: NameArgument,
    role: RoleOption,
    shown: Annotated[
        str | None,
        typer.Option("--shown", help="Their name for people; by default NAME.", show_default=False),
    ] = None,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Adds an account, and prints a link with which its owner chooses a password.

    The link works once, for three days. It is not kept: `accounts link` makes another.

    Example: folkmoot-node casework accounts add jo@example.gov.uk --role caseworker --shown Jo
    """
    accounts = _accounts(home)
    from folkmoot_web.account_commands import add_account

    add_account(accounts, name, shown, role, as_json=as_json)


@accounts_app.command("list")
def list_(home: Home = HERE, as_json: AsJson = False) -> None:
    """Lists all accounts with their roles.

    Example: folkmoot-node casework accounts list --json
    """
    accounts = _accounts(home)
    from folkmoot_web.account_commands import list_accounts

    none_yet = "No account yet. Add one: `folkmoot-node casework accounts add NAME --role ...`"
    list_accounts(accounts, none_yet, as_json=as_json)


@accounts_app.command("roles")
def roles(name: NameArgument, role: RoleOption, home: Home = HERE, as_json: AsJson = False) -> None:
    """Gives an account other roles, in place of those it has.

    Example: folkmoot-node casework accounts roles jo@example.gov.uk --role manager
    """
    accounts = _accounts(home)
    from folkmoot_web.account_commands import change_roles

    change_roles(accounts, name, role, as_json=as_json)


@accounts_app.command("disable")
def disable(
    name: NameArgument,
    undo: Annotated[bool, typer.Option("--undo", help="Let it sign in again.")] = False,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Refuses sign-in to an account, and ends its sessions.

    Example: folkmoot-node casework accounts disable jo@example.gov.uk
    """
    accounts = _accounts(home)
    from folkmoot_web.account_commands import disable_account

    disable_account(accounts, name, undo=undo, as_json=as_json)


@accounts_app.command("link")
def link(name: NameArgument, home: Home = HERE, as_json: AsJson = False) -> None:
    """Prints a new link with which an account's owner chooses a password.

    Earlier links stop working. The present password works until another is chosen.

    Example: folkmoot-node casework accounts link jo@example.gov.uk
    """
    accounts = _accounts(home)
    from folkmoot_web.account_commands import new_link

    new_link(accounts, name, as_json=as_json)


def _accounts(home: Path) -> Accounts:
    from folkmoot_node.casework.settings import require_casework

    require_casework()
    from folkmoot_node.casework.desk import open_desk

    return open_desk(_config(home)).state.accounts


def _config(home: Path) -> NodeConfig:
    from folkmoot_node.casework.settings import load_config_as_reader

    return load_config_as_reader(home)
