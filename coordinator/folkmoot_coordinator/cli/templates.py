"""`folkmoot-coordinator round template`: files of ready-made questions."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_coordinator.cli.options import HomeOption, open_home
from folkmoot_operator.console import application

if TYPE_CHECKING:
    from folkmoot_coordinator.database.connection import Database
    from folkmoot_coordinator.drafts.offer import Offer
    from folkmoot_coordinator.drafts.ready_made import ReadyMade

template_app = application("template", "Ready-made questions, as files for `plan` and `open`.")

ByOption = Annotated[
    list[str] | None,
    typer.Option(
        "--by",
        metavar="NAME",
        help="Attribute of the groups (repeat); by default all on offer whose name says that they "
        "are about a protected characteristic.",
        show_default=False,
    ),
]
PolicyOption = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        metavar="FILE",
        help="The risk policy; by default that of the newest round.",
        show_default=False,
    ),
]
PurposeOption = Annotated[
    str, typer.Option("--purpose", help="What for; by default what most councils allow.")
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the file there.", show_default=False),
]


def add_to(round_app: typer.Typer) -> None:
    """Adds the commands to the group `round`."""
    round_app.add_typer(template_app, name="template")


@template_app.command("equality")
def equality(
    by: ByOption = None,
    policy: PolicyOption = None,
    purpose: PurposeOption = "",
    out: OutOption = None,
    home: HomeOption = Path(),
) -> None:
    """Write the file of a round that asks who is selected: households by band and protected group.

    Made from what councils say they offer. Read the answer with `folkmoot-coordinator equality`.

    Example: `folkmoot-coordinator round template equality --by sex --out equality.toml`
    """
    from folkmoot_coordinator.drafts.ready_made import equality_question

    offer, database = _offer(home)
    _write(equality_question(offer, by or ()), database, policy, purpose, out)


@template_app.command("outcomes")
def outcomes(
    outcome: Annotated[
        str,
        typer.Option(
            "--outcome",
            metavar="NAME",
            help="Attribute with the codes `no` and `yes`; by default the only one on offer.",
        ),
    ] = "",
    by: ByOption = None,
    factor: Annotated[
        list[str] | None,
        typer.Option(
            "--factor",
            metavar="NAME",
            help="Attribute of a factor (repeat), to fit `weights`: by outcome, and in pairs.",
            show_default=False,
        ),
    ] = None,
    policy: PolicyOption = None,
    purpose: PurposeOption = "",
    out: OutOption = None,
    home: HomeOption = Path(),
) -> None:
    """Write the file of a round that asks how well bands found need: by band and outcome.

    Made from what councils say they offer. Read the answer with `folkmoot-coordinator validate`
    and `weights`.

    Example: `folkmoot-coordinator round template outcomes --outcome need_found --out found.toml`
    """
    from folkmoot_coordinator.drafts.ready_made import outcomes_question

    offer, database = _offer(home)
    found = outcomes_question(offer, outcome, by or (), factor or ())
    _write(found, database, policy, purpose, out)


def _offer(home: Path) -> tuple[Offer, Database]:
    from folkmoot_coordinator.clock import system_clock
    from folkmoot_coordinator.drafts.offer import offered_attributes

    _, database = open_home(home)
    return offered_attributes(database, system_clock()), database


def _write(
    found: ReadyMade, database: Database, policy: Path | None, purpose: str, out: Path | None
) -> None:
    from folkmoot_coordinator.drafts.ready_made import round_text
    from folkmoot_coordinator.publication.table_files import whole_file
    from folkmoot_operator.output_places import require_place_for_file, writing_to

    text = round_text(found, _policy_line(database, policy, out), purpose)
    if out is None:
        typer.echo(text, nl=False)
        return
    require_place_for_file(out)
    with writing_to(out), whole_file(out) as temporary:
        temporary.write_text(text, encoding="utf-8")
    typer.echo(f"The question is in {out}. Next: `folkmoot-coordinator round plan {out}`")


def _policy_line(database: Database, policy: Path | None, out: Path | None) -> str:
    """Which policy: the file given, else that of the newest round, else a file to be put there."""
    from folkmoot_coordinator.rounds.policies import policies
    from folkmoot_operator.settings import toml_text

    if policy is not None:
        near = out is not None and policy.resolve().parent == out.resolve().parent
        return f"policy = {toml_text(policy.name if near else str(policy.resolve()))}"
    known = policies(database)
    if known:
        return f'policy_digest = "{known[0].digest.hex()}"'
    return 'policy = "risk-policy.toml"    # put the policy of the councils beside this file'
