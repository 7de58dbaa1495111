"""`dossier`: the documents that a council must publish or hold, made from facts about its node."""

from __future__ import annotations

from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.console import console, print_json, progress


class Name(Enum):
    """Which document."""

    ATRS = "atrs"
    DPIA = "dpia"
    EQUALITY = "equality"
    NOTICE = "notice"
    FOI = "foi"


def dossier(
    context: typer.Context,
    out: Annotated[
        Path | None,
        typer.Option("--out", help="Folder to write to; made if it is missing.", file_okay=False),
    ] = None,
    only: Annotated[
        list[Name] | None,
        typer.Option("--only", help="A document; all if none is named. May be given more often."),
    ] = None,
    with_figures: Annotated[
        bool,
        typer.Option(
            "--with-figures",
            help="Show exact figures over households. Needs --by and --reason.",
        ),
    ] = False,
    decided_by: Annotated[
        str | None,
        typer.Option("--by", help="Name and role of the person who decides to show figures."),
    ] = None,
    reason: Annotated[
        str | None,
        typer.Option("--reason", help="Why figures are shown, in words that name no resident."),
    ] = None,
    home: Home = HERE,
    as_json: AsJson = False,
) -> None:
    """Writes what the council publishes or holds about its scoring, from facts about this node.

    Five documents, each as HTML, tagged PDF and JSON: the algorithmic transparency record (atrs),
    the data protection impact assessment (dpia), the equality impact assessment (equality), the
    notice for residents (notice) and answers to freedom-of-information requests (foi). Each field
    says whether it is from the system, entered by a person in scrutiny.toml, or missing. Exact
    figures over households are left out; with --with-figures the decision of a named person is
    in the audit log first, and counts of fewer than 10 are still not shown. Needs the extra
    `dossier`.

    Example: folkmoot-node dossier --out dossier --only atrs
    """
    if context.invoked_subcommand is not None:
        return
    if out is None:
        raise typer.BadParameter("name a folder for the documents", param_hint="--out")
    if with_figures != (decided_by is not None and reason is not None):
        raise typer.BadParameter(
            "exact figures need --with-figures, --by and --reason together",
            param_hint="--with-figures",
        )
    from folkmoot_node.home import open_home
    from folkmoot_node.scrutiny.documents.answers import Decision
    from folkmoot_node.scrutiny.documents.dossier import (
        STANDARDS,
        age_of_notice,
        require_libraries,
        write_dossier,
    )
    from folkmoot_node.scrutiny.documents.reading_age import LIMIT
    from folkmoot_node.scrutiny.documents.standard import build
    from folkmoot_node.scrutiny.gather.everything import gather
    from folkmoot_operator.pauses import checked_name, checked_reason
    from folkmoot_operator.tables import print_table

    decision = None
    if decided_by is not None and reason is not None:
        decision = Decision(by=checked_name(decided_by), reason=checked_reason(reason))
    require_libraries()
    wanted = [one.value for one in only or Name]
    with open_home(home) as node, progress() as bar:
        task = bar.add_task("documents", total=None)
        facts = gather(node)
        made = [build(STANDARDS[name], facts, decision) for name in dict.fromkeys(wanted)]
        write_dossier(node, made, out, decision)
        bar.update(task, completed=1, total=1)
    rows = [
        {
            "document": one.standard.name,
            "fields": sum(1 for _ in one.answers()),
            "missing": one.missing,
            "without_figures": one.held,
            "reading_age": age_of_notice(one),
        }
        for one in made
    ]
    if as_json:
        print_json({"folder": str(out), "with_figures": with_figures, "documents": rows})
    else:
        from rich.table import Table

        table = Table("Document", "Fields", "Missing", "Figures left out", "Reading age")
        for row in rows:
            table.add_row(*("" if cell is None else str(cell) for cell in row.values()))
        print_table(table, console())
        typer.echo(f"Wrote HTML, PDF and JSON of each to {out}.")
    for row in rows:
        age = row["reading_age"]
        if isinstance(age, float) and age > LIMIT:
            typer.echo(
                f"Warning: the notice has a reading age of {age}, more than {LIMIT}. Write shorter "
                "sentences and shorter words in scrutiny.toml.",
                err=True,
            )
