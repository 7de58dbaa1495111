"""`facts` and `scrutiny`: what is known of this node, and what people add."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.console import print_indented, print_json, print_text, progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from folkmoot_node.home import NodeHome
    from folkmoot_node.scrutiny.facts import Fact, FactBase

READ_WITH_FIGURES = "facts read with exact figures"
"""Action of the audit log."""


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    app.command()(facts)
    group = typer.Typer(help="What people add to the facts about this node.", no_args_is_help=True)
    group.command()(init)
    group.command()(sign)
    app.add_typer(group, name="scrutiny")


def facts(
    subjects: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SUBJECT",
            help="Only facts whose keys begin so, such as sources or policy.risk.",
            show_default=False,
        ),
    ] = None,
    home: Home = HERE,
    as_json: AsJson = False,
    own: Annotated[
        bool,
        typer.Option(
            "--own",
            help="Show exact figures over households too. They are the council's own: the audit "
            "log records that you looked.",
        ),
    ] = False,
    missing: Annotated[
        bool, typer.Option("--missing", help="Only what nobody has answered yet.")
    ] = False,
) -> None:
    """Shows all facts about this node that scrutiny asks for, and where each comes from.

    Policies, sources, plugins, runs, releases, roles, looks, decisions, objections and
    incidents are gathered from the running system; what only people know, from scrutiny.toml. A
    missing answer is shown as missing. No fact is about one household, and exact figures over
    households are shown with --own alone.

    Exit code 2 for a subject of which nothing is known; 3 if a document of the council cannot be
    read, or is not signed as it stands.

    Example: folkmoot-node facts sources policy.risk --missing
    """
    from folkmoot_node.home import open_home
    from folkmoot_node.scrutiny.facts import Mark
    from folkmoot_node.scrutiny.showing import as_json as shown_as_json

    with open_home(home) as node:
        if own:
            _record(node)
        base = _gather(node)
    about = _about(base, subjects or ())
    chosen = [one for one in about if not missing or one.mark is Mark.MISSING]
    if as_json:
        print_json(shown_as_json(base, chosen, own=own))
        return
    _print(chosen, own=own)
    wanting = sum(one.mark is Mark.MISSING for one in about)
    print_text(f"{len(about)} facts; {wanting} are missing.")


def _about(base: FactBase, subjects: Sequence[str]) -> list[Fact]:
    """The facts of some subjects, or of all if none is named, in their order."""
    from folkmoot_operator.settings import nearest

    begins = [f"{subject.rstrip('.').lower()}." for subject in subjects]
    for one in begins:
        if not any(f"{fact.key}.".startswith(one) for fact in base.facts):
            valid = list(dict.fromkeys(fact.key.partition(".")[0] for fact in base.facts))
            near = nearest(one[:-1], valid)
            hint = f"did you mean {near}?" if near else f"subjects are {', '.join(valid)}"
            raise typer.BadParameter(f"no key of a fact begins with {one[:-1]}; {hint}")
    return [fact for fact in base.facts if not begins or f"{fact.key}.".startswith(tuple(begins))]


def _record(node: NodeHome) -> None:
    """Writes into the audit log that somebody looks, before there is anything to see."""
    with node.state.transaction() as connection:
        body = {"action": READ_WITH_FIGURES, **current_operator().as_body()}
        node.audit.append(connection, node.clock(), body)


def _gather(node: NodeHome) -> FactBase:
    from folkmoot_node.scrutiny.gather.everything import gather

    with progress() as bars:
        tasks: dict[str, Any] = {}

        def advance(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        return gather(node, progress=advance)


def _print(chosen: Sequence[Fact], *, own: bool) -> None:
    """One line for each fact, below its subject and its place; figures that are kept, counted."""
    from itertools import groupby

    from folkmoot_node.scrutiny.showing import in_words, is_withheld

    for subject, about in groupby(chosen, key=lambda one: one.key.partition(".")[0]):
        typer.echo(f"{subject.capitalize()}")
        kept = 0
        shown = []
        for one in about:
            if is_withheld(one, own=own):
                kept += 1
            else:
                shown.append(one)
        for place, facts_ in groupby(shown, key=_place):
            typer.echo(f"  From {place}:")
            for one in facts_:
                print_indented(f"    {one.label}: {in_words(one, own=own)}")
        if kept:
            print_text(
                f"  {kept} figures over households are kept at the council: --own shows them."
            )
        typer.echo()


def _place(fact: Fact) -> str:
    return Path(fact.provenance.place).name or fact.provenance.place


def init(home: Home = HERE) -> None:
    """Writes scrutiny.toml, with every question that people answer and no answer.

    Exit code 3 if there is one already: it stays as it is.

    Example: folkmoot-node scrutiny init
    """
    from folkmoot_node.scrutiny.first_file import write_first_file
    from folkmoot_node.settings.node_toml import load_config

    path = write_first_file(load_config(home))
    typer.echo(f"Wrote {path}. Answer what you can; then have the person who decides sign it:")
    typer.echo('  folkmoot-node scrutiny sign --signer "NAME, ROLE"')


def sign(
    signer: Annotated[str, typer.Option(help="Name and role of the person who decides.")],
    home: Home = HERE,
    key: Annotated[
        Path | None,
        typer.Option(help="Signing key kept elsewhere, instead of keys/policy-signing.key."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Signs scrutiny.toml as it now stands, and says which answers are missing.

    The key is the one that signs the release policy. A text that differs from what was signed
    before needs a higher version. Exit code 3 if the file is wrong: every key is named.

    Example: folkmoot-node scrutiny sign --signer "A. Khan, Data Protection Officer"
    """
    from folkmoot_node.home import open_home
    from folkmoot_node.scrutiny.facts import Mark
    from folkmoot_node.scrutiny.gather.people import answer_facts
    from folkmoot_node.scrutiny.sign_answers import sign_answers

    with open_home(home) as node:
        signed = sign_answers(node, signer, key)
        missing = [one for one in answer_facts(node) if one.mark is Mark.MISSING]
    if as_json:
        print_json(
            {
                "signer": signed.signer,
                "sha256": signed.digest.hex(),
                "version": signed.document.version,
                "missing": sorted(one.key for one in missing),
            }
        )
        return
    typer.echo(f"Version {signed.document.version} was signed by {signed.signer}.")
    if missing:
        typer.echo(f"Answers that are missing: {len(missing)}")
        for one in missing:
            print_indented(f"  {one.label} ({one.key})")
