"""`folkmoot-coordinator policy`: the documents behind the digests that rounds name."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_home
from folkmoot_operator.console import application, minute, print_json, print_text
from folkmoot_operator.tables import print_table

if TYPE_CHECKING:
    from folkmoot_coordinator.rounds.policy_structure import PolicyShown

policy_app = application(
    "policy", "Risk stratification policies: councils send a digest, you add the document."
)


def add_to(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.add_typer(policy_app, name="policy")


@policy_app.command()
def add(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The policy, as councils have it.")],
    home: HomeOption = Path(),
    json_: JsonOption = False,
) -> None:
    """Add the document of a policy that a round names, for those who read the result.

    It is checked against the digests of rounds: not a byte may differ from what councils have.

    Example: `folkmoot-coordinator policy add risk-policy.toml`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.rounds.policies import add_policy
    from folkmoot_operator.settings import read

    _, database = open_home(home)
    shown = add_policy(database, read(file), file.name, system_clock())
    if json_:
        print_json(shown.facts())
    else:
        typer.echo(f"Added {shown.name or file.name}, SHA-256 {shown.digest.hex()}")
        typer.echo(f"Next: `folkmoot-coordinator policy show {shown.digest.hex()[:12]}`")


@policy_app.command("list")
def list_(home: HomeOption = Path(), json_: JsonOption = False) -> None:
    """List the policies that rounds name, and whether their documents are here.

    Example: `folkmoot-coordinator policy list`
    """
    from folkmoot_coordinator.rounds.policies import policies
    from folkmoot_operator.moments import to_text

    _, database = open_home(home)
    found = policies(database)
    if json_:
        print_json(
            [
                {
                    "digest": one.digest.hex(),
                    "file": one.file_name,
                    "added_at": to_text(one.added_at) if one.added_at is not None else None,
                    "rounds": list(one.rounds),
                }
                for one in found
            ]
        )
        return
    if not found:
        typer.echo("No round names a policy yet. Open one: `folkmoot-coordinator round open FILE`")
        return
    from rich.markup import escape
    from rich.table import Column, Table

    table = Table(Column("Digest", no_wrap=True), Column("Document", overflow="fold"))
    table.add_column("Added (UTC)", no_wrap=True)
    table.add_column("Rounds", justify="right")
    for one in found:
        table.add_row(
            one.digest.hex()[:12],
            "missing: add it" if one.file_name is None else escape(one.file_name),
            minute(to_text(one.added_at) if one.added_at is not None else None),
            str(len(one.rounds)),
        )
    print_table(table)


@policy_app.command()
def show(
    policy: Annotated[
        str, typer.Argument(metavar="POLICY", help="Beginning of a digest, or a round's id.")
    ],
    home: HomeOption = Path(),
    text: Annotated[bool, typer.Option("--text", help="Print the document itself.")] = False,
    json_: JsonOption = False,
) -> None:
    """Show how households were scored: bands, factors, weights, and who answers for it.

    Example: `folkmoot-coordinator policy show 3f2a`
    """
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.membership.councils import enrolled
    from folkmoot_coordinator.rounds.policies import find_policy, plugins_of, policy_of
    from folkmoot_operator.problems import ExitCode, Problem

    _, database = open_home(home)
    found = find_policy(database, policy)
    shown = policy_of(database, found.digest)
    if shown is None:
        raise Problem(
            "its document is not here: councils send the digest alone",
            where=f"policy {found.digest.hex()}",
            remedy="Add it with `folkmoot-coordinator policy add FILE`",
            exit_code=ExitCode.DATA,
        )
    plugins = plugins_of(database, [one.code for one in enrolled(database, system_clock())])
    if json_:
        print_json(
            shown.facts()
            | {"rounds": list(found.rounds), "text": shown.text}
            | {
                "plugins": [
                    {"name": one.name, "version": one.version, "councils": list(councils)}
                    for one, councils in plugins.items()
                ]
            }
        )
    elif text:
        typer.echo(shown.text, nl=False)
    else:
        _print_policy(shown)
        for one, councils in plugins.items():
            count = f"{len(councils)} council{'s' * (len(councils) > 1)}"
            typer.echo(f"  scored with {one.name} {one.version} ({count}, by their catalogues)")


def _print_policy(shown: PolicyShown) -> None:
    from rich.markup import escape
    from rich.table import Column, Table

    typer.echo(f"Policy {shown.name} ({shown.digest.hex()[:12]})")
    print_text(f"  for {shown.purpose}; owned by {shown.owner}; ends on {shown.sunset or 'no day'}")
    print_text(f"  legal basis: {shown.legal_basis}")
    factors = Table("Factor", Column("Weight", justify="right"), "Parameters")
    for factor in shown.factors:
        said = "; ".join(f"{key} {value}" for key, value in factor.parameters)
        weight = "" if factor.weight is None else f"{factor.weight:g}"
        factors.add_row(escape(factor.name), weight, escape(said))
    bands = Table("Band", Column("From score", justify="right"), "What is done")
    for band in shown.bands:
        lower = "" if band.minimum is None else f"{band.minimum:g}"
        bands.add_row(escape(band.name), lower, escape(band.action))
    print_table(factors)
    print_table(bands)
    for title, found in (
        ("Protected characteristics that are scored", shown.protected),
        ("Bought data that are scored", shown.consumer_data),
        ("May be counted by", shown.attributes),
    ):
        if found:
            typer.echo(f"{title}:")
        for one in found:
            said = "; ".join(f"{key} {value}" for key, value in one.details)
            print_text(f"  {one.name}: {said}")
