"""`folkmoot-coordinator export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_home
from folkmoot_operator.console import print_json, print_text


def add_to(app: typer.Typer) -> None:
    """Adds the command to the application."""
    app.command("export")(export)


def export(
    round_: Annotated[
        str, typer.Argument(metavar="ROUND", help="A round's id, its beginning, or `latest`.")
    ],
    out: Annotated[Path, typer.Option("--out", help="Folder for the files.")] = Path(),
    format_: Annotated[
        Literal["parquet", "csv", "both"] | None,
        typer.Option(
            "--format",
            help="How the table is written. By default as Parquet, and as CSV too if it has no "
            "more rows than a spreadsheet takes (1,048,575).",
            show_default=False,
        ),
    ] = None,
    home: HomeOption = Path(),
    json_: JsonOption = False,
) -> None:
    """Write the statistics of a closed round as Parquet and CSV, with a metadata JSON.

    For a round of a series: cumulative and new counts of each month up to it.

    Example: `folkmoot-coordinator export latest --out published`
    """
    from folkmoot_coordinator.publication.privacy_statement import (
        privacy_statement,
        series_statement,
    )
    from folkmoot_coordinator.publication.round_files import publish
    from folkmoot_coordinator.publication.round_result import round_result
    from folkmoot_coordinator.publication.series_files import publish_series
    from folkmoot_coordinator.publication.series_result import series_result
    from folkmoot_coordinator.publication.table_files import Format
    from folkmoot_coordinator.rounds.round_store import find_round

    place, database = open_home(home)
    settings = place.settings()
    stored = find_round(database, round_)
    form = None if format_ is None else Format(format_)
    if stored.round_.series is not None:
        of_series = series_result(database, settings.region, stored, settings.names)
        publication = publish_series(of_series, out, form)
        covered = of_series.coverage[stored.round_.series.position]
        statement = series_statement(stored.round_, len(covered.released))
    else:
        result = round_result(database, settings.region, round_, settings.names)
        publication = publish(result, out, form)
        covered = result.coverage
        statement = privacy_statement(stored.round_, len(covered.released))
    if json_:
        print_json(
            {
                "round_id": stored.round_.round_id,
                "coverage": str(covered),
                "rows": publication.rows,
                "parquet": publication.parquet and str(publication.parquet),
                "csv": publication.csv and str(publication.csv),
                "metadata": str(publication.metadata),
            }
        )
        return
    typer.echo(f"{publication.rows} rows from {covered}, written to")
    for path in publication.files:
        typer.echo(f"  {path}")
    typer.echo()
    print_text(statement)
