"""`linkage report`, `linkage review`: how records found their households."""

from __future__ import annotations

import datetime
from typing import Annotated

import typer

from folkmoot_node.cli.options import HERE, AsJson, Home
from folkmoot_operator.console import console, print_json
from folkmoot_operator.tables import print_table

linkage = typer.Typer(
    help="How records without a UPRN found their households.", no_args_is_help=True
)
Sources = Annotated[
    list[str] | None, typer.Option("--source", help="Only this source; may be repeated.")
]
_COLUMNS = {
    "records": "Records", "by_uprn": "By UPRN", "by_address": "By address",
    "by_person": "By person", "by_review": "By review", "ambiguous": "Ambiguous",
    "unlinked": "Unlinked", "communal": "Communal", "not_in_frame": "Not in frame",
    "lost": "Not read",
}  # fmt: skip


def register(app: typer.Typer) -> None:
    """Adds the commands to the application."""
    linkage.command()(report)
    linkage.command()(review)
    app.add_typer(linkage, name="linkage")


def report(
    home: Home = HERE,
    source: Sources = None,
    areas: Annotated[
        bool,
        typer.Option(
            "--areas", help="Also by area of the linked, and postcode sector of the others."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Shows how the last run linked each source's records. The figures stay on this machine.

    Exit code 5 after the policy's last day, and when the scores may be kept no longer.

    Example: folkmoot-node linkage report --areas
    """
    from dataclasses import asdict

    from rich.table import Column, Table

    from folkmoot_node.home import open_home
    from folkmoot_node.linkage.report import linkage_report
    from folkmoot_node.store.source_summary import share_in_words

    with open_home(home) as node, node.open_store_for_use() as store:
        found = linkage_report(store.run, source or ())
    if as_json:
        print_json(found.as_json())
        return
    out = console()
    columns = [Column(title, justify="right") for title in (*_COLUMNS.values(), "Found a home")]
    table = Table("Source", *columns)
    for one in found.sources:
        figures = asdict(one)
        table.add_row(
            one.source, *(f"{figures[key]:,}" for key in _COLUMNS), share_in_words(one.share)
        )
    print_table(table, out)
    if not areas:
        return
    by_area = Table("Source", "Area", Column("Linked", justify="right"))
    for name, counts in found.linked_areas.items():
        for code, number in sorted(counts.items()):
            by_area.add_row(name, code, f"{number:,}")
    print_table(by_area, out)
    by_sector = Table("Source", "Postcode sector", Column("Ambiguous or unlinked", justify="right"))
    for name, counts in found.unlinked_sectors.items():
        for code, number in sorted(counts.items()):
            by_sector.add_row(name, code, f"{number:,}")
    print_table(by_sector, out)


def review(home: Home = HERE, as_json: AsJson = False) -> None:
    """Lists the files in which pairs of a record and a home wait for a person to say yes or no.

    Write the answers into the column `decision` of a file. The next `folkmoot-node score`
    takes them over, and asks only about what is left. Exit code 5 after the policy's last day,
    and when the decisions may be kept no longer.

    Example: folkmoot-node linkage review
    """
    from rich.table import Column, Table

    from folkmoot_node.linkage.review_decisions import ReviewDecisions
    from folkmoot_node.linkage.review_file import path_of
    from folkmoot_node.settings.node_toml import load_config
    from folkmoot_node.store.encrypted_file import read_key
    from folkmoot_node.store.use import require_review_in_use

    config = load_config(home)
    require_review_in_use(config, datetime.datetime.now(datetime.UTC).date())
    reviews = ReviewDecisions(config.review_store, read_key(config.key_file, config.readers)).read()
    rows = [
        {
            "source": name,
            "questions": len({pair.digest for pair in one.waiting.values()}),
            "pairs": len(one.waiting),
            "decided": len(one.decided),
            "file": str(path_of(config.review_folder, name)) if one.waiting else "",
        }
        for name, one in sorted(reviews.items())
    ]
    if as_json:
        print_json({"reviews": rows})
        return
    if not any(row["pairs"] for row in rows):
        typer.echo("Nothing waits for review.")
        return
    table = Table(
        "Source",
        *(Column(title, justify="right") for title in ("Questions", "Pairs", "Decided")),
        Column("File", overflow="fold"),
    )
    for row in rows:
        if row["pairs"]:
            table.add_row(*(str(row[key]) for key in row))
    print_table(table)
    typer.echo("Write yes or no into the column `decision`, then run folkmoot-node score.")
