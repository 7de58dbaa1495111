"""`folkmoot-coordinator export`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from folkmoot_coordinator.cli.options import HomeOption, JsonOption, open_home
from folkmoot_operator.console import print_json, print_text
from folkmoot_operator.tables import print_table

if TYPE_CHECKING:
    from folkmoot_coordinator.publication.named_sums import NamedEstimate


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
    sum_: Annotated[
        Path | None,
        typer.Option(
            "--sum",
            metavar="FILE",
            help="TOML or CSV file of named sums, differences and shares: their estimates and "
            "errors are written too. See docs/analysis.md.",
            show_default=False,
        ),
    ] = None,
    home: HomeOption = Path(),
    json_: JsonOption = False,
) -> None:
    """Write the statistics of a closed round as Parquet and CSV, with a metadata JSON.

    For a round of a series: cumulative and new counts of each month up to it. A folder beside
    the table has its code lists, and the scale of the noise.

    Example: `folkmoot-coordinator export latest --out published`
    """
    from folkmoot_coordinator.publication import estimable
    from folkmoot_coordinator.publication.long_table import note_columns
    from folkmoot_coordinator.publication.named_sums import estimates, write_estimates
    from folkmoot_coordinator.publication.privacy_statement import (
        privacy_statement,
        series_statement,
    )
    from folkmoot_coordinator.publication.round_files import publish
    from folkmoot_coordinator.publication.round_result import round_result
    from folkmoot_coordinator.publication.series_files import publish_series
    from folkmoot_coordinator.publication.series_result import series_result
    from folkmoot_coordinator.publication.sum_file import read_expressions
    from folkmoot_coordinator.publication.table_files import Format
    from folkmoot_coordinator.rounds.round_store import find_round
    from folkmoot_operator.output_places import require_folder, writing_to
    from folkmoot_operator.private_files import publishing

    require_folder(out)
    place, database = open_home(home)
    settings = place.settings()
    stored = find_round(database, round_)
    form = None if format_ is None else Format(format_)
    notes = note_columns(stored.round_.workload.attributes, stored.code_names)
    asked = read_expressions(sum_, {one.name for one in notes}) if sum_ else ()
    with publishing(), writing_to(out):
        if stored.round_.series is not None:
            of_series = series_result(database, settings.region, stored, settings.names)
            summed = estimates(estimable.of_series(database, of_series), asked) if asked else []
            publication = publish_series(of_series, out, form)
            position = stored.round_.series.position
            covered = of_series.coverage[position]
            as_of = of_series.as_of.get(position, {})
            withdrawn = of_series.withdrawn(position)
            statement = series_statement(stored.round_, len(covered.released), as_of.values())
        else:
            result = round_result(database, settings.region, round_, settings.names)
            summed = estimates(estimable.of_round(database, result), asked) if asked else []
            publication = publish(result, out, form)
            covered, as_of = result.coverage, result.as_of
            withdrawn = str(stored.withdrawal) if stored.withdrawal else None
            statement = privacy_statement(stored.round_, len(covered.released), as_of.values())
        sums = write_estimates(summed, publication.metadata, withdrawn) if asked else None
    if json_:
        print_json(
            {
                "round_id": stored.round_.round_id,
                "withdrawn": withdrawn,
                "coverage": str(covered),
                "as_of": {council: day.isoformat() for council, day in sorted(as_of.items())},
                "rows": publication.rows,
                "parquet": publication.parquet and str(publication.parquet),
                "csv": publication.csv and str(publication.csv),
                "reference": [str(path) for path in publication.beside],
                "metadata": str(publication.metadata),
                "sums": sums and str(sums),
                "estimates": [one.facts() for one in summed],
            }
        )
        return
    if withdrawn is not None:
        print_text(f"WITHDRAWN. The figures are wrong, do not use them: {withdrawn}")
        typer.echo()
    typer.echo(f"{publication.rows} rows from {covered}, written to")
    for path in publication.files:
        typer.echo(f"  {path}")
    if sums is not None:
        typer.echo(f"  {sums}")
        typer.echo()
        _show(summed)
    typer.echo()
    print_text(statement)


def _show(summed: Sequence[NamedEstimate]) -> None:
    from rich.markup import escape
    from rich.table import Column, Table

    right = [Column(name, justify="right") for name in ("Estimate", "Std. error", "95 % interval")]
    table = Table("Name", *right, "Reliability")
    for one in summed:
        digits = ",.3f" if one.kind == "share" else ",.1f"
        facts, low, high = one.facts(), one.interval.lower, one.interval.upper
        ends = "none" if low is None or high is None else f"{low:{digits}} to {high:{digits}}"
        value, error = (
            "none" if facts[key] is None else format(facts[key], digits)
            for key in ("value", "standard_error")
        )
        table.add_row(escape(one.name), value, error, ends, facts["reliability"])
    print_table(table)
