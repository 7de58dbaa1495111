"""`leave`: the council leaves its region, with evidence kept and keys destroyed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.accounts import current_operator
from folkmoot_operator.console import console, print_json, print_text

if TYPE_CHECKING:
    from folkmoot_node.home import NodeHome


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    group = typer.Typer(rich_markup_mode="markdown")
    group.callback(invoke_without_command=True)(leave)
    group.command()(verify)
    app.add_typer(group, name="leave")


def leave(
    context: typer.Context,
    reason: Annotated[
        str | None,
        typer.Option("--reason", help="Why the council leaves, in a few words that name nobody."),
    ] = None,
    home: Home = HERE,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask for confirmation.")] = False,
    as_json: AsJson = False,
) -> None:
    """Ends the council's membership of its region permanently; `leave verify` checks the result.

    Scoring, answers and pages stop. Ledger, answers, receipts and logs are exported into the
    folder `left`. The key of the store is destroyed, with scores, households kept for rounds,
    leftovers of runs, lists of series, clerical review, rejected records and what objections had
    changed; then a certificate of leaving is signed, and the node's own keys are destroyed. The
    region learns of it from that certificate: send it there. Cases of casework, extracts, what
    people approved of how the node is set up (`scrutiny/approved`), points that `fit` worked out
    and files that commands wrote for people stay, and are named. If it is interrupted, run it
    again: it goes on where it stopped. Stop `folkmoot-node serve` first. Exit code 3 if the node is
    in no region.

    Example: folkmoot-node leave --reason "the programme has ended" --yes
    """
    if context.invoked_subcommand is not None:
        return
    if reason is None:
        raise typer.BadParameter("say why the council leaves", param_hint="--reason")
    from folkmoot_node.home import open_home
    from folkmoot_node.operations.leaving import has_left
    from folkmoot_node.operations.leaving import leave as end

    with open_home(home) as node:
        if not yes and not has_left(node):
            _print_what_goes(node)
            typer.confirm("Destroy these, and leave the region permanently?", abort=True, err=True)
        left = end(node, reason, current_operator())
    body = left.body
    if as_json:
        print_json({"certificate": str(left.certificate), **body})
        return
    for one in body["destroyed"]:
        typer.echo(f"Destroyed: {one['what']} ({one['path']}, files: {one['files']}).")
    for path in body["destroyed_after_signing"]:
        typer.echo(f"Destroyed: {path}.")
    for what in body["remains"]:
        print_text(f"Remains: {what}.")
    if body["answers_not_delivered"]:
        typer.echo(f"Answers that were never sent: {len(body['answers_not_delivered'])}.")
    typer.echo(f"Certificate of leaving: {left.certificate}")
    print_text(
        "Send it to the region, which ends the membership on its side with "
        "`folkmoot-coordinator councils left FILE`."
    )


def _print_what_goes(node: NodeHome) -> None:
    from rich.table import Column, Table

    from folkmoot_node.operations.leaving import doomed, remains

    table = Table("What is destroyed", Column("Where", overflow="fold"), "Files")
    for one in doomed(node.config):
        table.add_row(one.what, one.path, str(one.files))
    table.add_row("keys of the node", "keys", "")
    console(stderr=True).print(table)
    for what in remains(node):
        typer.echo(f"Remains: {what}.", err=True)


def verify(
    file: Annotated[
        Path, typer.Argument(help="Certificate of leaving.", dir_okay=False, exists=True)
    ],
    certificate: Annotated[
        Path | None,
        typer.Option(
            "--certificate",
            help="The node's certificate (PEM), from somewhere else than the file.",
            dir_okay=False,
            exists=True,
        ),
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(
            "--evidence",
            help="Folder of the exported evidence; the one beside the file if there is one.",
            file_okay=False,
            exists=True,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Checks a certificate of leaving: who signed it, and that the evidence is what it was.

    Needs no node and asks nobody. Without --certificate it is only certain that whoever signed had
    the key of the certificate in the file. Exit code 7 if anything was changed.

    Example: folkmoot-node leave verify left/certificate-of-leaving.json --certificate node.crt
    """
    from folkmoot_node.operations.leaving import EVIDENCE, check_certificate

    beside = file.parent / EVIDENCE
    folder = evidence or (beside if beside.is_dir() else None)
    known = certificate.read_bytes() if certificate else None
    found = check_certificate(file, known, folder)
    body = found.body
    unchecked = []
    if certificate is None:
        unchecked.append(
            "whose certificate is in the file: compare with the region's, or name it with "
            "--certificate"
        )
    if folder is None:
        unchecked.append("the exported evidence: name its folder with --evidence")
    if as_json:
        print_json({"valid": True, **body, "unchecked": unchecked})
        return
    typer.echo(f"{body['name']} ({body['council']}) left {body['region']} on {body['left_at']}.")
    typer.echo(f"Reason: {body['reason']}")
    ledger = body["logs"]["ledger"]
    typer.echo(f"Ledger: {ledger['entries']} entries, head {ledger['entries']}:{ledger['head']}")
    for one in body["destroyed"]:
        typer.echo(f"Destroyed: {one['what']} ({one['path']}, files: {one['files']})")
    for path in body["destroyed_after_signing"]:
        typer.echo(f"Destroyed after it was signed: {path}")
    if folder is not None:
        typer.echo(f"Evidence: {len(body['evidence'])} files, each as it was signed")
    for what in unchecked:
        typer.echo(f"NOT CHECKED: {what}.", err=True)
